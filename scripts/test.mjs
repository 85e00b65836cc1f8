/**
 * `npm test`: gets ready what is missing, checks types, style and layering, then runs the tests.
 * What follows `--` goes to vitest (`npm test -- test/unit`): then the checks are left out.
 * Ends with a line `N passed, N failed`, the checks counted with the tests.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main, say, sayDone } from './progress.mjs';
import { run } from './run.mjs';
import { root, setUp } from './setup.mjs';

const CHECKS = [
  ['types', 'typescript/bin/tsc', ['--noEmit']],
  ['style and promises', '@biomejs/biome/bin/biome', ['check', '.']],
  ['unused code and dependencies', 'knip/bin/knip.js', []],
  ['layers and import cycles', null, ['scripts/check-imports.mjs']],
];

await main(async () => {
  const parameters = process.argv.slice(2);
  await setUp({ tests: true });

  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, script, options] of parameters.length === 0 ? CHECKS : [])
    try {
      await run(process.execPath, [...(script === null ? [] : [join(root, 'node_modules', script)]), ...options], { cwd: root });
      total.passed += 1;
      sayDone(name);
    } catch (error) {
      total.failed += 1;
      process.stdout.write(`FAIL ${name}\n${error.message}\n`);
    }

  say('tests');
  const work = mkdtempSync(join(tmpdir(), 'srdf-test-report-'));
  try {
    const report = join(work, 'report.json');
    // Without `run` a terminal would be kept watching; a failure is in the report, and in the output above it.
    await run(
      process.execPath,
      [
        join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
        ...parameters,
      ],
      {
        cwd: root,
        quiet: false,
      },
    ).catch((error) => process.stdout.write(`${error.message}\n`));
    const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
    total.passed += numPassedTests;
    total.skipped += numPendingTests;
    // A file that can't be loaded has failed without a failed test.
    total.failed +=
      numFailedTests +
      testResults.filter((file) => file.status === 'failed' && !file.assertionResults.some((it) => it.status === 'failed')).length;
    if (numPassedTests + numFailedTests === 0) total.failed += 1;
  } catch (error) {
    total.failed += 1;
    process.stdout.write(`vitest left no report: ${error.message}\n`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  if (total.failed > 0) process.exitCode = 1;
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}\n`);
});
