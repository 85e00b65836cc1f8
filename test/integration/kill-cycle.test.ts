/** kill -9 of each part of a pair in the middle of a cycle, while clients write: the scheduled cycles go on by themselves, and nothing is lost or doubled. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ServerKind } from '../servers/database-server.js';
import { expectWhole, killAndRun, type Victim } from './kill-cases.js';
import { LiveTraffic, TRAFFIC_TABLES } from './live-traffic.js';
import { Pair } from './pair.js';
import { executedAtSource, ledgerRow } from './pair-ledger.js';

const VICTIMS: Readonly<Record<ServerKind, readonly Victim[]>> = {
  // The workers of a MySQL pair are killed in pair.test.ts.
  mariadb: ['the source database', 'the target database', 'the source worker', 'the target worker', 'Temporal'],
  mysql: ['the source database', 'the target database'],
};
/** What is at work on the victim's behalf when it is killed. */
const AT_WORK: Readonly<Record<Victim, readonly string[]>> = {
  'the source database': ['cutWagons'],
  'the source worker': ['cutWagons', 'shipWagons', 'confirmWagons'],
  'the target database': ['applyWagons'],
  'the target worker': ['applyWagons'],
  Temporal: ['cutWagons', 'shipWagons', 'applyWagons', 'confirmWagons'],
};

/** The number of the newest transaction: the last of a GTID position of one server. */
const transactionsIn = (gtids: string): number => Number(/[-:](\d+)$/.exec(gtids)?.[1]);

describe.each<ServerKind>(['mariadb', 'mysql'])('a cycle of a %s pair', (kind) => {
  let pair: Pair;
  let traffic: LiveTraffic;
  beforeAll(async () => {
    pair = await Pair.start({ kind, workers: false, every: '1s', stream: { wagon: { changes: 100 } } });
    await pair.source.sql(`CREATE DATABASE shop; USE shop; ${TRAFFIC_TABLES}; CREATE TABLE numbers (n INT PRIMARY KEY)`);
    await pair.source.sql(`INSERT INTO numbers VALUES ${Array.from({ length: 100 }, (_, n) => `(${n})`).join()}`, 'shop');
    await pair.startWorkers();
    await pair.establish();
    traffic = new LiveTraffic(pair.source, 'shop');
  });
  afterAll(async () => {
    await traffic?.stop();
    await pair?.remove();
  });
  afterEach(async () => await traffic.stop());

  it.each(VICTIMS[kind])('outlives kill -9 of %s', async (victim) => {
    traffic.start();
    // Many transactions, and one that fills a train of wagons.
    const some = (rows: number) =>
      `INSERT INTO orders (who, amount) SELECT UUID(), n FROM numbers LIMIT ${rows}; INSERT INTO visits SELECT 'bulk', n FROM numbers LIMIT ${rows}`;
    await pair.source.sql(
      `${Array.from({ length: 60 }, () => some(30)).join(';')}; BEGIN; ${Array.from({ length: 4 }, () => some(100)).join(';')}; COMMIT`,
      'shop',
    );
    const bulk = await executedAtSource(pair);
    await expect
      .poll(async () => (await pair.runningActivities()).some((name) => AT_WORK[victim].includes(name)), { timeout: 30_000, interval: 5 })
      .toBe(true);
    const before = await ledgerRow(pair);
    await killAndRun(pair, victim, traffic);
    // In the middle of it: what had to be carried wasn't all there.
    expect(transactionsIn(before?.position ?? '')).toBeLessThan(transactionsIn(bulk));
    await traffic.stop();
    await expectWhole(pair);
  });
});
