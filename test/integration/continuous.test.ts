/** A stream with `every: continuous` on a real pair: it follows the log by itself, stops when it is told to, and outlives kill -9 of its workers. */
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StreamStatus } from '../../client/derive-status.js';
import type { ServerKind } from '../servers/database-server.js';
import { expectEqual, killAndRun, type Victim } from './kill-cases.js';
import { LiveTraffic, TRAFFIC_TABLES } from './live-traffic.js';
import { Pair } from './pair.js';
import { executedAtSource, ledgerRow } from './pair-ledger.js';

describe.each<ServerKind>(['mariadb', 'mysql'])('a continuous stream of a %s pair', (kind) => {
  let pair: Pair;
  let traffic: LiveTraffic;
  beforeAll(async () => {
    pair = await Pair.start({ kind, workers: false, every: 'continuous' });
    await pair.source.sql(`CREATE DATABASE shop; USE shop; ${TRAFFIC_TABLES}; INSERT INTO orders (who) VALUES ('first')`);
    await pair.startWorkers();
    await pair.establish();
    traffic = new LiveTraffic(pair.source, 'shop');
  });
  afterAll(async () => {
    await traffic?.stop();
    await pair?.remove();
  });

  const status = async (): Promise<StreamStatus> => {
    const { streams } = JSON.parse(await pair.must('status', pair.name, '--json')) as { streams: StreamStatus[] };
    const [only] = streams;
    if (only === undefined) throw new Error('no status');
    return only;
  };
  const applied = async (): Promise<string | undefined> =>
    (await ledgerRow(pair))?.position.replace(/.*;gtid=/, '').replace(/;known=.*/, '');
  /** Without a cycle by hand. */
  const arrives = async (): Promise<void> => {
    const executed = await executedAtSource(pair);
    await expect.poll(applied, { timeout: 60_000, interval: 50 }).toBe(executed);
  };
  const following = async (): Promise<void> =>
    await expect.poll(async () => (await pair.runningActivities()).includes('cutWagons'), { timeout: 60_000, interval: 50 }).toBe(true);

  it('carries what is committed, one transaction after the other, without a cycle of its own for each', async () => {
    await following();
    const before = await pair.cycleResults();
    for (let n = 0; n < 5; n++) {
      await pair.source.sql(`INSERT INTO orders (who, amount) VALUES ('steady ${n}', ${n})`, 'shop');
      await arrives();
    }
    expect(await pair.cycleResults()).toHaveLength(before.length);
    expect((await pair.compareBySql()).differences).toEqual([]);
    expect(await status()).toMatchObject({
      phase: 'consistent',
      running: true,
      lastCycle: { outcome: 'replicated' },
      lagSeconds: 0,
      next: null,
    });
  });

  it('carries a change of the schema and what follows it', async () => {
    await pair.source.sql('ALTER TABLE visits ADD COLUMN page INT', 'shop');
    await pair.source.sql(
      "INSERT INTO visits VALUES ('x', 1, 2); ALTER TABLE visits DROP COLUMN page; INSERT INTO visits VALUES ('y', 1)",
      'shop',
    );
    await arrives();
    expect((await pair.compareBySql()).differences).toEqual([]);
  });

  it('makes way for a cycle by hand, and goes on behind it', async () => {
    await following();
    await pair.source.sql("INSERT INTO orders (who) VALUES ('by hand')", 'shop');
    await pair.waitConfirmed();
    await following();
    await pair.source.sql("INSERT INTO orders (who) VALUES ('after it')", 'shop');
    await arrives();
  });

  it('stands still while it is suspended, and goes on when it is resumed', async () => {
    await following();
    await pair.must('suspend', pair.name, '--reason', 'new disks');
    await expect.poll(async () => (await status()).running, { timeout: 30_000 }).toBe(false);
    const before = await ledgerRow(pair);
    await pair.source.sql("INSERT INTO orders (who) VALUES ('meanwhile')", 'shop');
    expect(await status()).toMatchObject({ mode: 'suspended', running: false, next: `srdf resume ${pair.name}` });
    expect(await ledgerRow(pair)).toEqual(before);
    await pair.must('resume', pair.name);
    await arrives();
  });

  it('says for as long as the source’s database is away that it is, although a cycle is begun every few seconds', async () => {
    await following();
    await pair.source.kill();
    await expect.poll(async () => (await status()).lastCycle?.outcome, { timeout: 60_000 }).toBe('source-unreachable');
    for (let look = 0; look < 10; look++) {
      expect(await status()).toMatchObject({
        lastCycle: { outcome: 'source-unreachable', why: { code: 'source-unreachable' } },
        unreachable: [{ site: 'source', why: { code: 'source-unreachable' } }],
        next: expect.any(String),
      });
      await setTimeout(700);
    }
    await pair.source.run();
    // Its log has a new file by now, and the position follows into it.
    await expect.poll(async () => (await status()).lastCycle?.outcome, { timeout: 60_000 }).toBe('replicated');
    expect(await status()).toMatchObject({ unreachable: [], lagSeconds: expect.any(Number), next: null });
  });

  it('stops at a dead letter, in sight, and goes on by itself once that is retried', async () => {
    await pair.target.sql("DELETE FROM orders WHERE who = 'first'", 'shop');
    await pair.source.sql("UPDATE orders SET amount = 7 WHERE who = 'first'", 'shop');
    await expect.poll(async () => (await status()).deadLetter?.error.code, { timeout: 60_000 }).toBe('target-divergence');
    const [row] = await pair.source.sql("SELECT id FROM orders WHERE who = 'first'", 'shop');
    await pair.target.sql(`INSERT INTO orders (id, who, amount) VALUES (${row?.id}, 'first', 0)`, 'shop');
    // What the target has refused stands on its disk a moment before the place to decide on it is there.
    await expect.poll(async () => (await pair.srdf('dead-letters', 'retry', pair.name)).exitCode, { timeout: 30_000 }).toBe(0);
    await arrives();
    expect((await pair.compareBySql()).differences).toEqual([]);
  });

  it.each<Victim>(['the source worker', 'the target worker', 'the source database', 'the target database', 'Temporal'])(
    'outlives kill -9 of %s under traffic',
    async (victim) => {
      await following();
      traffic.start();
      await killAndRun(pair, victim, traffic);
      await traffic.stop();
      await arrives();
      await expectEqual(pair);
    },
  );
});
