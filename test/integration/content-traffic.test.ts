/** A first copy while everybody writes, then scheduled cycles while everybody writes: cascades, unique keys, keyless tables, hot rows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerKind } from '../servers/database-server.js';
import { ALL_ACTS, KEYLESS_CHILD, RandomTraffic, TRAFFIC_SCHEMA } from './content-traffic.js';
import { expectSameRows, sameOnBoth } from './expect-identical.js';
import { Pair } from './pair.js';

/** MariaDB doesn't log what ON UPDATE CASCADE does: a first copy refuses keys that move meanwhile. A keyless child of a cascade it refuses anyway. */
const REFUSED_DURING_COPY: Readonly<Record<ServerKind, readonly string[]>> = {
  mariadb: ['follow', 'changeNumber', 'renameAccount'],
  mysql: ['follow'],
};

describe.each<ServerKind>(['mariadb', 'mysql'])('%s: under random traffic', (kind) => {
  const duringCopy = ALL_ACTS.filter((it) => !REFUSED_DURING_COPY[kind].includes(it));
  let pair: Pair;
  beforeAll(async () => {
    pair = await Pair.start({ kind, every: '2s', stream: { bootstrap: { parallel: 3, rowsPerRange: 500 } } });
    await pair.source.sql(
      `CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop; ${TRAFFIC_SCHEMA};
       SET SESSION ${kind === 'mariadb' ? 'max_recursive_iterations' : 'cte_max_recursion_depth'}=100000;
       CREATE TABLE filler (id INT PRIMARY KEY, v VARCHAR(100), n INT, KEY (n));
       INSERT INTO filler SELECT n, SHA2(n, 256), n % 97 FROM (WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 8000) SELECT n FROM r) AS numbers;
       CREATE TABLE altered (id INT PRIMARY KEY, v INT); INSERT INTO altered SELECT id, n FROM filler WHERE id <= 2000;
       CREATE TABLE doomed (id INT PRIMARY KEY, v INT); INSERT INTO doomed SELECT id, n FROM filler WHERE id <= 1000`,
    );
  });
  afterAll(async () => await pair?.remove());

  it('is identical after a bootstrap with changes of rows and of the schema under way', async () => {
    const traffic = new RandomTraffic(() => pair.source.connect('shop'), 1, duringCopy);
    try {
      await expect.poll(() => traffic.total, { timeout: 20_000 }).toBeGreaterThan(50);
      const establishing = pair.establish();
      const copying = async (): Promise<boolean> => {
        const ranges = await pair.target
          .sql('SELECT COUNT(*) AS n, (SELECT phase FROM srdf.ledger) AS phase FROM srdf.bootstrap_ranges')
          .catch(() => []);
        return Number(ranges[0]?.n ?? 0) > 0 && ranges[0]?.phase === 'loading';
      };
      await Promise.race([expect.poll(copying, { timeout: 60_000, interval: 20 }).toBe(true), establishing]);
      const before = traffic.total;
      await pair.source.sql(
        `ALTER TABLE altered ADD COLUMN w VARCHAR(20) DEFAULT 'é'; UPDATE altered SET w = v WHERE id % 3 = 0; UPDATE filler SET n = n + 1 WHERE id % 100 = 0;
         CREATE TABLE created (id INT PRIMARY KEY, v INT); INSERT INTO created SELECT id, v FROM altered WHERE id < 500; CREATE TABLE created_keyless SELECT v FROM created;
         DROP TABLE doomed; DELETE FROM filler WHERE id % 1000 = 7; UPDATE filler SET id = id + 100000 WHERE id % 1000 = 8`,
        'shop',
      );
      // All this really happened while tables were copied.
      expect(await copying()).toBe(true);
      await expect.poll(() => traffic.total, { timeout: 20_000 }).toBeGreaterThan(before);
      await establishing;
    } finally {
      await traffic.stop();
    }
    await pair.waitConfirmed({ scheduled: true });
    await expectSameRows(pair);
    expect(await sameOnBoth(pair, "SHOW TABLES LIKE 'doomed'")).toEqual([]);
    expect(Object.keys(traffic.committed).sort()).toEqual([...duringCopy].sort());
  });

  it('is identical after scheduled cycles', async () => {
    await pair.source.sql(KEYLESS_CHILD, 'shop');
    const traffic = new RandomTraffic(() => pair.source.connect('shop'), 2);
    const since = new Date();
    const replicated = async () => (await pair.cycleResults(since)).filter((it) => it.outcome === 'replicated');
    try {
      await expect.poll(async () => (await replicated()).length, { timeout: 60_000, interval: 500 }).toBeGreaterThan(2);
    } finally {
      await traffic.stop();
    }
    await pair.waitConfirmed({ scheduled: true });
    await expectSameRows(pair);
    const cycles = await replicated();
    // Rows that change often travel once a cycle, and nothing of it gets lost on the way.
    const sum = (of: (it: (typeof cycles)[number]) => number): number => cycles.reduce((total, it) => total + of(it), 0);
    expect(sum((it) => it.counts.carried)).toBeLessThan(sum((it) => it.counts.captured));
    expect(sum((it) => it.counts.confirmed.captured)).toBe(sum((it) => it.counts.captured));
    const [hot] = await sameOnBoth(pair, "SELECT n FROM shop.counter WHERE name = 'a'");
    expect(Number(hot?.n)).toBeGreaterThan(20);
    const [journal] = await sameOnBoth(pair, 'SELECT COUNT(*) AS n, COUNT(DISTINCT who, what, f) AS different FROM shop.journal');
    expect(Number(journal?.different)).toBeLessThan(Number(journal?.n));
  });
});
