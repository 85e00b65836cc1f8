/**
 * How fast a target that is a million changes behind catches up, sealed and through Temporal, to verified receipts; against MariaDB's
 * own replication on the same load, to a third server, its binary log on. And what went over the wire, and what memory it took.
 */

import { Pair } from '../test/integration/pair.js';
import { peakResidentMB } from '../test/servers/process-memory.js';
import type { CycleResult } from '../workflows/cycle-result.js';
import { type BenchOptions, type BenchRow, type Measured, type Measurement, median } from './contract.js';
import { NativeReplica } from './native-replica.js';
import { SingleTouchLoad } from './single-touch-load.js';
import { CHANGES_PER_TRANSACTION, prepareSysbench, runSysbench } from './sysbench.js';

const TRANSACTIONS = 250_000;
/** sysbench's own default. */
const HOT_ROWS = 10_000;
const FEW_ROWS = 1_000;
/**
 * MariaDB's defaults for durability, and memory for the data. SRDF's target syncs its binary log too, or it would be refused: what is confirmed must
 * outlive a power cut. The peer keeps the default, which is quicker.
 */
const SERVER_OPTIONS = ['--innodb-buffer-pool-size=1G', '--sync-binlog=0', '--innodb-flush-log-at-trx-commit=1'];
const TARGET_OPTIONS = ['--sync-binlog=1'];
/** Single-threaded and parallel: each is tried once, whichever was faster on this machine runs from then on. */
const NATIVE_THREADS = [0, 4];

interface Figures {
  readonly rowsPerSecond: number;
  readonly native: number;
  readonly ratio: number;
}
interface Wire {
  readonly logBytes: number;
  readonly wireBytes: number;
}

export const catchUp: Measurement = {
  name: 'catchup',
  usualScale: 0.3,
  async measure(options) {
    const transactions = Math.round(TRANSACTIONS * options.scale);
    const pair = await Pair.start({
      kind: 'mariadb',
      name: 'bench',
      serverOptions: SERVER_OPTIONS,
      sideOptions: { target: TARGET_OPTIONS },
      progress: options.tell,
      stream: { wagon: {} },
    });
    let replica: NativeReplica | null = null;
    try {
      await prepareSysbench(pair.source, HOT_ROWS);
      const single = await SingleTouchLoad.prepare(pair.source, transactions);
      await pair.establish();
      replica = await NativeReplica.of(pair.source, ['bench'], SERVER_OPTIONS);
      const changes = transactions * CHANGES_PER_TRANSACTION;
      const run = async (name: string, load: () => Promise<unknown>) =>
        await rounds(pair, replica as NativeReplica, name, changes, load, options);
      const hot = await run('hot keys', () => runSysbench(pair.source, HOT_ROWS, transactions));
      const cold = await run('each row once', () => single.run());
      const few = await wireOfFewRows(pair, transactions);
      const memory = { sourceMB: await peakResidentMB(pair.workers.source.pid), targetMB: await peakResidentMB(pair.workers.target.pid) };
      return told(hot, cold, few, memory);
    } finally {
      await replica?.remove();
      await pair.remove();
    }
  },
};

/** The same log to both, one after the other, in turns who is first. */
async function rounds(
  pair: Pair,
  replica: NativeReplica,
  name: string,
  changes: number,
  load: () => Promise<unknown>,
  { rounds: times, tell }: BenchOptions,
): Promise<{ readonly figures: Figures; readonly wire: Wire }> {
  const ours: number[] = [];
  let native = { rowsPerSecond: 0, threads: 0 };
  let wire: Wire = { logBytes: 0, wireBytes: 0 };
  for (let round = 0; round < times; round++) {
    await load();
    const own = async () => {
      const caught = await caughtUp(pair);
      wire = { logBytes: wire.logBytes + caught.wire.logBytes, wireBytes: wire.wireBytes + caught.wire.wireBytes };
      ours.push(changes / caught.seconds);
      tell(`${name}, round ${round + 1}: SRDF ${caught.seconds.toFixed(1)} s`);
    };
    const theirs = async () => {
      const threads = NATIVE_THREADS[round] ?? native.threads;
      const seconds = await replica.catchUp(threads);
      if (changes / seconds > native.rowsPerSecond) native = { rowsPerSecond: changes / seconds, threads };
      tell(`${name}, round ${round + 1}: native replication, ${threads} parallel threads, ${seconds.toFixed(1)} s`);
    };
    for (const step of round % 2 === 0 ? [theirs, own] : [own, theirs]) await step();
  }
  const rowsPerSecond = median(ours);
  const ratio = Number((rowsPerSecond / native.rowsPerSecond).toFixed(2));
  return { figures: { rowsPerSecond: Math.round(rowsPerSecond), native: Math.round(native.rowsPerSecond), ratio }, wire };
}

async function caughtUp(pair: Pair): Promise<{ readonly seconds: number; readonly wire: Wire; readonly cycles: readonly CycleResult[] }> {
  const started = performance.now();
  const cycles: CycleResult[] = [];
  let seconds = 0;
  for (let idle = false; !idle; ) {
    const cycle = await pair.cycle();
    idle = cycle.outcome === 'idle';
    // The last, idle cycle only proves that nothing was left.
    if (!idle) seconds = (performance.now() - started) / 1_000;
    cycles.push(cycle);
  }
  const logBytes = cycles.reduce((sum, it) => sum + it.counts.confirmed.logBytes, 0);
  const wireBytes = cycles.reduce((sum, it) => sum + it.bytes.wire, 0);
  return { seconds, wire: { logBytes, wireBytes }, cycles };
}

async function wireOfFewRows(pair: Pair, transactions: number): Promise<Wire> {
  await pair.source.sql('DROP TABLE bench.sbtest1');
  await prepareSysbench(pair.source, FEW_ROWS);
  await caughtUp(pair);
  await runSysbench(pair.source, FEW_ROWS, transactions);
  return (await caughtUp(pair)).wire;
}

function told(
  hot: { readonly figures: Figures; readonly wire: Wire },
  cold: { readonly figures: Figures; readonly wire: Wire },
  few: Wire,
  memory: { readonly sourceMB: number; readonly targetMB: number },
): Measured {
  const times = ({ logBytes, wireBytes }: Wire): number => Number((logBytes / wireBytes).toFixed(1));
  const speed = (what: string, { rowsPerSecond, native, ratio }: Figures, asked: number): BenchRow => ({
    what,
    ours: `${rowsPerSecond} changes/s`,
    peer: `${native} changes/s, native replication`,
    ratio: `${ratio} ×`,
    target: `${asked} ×`,
    reached: ratio >= asked,
  });
  const bytes = (what: string, wire: Wire, asked: number): BenchRow => ({
    what,
    ours: `${wire.wireBytes} bytes`,
    peer: `${wire.logBytes} bytes of binlog`,
    ratio: `1/${times(wire)}`,
    target: `1/${asked}`,
    reached: times(wire) >= asked,
  });
  return {
    figures: {
      catchup: { hot: hot.figures, cold: cold.figures },
      wire: { ...hot.wire, ratio: times(hot.wire), hotRowsRatio: times(few) },
      memory,
    },
    rows: [
      speed('catch-up, sysbench oltp_write_only', hot.figures, 4),
      speed('catch-up, each row touched once', cold.figures, 1.5),
      bytes('on the wire, sysbench', hot.wire, 5),
      bytes('on the wire, 1,000 rows take all changes', few, 20),
      ...(['source', 'target'] as const).map((side) => ({
        what: `peak memory of the ${side} worker`,
        ours: `${memory[`${side}MB`]} MB`,
        peer: '–',
        ratio: '–',
        target: 'under 400 MB',
        reached: memory[`${side}MB`] < 400,
      })),
    ],
  };
}
