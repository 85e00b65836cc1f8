/** `npm run chaos`: goes through the fault matrix, or chooses from it at random, and writes what came out into docs/faults.md. */
import { randomInt } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Case, CaseOutcome } from './contract.js';
import { type EngineRun, updatedPage } from './faults-page.js';
import { atRandom, EVERYWHERE, MATRIX, nameOf } from './matrix.js';
import { readOptions } from './options.js';
import { ChaosCases } from './run-cases.js';

const page = fileURLToPath(new URL('../../../docs/faults.md', import.meta.url));
const say = (line: string): unknown => process.stdout.write(`${line}\n`);

const options = readOptions(process.argv.slice(2));
const { engine, only, seed = randomInt(2 ** 31), minutes } = options;
const random = options.seed !== undefined || minutes !== undefined;
const possible = (random ? EVERYWHERE : MATRIX).filter((it) => only === undefined || only.test(nameOf(it)));

function* chosen(): Generator<Case, void, void> {
  if (!random) return yield* possible;
  const end = Date.now() + (minutes ?? 10) * 60_000;
  for (const it of atRandom(possible, seed)) {
    if (Date.now() > end) return;
    yield it;
  }
}

async function record(run: EngineRun, outcome: CaseOutcome): Promise<void> {
  const before = await readFile(page, 'utf8').catch(() => '');
  await writeFile(page, updatedPage(before, run, [outcome]));
}

async function main(): Promise<void> {
  if (possible.length === 0) throw new Error(`no case matches ${only}`);
  if (options.list) {
    for (const it of possible) say(nameOf(it));
    return;
  }
  const again = `npm run chaos -- --engine ${engine}${only === undefined ? '' : ` --only '${only.source}'`} --seed ${seed}`;
  say(
    random
      ? `${minutes ?? 10} minutes of cases at random; the same again: ${again} --minutes ${minutes ?? 10}`
      : `${possible.length} cases`,
  );
  const breakable = possible.some(({ fault }) => fault.group !== 'kill' && fault.group !== 'activity');
  const cases = new ChaosCases({ kind: engine, breakable, progress: (line) => process.stderr.write(`${line}\n`) });
  const failed: string[] = [];
  let done = 0;
  try {
    for (const it of chosen()) {
      const outcome = await cases.run(it);
      done++;
      say(
        `${outcome.outcome.padEnd(32)} ${outcome.seconds.toFixed(1).padStart(6)} s  ${nameOf(it)}${outcome.detail && `: ${outcome.detail}`}`,
      );
      if (outcome.outcome === 'FAILED') failed.push(nameOf(it));
      await record(
        { engine: engine === 'mysql' ? 'MySQL' : 'MariaDB', version: cases.version, date: new Date().toISOString().slice(0, 10) },
        outcome,
      );
    }
  } finally {
    await cases.end();
  }
  say(`${done - failed.length} of ${done} cases as they should be; docs/faults.md has them all`);
  for (const name of failed) say(`FAILED: ${name}`);
  if (failed.length > 0) process.exitCode = 1;
}

await main();
