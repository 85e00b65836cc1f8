/** The README's first command: what a newcomer sees first has to end well, and to leave nothing. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DemoResult } from '../../demo/report.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-'));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

/** `npm run demo` with a temporary folder of its own, in a process group of its own as a terminal would have it. */
const demo = (...parameters: readonly string[]) =>
  execa('npm', ['run', '--silent', 'demo', '--', ...parameters], {
    env: { TMPDIR: folder, NO_COLOR: '1' },
    detached: true,
    reject: false,
    all: true,
    stdin: 'ignore',
  });

/** Processes whose command line names something in the demo's temporary folder. */
const leftovers = (): readonly string[] =>
  readdirSync('/proc')
    .filter((it) => /^\d+$/.test(it))
    .map((it) => {
      try {
        return readFileSync(`/proc/${it}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return ''; // it has ended meanwhile
      }
    })
    .filter((it) => it.includes(folder));

it('ends with two identical sides, everything confirmed, and one line of JSON', { timeout: 240_000 }, async () => {
  const { exitCode, stdout, all } = await demo('--seconds', '6', '--json');
  expect(exitCode, all).toBe(0);
  const result = JSON.parse(stdout.split('\n').at(-1) ?? '') as DemoResult;
  expect(Object.keys(result).sort()).toEqual(['bytes', 'changes', 'identical', 'lagSeconds', 'phases', 'rows', 'tables', 'temporalUi']);
  expect(result.identical).toBe(true);
  expect(result.tables).toBeGreaterThanOrEqual(12);
  expect(result.rows).toBeGreaterThan(200_000);
  const { captured, received, applied, confirmed } = result.changes;
  expect(captured).toBeGreaterThan(0);
  expect([received, applied, confirmed]).toEqual([captured, captured, captured]);
  expect(await readdir(folder)).toEqual([]);
  expect(leftovers()).toEqual([]);
});

it('leaves nothing when Ctrl-C ends it in the middle', { timeout: 120_000 }, async () => {
  const child = demo();
  await new Promise<void>((resolve, reject) => {
    let said = '';
    child.all.on('data', (text) => {
      said += text;
      if (said.includes('both workers poll')) resolve();
    });
    child.all.once('end', () => reject(new Error(`the demo ended early: ${said}`)));
  });
  expect(leftovers().length).toBeGreaterThan(0);
  process.kill(-(child.pid ?? 0), 'SIGINT');
  await child;
  expect(await readdir(folder)).toEqual([]);
  expect(leftovers()).toEqual([]);
});
