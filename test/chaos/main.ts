/** `npm run chaos`: goes through the fault matrix, or chooses from it at random, and writes what came out into docs/faults.md. */
import { randomInt } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { casesOf, choose, ENGINE_NAMES } from './chosen-cases.js';
import type { CaseOutcome } from './contract.js';
import { type EngineRun, updatedPage } from './faults-page.js';
import { nameOf } from './matrix.js';
import { readOptions } from './options.js';
import { ChaosCases } from './run-cases.js';

const page = fileURLToPath(new URL('../../../docs/faults.md', import.meta.url));
const pageNow = async (): Promise<string> => await readFile(page, 'utf8').catch(() => '');
const say = (line: string): unknown => process.stdout.write(`${line}\n`);

const options = readOptions(process.argv.slice(2));
const { engine, only, missing, seed = randomInt(2 ** 31) } = options;

async function record(run: EngineRun, outcome: CaseOutcome): Promise<void> {
  await writeFile(page, updatedPage(await pageNow(), run, [outcome]));
}

async function main(): Promise<void> {
  const choice = choose(options, await pageNow());
  const { possible, random, minutes } = choice;
  if (possible.length === 0 && missing) return void say('no case is missing');
  if (possible.length === 0) throw new Error(`no case matches ${only}`);
  if (options.list) {
    for (const it of possible) say(nameOf(it));
    return;
  }
  const again = `npm run chaos -- --engine ${engine}${only === undefined ? '' : ` --only '${only.source}'`} --seed ${seed} --minutes ${minutes}`;
  const atMost = minutes === undefined ? '' : `, as many as ${minutes} minutes are enough for`;
  say(random ? `${minutes} minutes of cases at random; the same again: ${again}` : `${possible.length} cases${atMost}`);
  const breakable = possible.some(({ fault }) => fault.group !== 'kill' && fault.group !== 'activity');
  const cases = new ChaosCases({ kind: engine, breakable, progress: (line) => process.stderr.write(`${line}\n`) });
  const failed: string[] = [];
  let done = 0;
  try {
    for (const it of casesOf(choice, seed, Date.now)) {
      const outcome = await cases.run(it);
      done++;
      say(
        `${outcome.outcome.padEnd(32)} ${outcome.seconds.toFixed(1).padStart(6)} s  ${nameOf(it)}${outcome.detail && `: ${outcome.detail}`}`,
      );
      if (outcome.outcome === 'FAILED') failed.push(nameOf(it));
      await record({ engine: ENGINE_NAMES[engine], version: cases.version, date: new Date().toISOString().slice(0, 10) }, outcome);
    }
  } finally {
    await cases.end();
  }
  say(`${done - failed.length} of ${done} cases as they should be; docs/faults.md has them all`);
  for (const name of failed) say(`FAILED: ${name}`);
  if (failed.length > 0) process.exitCode = 1;
}

await main();
