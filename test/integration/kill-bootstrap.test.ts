/** kill -9 of each part of a pair in the middle of a bootstrap, while clients write: it goes on by itself, and nothing is lost or doubled. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerKind } from '../servers/database-server.js';
import { expectWhole, killAndRun, type Victim } from './kill-cases.js';
import { LiveTraffic, TRAFFIC_TABLES } from './live-traffic.js';
import { Pair } from './pair.js';

const VICTIMS: Readonly<Record<ServerKind, readonly Victim[]>> = {
  mariadb: ['the source worker', 'the target worker', 'the source database', 'the target database', 'Temporal'],
  mysql: ['the target database', 'the source database'],
};
const ROWS = 16_000;
const ROWS_PER_RANGE = 200;
/** Ranges that are loaded between one kill and the next. */
const STEP = 8;

describe.each<ServerKind>(['mariadb', 'mysql'])('a bootstrap of a %s pair', (kind) => {
  let pair: Pair;
  let traffic: LiveTraffic;
  let ended = false;
  let establishing: Promise<void> = Promise.resolve();
  beforeAll(async () => {
    pair = await Pair.start({
      kind,
      every: '1s',
      stream: { wagon: { changes: 500 }, bootstrap: { rowsPerRange: ROWS_PER_RANGE, parallel: 2 } },
    });
    await pair.source.sql(
      `CREATE DATABASE shop; USE shop; ${TRAFFIC_TABLES}; CREATE TABLE n (n INT PRIMARY KEY); CREATE TABLE archive (id INT PRIMARY KEY, text VARCHAR(100), KEY texts (text), KEY beginnings (text(6), id))`,
    );
    await pair.source.sql(
      `INSERT INTO n VALUES ${Array.from({ length: 1_000 }, (_, n) => `(${n})`).join()};
       INSERT INTO archive SELECT a.n * 1000 + b.n, CONCAT('text ', a.n) FROM n a JOIN n b WHERE a.n < ${ROWS / 1_000};
       INSERT INTO orders (who, amount) SELECT UUID(), a.n FROM n a; INSERT INTO visits SELECT CONCAT('w', a.n % 7), a.n FROM n a`,
      'shop',
    );
    traffic = new LiveTraffic(pair.source, 'shop');
    traffic.start();
  });
  afterAll(async () => {
    await traffic?.stop();
    await pair?.remove();
    await establishing;
  });

  const loaded = async (): Promise<number> => {
    const [row] = await pair.target.sql('SELECT COUNT(*) AS ranges FROM srdf.bootstrap_ranges').catch(() => []);
    return Number(row?.ranges ?? 0);
  };
  /** Tables whose secondary keys are put off until their rows are in. */
  const withoutKeys = async (): Promise<readonly string[]> => {
    const rows = await pair.target.sql('SELECT table_name AS name FROM srdf.bootstrap_keys').catch(() => []);
    return rows.map(({ name }) => String(name));
  };
  /** An operator who starts the command again when it lost Temporal: it goes on with the bootstrap that runs. */
  async function establish(): Promise<void> {
    for (let attempt = 0; attempt < 10; attempt++) {
      const { exitCode, stderr } = await pair.srdf('establish', pair.name);
      if (exitCode === 0) return;
      if (!stderr.includes('temporal-unreachable'))
        throw new Error(`srdf establish ended with ${exitCode}: ${stderr}\n${await pair.logTails()}`);
    }
    throw new Error('srdf establish never came to its end');
  }

  it(`goes on after kill -9 of ${VICTIMS[kind].join(', of ')}, one after the other`, async () => {
    establishing = establish().finally(() => {
      ended = true;
    });
    establishing.catch(() => undefined); // awaited below
    const killedAt: number[] = [];
    const keysAwaited: string[] = [];
    for (const victim of VICTIMS[kind]) {
      const from = await loaded();
      await expect.poll(async () => ended || (await loaded()) >= from + STEP, { timeout: 90_000, interval: 20 }).toBe(true);
      killedAt.push(await loaded());
      keysAwaited.push(...(await withoutKeys()));
      await killAndRun(pair, victim, traffic);
    }
    await establishing;
    // Each in the middle of the copy. What was loaded is forgotten once the stream is consistent.
    for (const ranges of killedAt) {
      expect(ranges).toBeGreaterThanOrEqual(STEP);
      expect(ranges).toBeLessThan(ROWS / ROWS_PER_RANGE);
    }
    expect(keysAwaited).toContain('archive');
    expect(await withoutKeys()).toEqual([]);
    await traffic.stop();
    await expectWhole(pair);
  }, 240_000);

  it('and its stream replicates', async () => {
    await pair.source.sql(
      "INSERT INTO visits VALUES ('later', 1); UPDATE archive SET text = 'changed' WHERE id % 100 = 1; DELETE FROM archive WHERE id % 100 = 2",
      'shop',
    );
    await expectWhole(pair);
  });
});
