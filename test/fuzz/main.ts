/**
 * `npm run fuzz -- [--target NAME[,NAME]] [--seed S] [--minutes M] [--input FILE]`. Targets take turns of a few seconds. What is found is
 * made small and written into test/fuzz/found, where `npm test` runs it from then on. Ends with 1 when something was found.
 * The work is done in a thread, so that an input that never ends is seen and kept too.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { FOUND_FOLDER, packageRoot } from './corpus.js';
import { execute, type Find, inputOf, minimise } from './search.js';
import { TARGETS } from './targets/index.js';

const TURN_MILLISECONDS = 3_000;
const HANG_MILLISECONDS = 30_000;
const LARGEST_INPUT = 1 << 22;
/** In shared memory: executions so far, the present target, its input's length; then the input. */
const COUNTER = 0;
const TARGET = 1;
const LENGTH = 2;
const INPUT_AT = 12;

interface Work {
  readonly targets: readonly string[];
  readonly seed: number;
  readonly until: number;
  readonly shared: SharedArrayBuffer;
}
interface Tally {
  executions: number;
  accepted: number;
  seconds: number;
  finds: number;
}
type Report =
  | { readonly kind: 'found'; readonly target: string; readonly find: Find }
  | { readonly kind: 'done'; readonly tallies: Readonly<Record<string, Tally>> };

const USAGE = `usage: npm run fuzz -- [--target NAME,…] [--seed N] [--minutes N] [--input FILE] [--record]
  --target   ${TARGETS.map((it) => it.name).join(', ')}; default: all in turn
  --seed     a whole number: the same inputs again
  --minutes  how long (default 5)
  --input    tries this one file
  --record   makes the corpus anew, from servers started for it`;

if (isMainThread) await command();
else await search(workerData as Work);

function parameters() {
  try {
    const { values } = parseArgs({
      options: {
        target: { type: 'string' },
        seed: { type: 'string' },
        minutes: { type: 'string', default: '5' },
        input: { type: 'string' },
        record: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const targets = values.target?.split(',') ?? TARGETS.map((it) => it.name);
    const minutes = Number(values.minutes);
    const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
    const known = targets.every((name) => TARGETS.some((it) => it.name === name));
    return values.help || !known || !(minutes > 0) || !Number.isSafeInteger(seed) ? null : { ...values, targets, minutes, seed };
  } catch {
    return null;
  }
}

async function command(): Promise<void> {
  const asked = parameters();
  if (asked === null) {
    console.error(USAGE);
    process.exitCode = 2;
    return;
  }
  const { targets, seed, minutes, input } = asked;
  if (asked.record) {
    const { recordCorpus } = await import('./record-corpus.js');
    return await recordCorpus();
  }
  if (input !== undefined) return await replay(targets, input);
  process.stdout.write(`seed ${seed}, ${minutes} min: ${targets.join(', ')}\n`);
  await supervise({ targets, seed, until: Date.now() + minutes * 60_000, shared: new SharedArrayBuffer(INPUT_AT + LARGEST_INPUT) });
}

async function replay(names: readonly string[], file: string): Promise<void> {
  const bytes = readFileSync(file);
  for (const target of TARGETS.filter((it) => names.includes(it.name))) {
    const outcome = await execute(target, bytes);
    process.stdout.write(`${target.name}: ${typeof outcome === 'object' ? outcome.story : outcome}\n`);
    if (typeof outcome === 'object') process.exitCode = 1;
    await target.close?.();
  }
}

function keep(target: string, find: Find): void {
  const folder = join(FOUND_FOLDER, target);
  const file = join(folder, createHash('sha256').update(find.input).digest('hex').slice(0, 12));
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, find.input);
  const path = relative(packageRoot, file);
  process.stdout.write(`FOUND ${target}: ${find.story}\n  input (${find.input.length} bytes): ${path}\n`);
  process.stdout.write(`  again: npm run fuzz -- --target ${target} --input ${path}\n`);
  process.exitCode = 1;
}

async function supervise(work: Work): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: work, argv: [] });
  const numbers = new Int32Array(work.shared, 0, 3);
  let seen = -1;
  let since = Date.now();
  const watch = setInterval(() => {
    const now = Atomics.load(numbers, COUNTER);
    if (now !== seen) {
      seen = now;
      since = Date.now();
    } else if (Date.now() - since > HANG_MILLISECONDS) {
      const input = new Uint8Array(work.shared, INPUT_AT, numbers[LENGTH]).slice();
      const target = work.targets[numbers[TARGET] ?? 0] ?? '';
      keep(target, { input, cause: 'hang', story: `no end after ${HANG_MILLISECONDS / 1000} s` });
      void worker.terminate();
    }
  }, 1_000);
  worker.on('message', (report: Report) => {
    if (report.kind === 'found') return keep(report.target, report.find);
    for (const [name, { executions, accepted, seconds, finds }] of Object.entries(report.tallies))
      process.stdout.write(
        `${name.padEnd(16)} ${String(executions).padStart(9)} executions in ${seconds.toFixed(0).padStart(4)} s, ${String(accepted).padStart(8)} accepted, ${finds} found\n`,
      );
  });
  await new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  }).finally(() => clearInterval(watch));
}

async function search({ targets, seed, until, shared }: Work): Promise<void> {
  const numbers = new Int32Array(shared, 0, 3);
  const room = new Uint8Array(shared, INPUT_AT);
  const tallies: Record<string, Tally> = {};
  const causes = new Set<string>();
  const present = targets.flatMap((name) =>
    TARGETS.filter((it) => it.name === name).map((target) => ({ target, corpus: target.corpus() })),
  );
  for (let turn = 0; Date.now() < until; turn++) {
    const index = turn % present.length;
    const { target, corpus } = present[index] as (typeof present)[number];
    tallies[target.name] ??= { executions: 0, accepted: 0, seconds: 0, finds: 0 };
    const tally = tallies[target.name] as Tally;
    const began = Date.now();
    const end = Math.min(until, began + TURN_MILLISECONDS);
    while (Date.now() < end) {
      const input = inputOf(target, corpus, seed, tally.executions++);
      if (input.length <= room.length) room.set(input);
      numbers[TARGET] = index;
      numbers[LENGTH] = Math.min(input.length, room.length);
      Atomics.add(numbers, COUNTER, 1);
      const outcome = await execute(target, input);
      if (outcome === 'accepted') tally.accepted++;
      if (typeof outcome !== 'object' || causes.has(`${target.name} ${outcome.cause}`)) continue;
      causes.add(`${target.name} ${outcome.cause}`);
      tally.finds++;
      Atomics.add(numbers, COUNTER, 1);
      parentPort?.postMessage({ kind: 'found', target: target.name, find: await minimise(target, outcome) } satisfies Report);
    }
    tally.seconds += (Date.now() - began) / 1000;
  }
  for (const { target } of present) await target.close?.();
  parentPort?.postMessage({ kind: 'done', tallies } satisfies Report);
}
