/**
 * How long a committed change waits until it is confirmed, under steady traffic: once with `every: continuous`, once with a schedule.
 * Each transaction for itself: from the moment its client was told of the commit to the moment the source had verified and stored the
 * target's signed receipt of the wagon that carries it.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parsePosition } from '../activities/engines/mysql/position.js';
import { readWhole } from '../activities/transport/wagon-file.js';
import type { SiteName } from '../activities/vocabulary.js';
import { loadKeyRing, trustedPeer } from '../activities/wagon/key-ring.js';
import { createReceiptVerifier } from '../activities/wagon/receipt.js';
import { routeOf } from '../client/control.js';
import { finishCycles } from '../client/running-cycles.js';
import { loadConfig, streamOf } from '../config/load.js';
import { ensureCycleSchedule } from '../temporal/schedules.js';
import { Pair } from '../test/integration/pair.js';
import type { BenchRow, Measurement } from './contract.js';
import { type Commit, steadyLoad } from './steady-load.js';
import { prepareSysbench } from './sysbench.js';

const CHANGES_PER_SECOND = 2_000;
/** The continuous cycle goes on as a new run every two minutes or so at this rate: one falls in here at least. */
const CONTINUOUS_SECONDS = 150;
const SCHEDULED_SECONDS = 20;
/** Of the beginning, while the stream gets under way. */
const LEFT_OUT_MILLISECONDS = 3_000;
const TABLE_ROWS = 10_000;
const INTERVAL_SECONDS = 5;
const CONTINUOUS_ASKED = 1_000;
const SCHEDULED_ASKED = (INTERVAL_SECONDS + 5) * 1_000;

interface Lag {
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
  readonly changesPerSecond: number;
}

export const lag: Measurement = {
  name: 'lag',
  usualScale: 1,
  async measure({ tell, scale }) {
    const pair = await Pair.start({ kind: 'mariadb', name: 'bench', every: 'continuous', progress: tell });
    try {
      await prepareSysbench(pair.source, TABLE_ROWS);
      await pair.establish();
      const measured = async (how: string, full: number): Promise<Lag> => {
        const seconds = Math.max(10, full * Math.min(1, scale));
        const commits = await steadyLoad(pair.source, TABLE_ROWS, CHANGES_PER_SECOND, seconds);
        const found = lagOf(commits, await confirmations(pair, Math.max(...commits.map((it) => it.number))), seconds);
        tell(`${how}: ${JSON.stringify(found)}`);
        return found;
      };
      const continuous = await measured('every: continuous', CONTINUOUS_SECONDS);
      await everyFewSeconds(pair);
      const scheduled = await measured(`every: ${INTERVAL_SECONDS}s`, SCHEDULED_SECONDS);
      return {
        figures: {
          lag: { p50: continuous.p50, p99: continuous.p99, continuous, scheduled: { everySeconds: INTERVAL_SECONDS, ...scheduled } },
        },
        rows: [
          row('every: continuous', continuous, 'under 1 s', CONTINUOUS_ASKED),
          row(`every: ${INTERVAL_SECONDS}s`, scheduled, `under ${INTERVAL_SECONDS} s + 5 s`, SCHEDULED_ASKED),
        ],
      };
    } finally {
      await pair.remove();
    }
  },
};

const row = (how: string, { p50, p99, changesPerSecond }: Lag, target: string, asked: number): BenchRow => ({
  what: `lag from commit to confirmed, ${how}, ${changesPerSecond} changes/s`,
  ours: `p50 ${p50} ms, p99 ${p99} ms`,
  peer: '–',
  ratio: '–',
  target: `p99 ${target}`,
  reached: p99 < asked,
});

async function everyFewSeconds(pair: Pair): Promise<void> {
  const config = await loadConfig(pair.configFile);
  const route = routeOf(config, streamOf(config, pair.name));
  await ensureCycleSchedule(pair.temporalClient.client, route, { every: INTERVAL_SECONDS * 1_000 });
  await finishCycles(pair.temporalClient, route);
}

/** When all transactions up to a number were confirmed, in order. Waits until one is there that reaches the last. */
async function confirmations(pair: Pair, last: number): Promise<readonly Commit[]> {
  const ring = await loadKeyRing(join(pair.directory, 'source-keys'));
  const receipts = createReceiptVerifier(trustedPeer(ring, 'frankfurt' as SiteName));
  const spool = join(pair.directory, 'source-state', 'spool');
  const known = new Map<string, Commit>();
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 500))) {
    for (const name of await readdir(spool, { recursive: true })) {
      if (!name.endsWith('.applied') || known.has(name)) continue;
      const path = join(spool, name);
      const receipt = await readWhole(path);
      if (receipt.state !== 'whole') continue;
      const { position } = receipts.verify(receipt.content);
      if (position === null) continue;
      known.set(name, { number: Number(parsePosition(position).gtid.split('-')[2]), at: (await stat(path)).mtimeMs });
    }
    const all = [...known.values()].sort((a, b) => a.number - b.number);
    if ((all.at(-1)?.number ?? 0) >= last) return all;
  }
  throw new Error(`transaction ${last} was not confirmed within 60 s\n${await pair.logTails()}`);
}

function lagOf(commits: readonly Commit[], confirmed: readonly Commit[], seconds: number): Lag {
  const began = Math.min(...commits.map((it) => it.at));
  let receipt = 0;
  const lags: number[] = [];
  for (const commit of commits.toSorted((a, b) => a.number - b.number)) {
    while ((confirmed[receipt]?.number ?? Number.POSITIVE_INFINITY) < commit.number) receipt++;
    const at = confirmed[receipt]?.at;
    if (at === undefined) throw new Error(`transaction ${commit.number} has no receipt`);
    if (commit.at - began >= LEFT_OUT_MILLISECONDS) lags.push(at - commit.at);
  }
  lags.sort((a, b) => a - b);
  const quantile = (share: number): number => Math.round(lags[Math.min(lags.length - 1, Math.floor(lags.length * share))] ?? 0);
  return { p50: quantile(0.5), p99: quantile(0.99), most: quantile(1), changesPerSecond: Math.round((commits.length * 4) / seconds) };
}
