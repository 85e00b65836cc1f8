import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Epoch, WagonHash } from '../../activities/vocabulary.js';
import type { ChangesBody } from '../../activities/wagon/body.js';
import type { ServerKind } from '../servers/database-server.js';
import { bodiesOf, MysqlReplica, STREAM } from './mysql-replica.js';

describe.each<ServerKind>(['mariadb', 'mysql'])('%s: applying trains', (kind) => {
  let replica: MysqlReplica;
  beforeAll(async () => {
    replica = await MysqlReplica.start(kind, ['d']);
    await replica.run('CREATE DATABASE d');
  });
  afterAll(async () => {
    await replica?.remove();
  });
  beforeEach(() => {
    replica.maxChanges = 20_000;
  });
  const expectEqual = async (): Promise<void> => {
    const { source, target } = await replica.dumps();
    expect(target).toBe(source);
  };
  const count = async (table: string): Promise<number> => Number((await replica.target.sql(`SELECT COUNT(*) AS n FROM d.${table}`))[0]?.n);

  it('cascades happen once, at every depth, and only where the source let them', async () => {
    await replica.run(
      `CREATE TABLE a (id INT PRIMARY KEY, k INT UNIQUE);
       CREATE TABLE b (id INT PRIMARY KEY, a INT, FOREIGN KEY (a) REFERENCES a (id) ON DELETE CASCADE ON UPDATE CASCADE);
       CREATE TABLE c (id INT PRIMARY KEY, b INT, k INT, FOREIGN KEY (b) REFERENCES b (id) ON DELETE SET NULL, FOREIGN KEY (k) REFERENCES a (k) ON UPDATE CASCADE);
       INSERT INTO a VALUES (1, 10), (2, 20), (3, 30), (4, 40); INSERT INTO b VALUES (1, 1), (2, 2), (3, 3), (4, 4); INSERT INTO c VALUES (1, 1, NULL), (2, 2, 30), (3, 3, 40)`,
      'd',
    );
    await replica.run(
      'DELETE FROM a WHERE id = 1; UPDATE a SET id = 22 WHERE id = 2; UPDATE a SET k = 31 WHERE id = 3; INSERT INTO b VALUES (9, 22)',
      'd',
    );
    await expectEqual();
    await replica.run('SET foreign_key_checks=0; DELETE FROM a WHERE id = 22; SET foreign_key_checks=1; DELETE FROM b WHERE id = 2', 'd');
    await expectEqual();
    expect(await count('b')).toBe(3);
  });

  it('rows of a table whose UNIQUE key stands in for the primary key it hasn’t', async () => {
    await replica.run(
      `CREATE TABLE stand_in (v VARCHAR(20), n INT, w INT NOT NULL, a INT NOT NULL, b INT NOT NULL, UNIQUE KEY nullable (n), UNIQUE KEY z (w), UNIQUE KEY y (a, b));
       INSERT INTO stand_in VALUES ('a', 1, 1, 1, 1), ('b', NULL, 2, 1, 2), ('c', NULL, 3, 2, 1), ('d', 4, 4, 2, 2)`,
      'd',
    );
    await replica.run(
      "UPDATE stand_in SET v = CONCAT(v, '!'); UPDATE stand_in SET w = w + 10 ORDER BY w DESC; UPDATE stand_in SET n = 9 WHERE n = 1; DELETE FROM stand_in WHERE n = 4; UPDATE stand_in SET a = 7 WHERE v = 'b!'",
      'd',
    );
    await expectEqual();
    await replica.run(
      "ALTER TABLE stand_in DROP INDEX z; UPDATE stand_in SET v = 'x' WHERE a = 7; ALTER TABLE stand_in ADD PRIMARY KEY (w); DELETE FROM stand_in WHERE a = 7",
      'd',
    );
    await expectEqual();
  });

  it('unique values swapped, rotated, freed and taken, within statements and across rows', async () => {
    await replica.run(
      "CREATE TABLE u (id INT PRIMARY KEY, x INT UNIQUE, y VARCHAR(9), UNIQUE KEY (y(3))); INSERT INTO u VALUES (1,1,'a'),(2,2,'b'),(3,3,'c'),(4,4,NULL)",
      'd',
    );
    await replica.run(
      "UPDATE u SET x = 99 WHERE id = 1; UPDATE u SET x = 1 WHERE id = 2; UPDATE u SET x = 2 WHERE id = 1; DELETE FROM u WHERE id = 3; INSERT INTO u VALUES (5, 3, 'c'); UPDATE u SET x = x + 100 ORDER BY x DESC; UPDATE u SET x = x - 99 ORDER BY x",
      'd',
    );
    await expectEqual();
    await replica.run(
      "UPDATE u SET y = 'tmp' WHERE id = 1; UPDATE u SET y = 'a' WHERE id = 2; UPDATE u SET y = 'b' WHERE id = 1; UPDATE u SET id = id + 1 ORDER BY id DESC",
      'd',
    );
    await expectEqual();
    await replica.run("REPLACE INTO u VALUES (50, 2, 'zz'); INSERT INTO u VALUES (51, 3, 'q') ON DUPLICATE KEY UPDATE y = 'w'", 'd');
    await expectEqual();
  });

  it('rows without a key, doubles too', async () => {
    await replica.run(
      "CREATE TABLE nk (a INT, b TEXT, f FLOAT); INSERT INTO nk VALUES (1,'x',1.1),(1,'x',1.1),(1,'x',1.1),(NULL,NULL,NULL),(NULL,NULL,NULL)",
      'd',
    );
    await replica.run(
      "DELETE FROM nk WHERE a = 1 LIMIT 1; UPDATE nk SET b = 'y' WHERE a = 1 LIMIT 1; DELETE FROM nk WHERE a IS NULL LIMIT 1",
      'd',
    );
    const rows = async (side: 'source' | 'target'): Promise<string[]> =>
      (await replica[side].sql('SELECT a, b, f FROM d.nk')).map((row) => JSON.stringify(row)).sort();
    expect(await rows('target')).toEqual(await rows('source'));
    expect(await count('nk')).toBe(3);
    await replica.run('DROP TABLE nk', 'd');
  });

  it('rows without a key that change again and again, where their unique values move and where an index leads to them', async () => {
    await replica.run(
      `CREATE TABLE counted (n INT, v VARCHAR(9)); INSERT INTO counted VALUES (1, 'a'), (2, 'b');
       CREATE TABLE by_index (n INT, v VARCHAR(9), KEY (n)); INSERT INTO by_index VALUES (1, 'a'), (2, 'b');
       CREATE TABLE places (v VARCHAR(9), n INT UNIQUE); INSERT INTO places VALUES ('a', 1), ('b', 2), ('c', 3), ('d', 4), ('a', NULL)`,
      'd',
    );
    await replica.run(
      `${"UPDATE counted SET n = n + 10 WHERE v = 'a'; ".repeat(20)} UPDATE counted SET n = n - 1; UPDATE counted SET n = 1;
       UPDATE by_index SET n = n - 100 ORDER BY n; UPDATE by_index SET n = n + 100 ORDER BY n DESC; UPDATE by_index SET v = 'c' WHERE n = 1;
       UPDATE places SET n = n + 1 ORDER BY n DESC; UPDATE places SET n = n - 1 ORDER BY n; UPDATE places SET v = 'z'; UPDATE places SET n = 0 WHERE n = 4`,
      'd',
    );
    for (const table of ['counted', 'by_index', 'places']) {
      const rows = async (side: 'source' | 'target'): Promise<string[]> =>
        (await replica[side].sql(`SELECT v, n FROM d.${table}`)).map((row) => JSON.stringify(row)).sort();
      expect([table, await rows('target')]).toEqual([table, await rows('source')]);
    }
    await replica.run('DROP TABLE counted, by_index, places', 'd');
  });

  it.runIf(kind === 'mariadb')('unique values too long for an index, which the log tells with a column of their hashes', async () => {
    await replica.run(
      `CREATE TABLE links (id INT PRIMARY KEY, url TEXT UNIQUE, n INT); CREATE TABLE loose (id INT, url TEXT NOT NULL UNIQUE, tag BLOB, UNIQUE (tag, id));
       INSERT INTO links VALUES (1, 'a', 1), (2, 'b', 1); INSERT INTO loose VALUES (1, 'a', 'x'), (2, 'b', 'y')`,
      'd',
    );
    await expectEqual();
    await replica.run(
      `UPDATE links SET n = 2; UPDATE links SET url = 'x' WHERE id = 1; UPDATE links SET url = 'a' WHERE id = 2; UPDATE links SET url = 'b' WHERE id = 1;
       UPDATE loose SET url = 'x' WHERE id = 1; UPDATE loose SET url = 'a', tag = 'z' WHERE id = 2; DELETE FROM loose WHERE id = 1; INSERT INTO loose VALUES (1, 'b', 'x')`,
      'd',
    );
    await replica.run(
      "DELETE FROM links WHERE id = 1; INSERT INTO links VALUES (3, 'b', 3); ALTER TABLE links ADD after_all INT; INSERT INTO links VALUES (4, 'd', 4, 4)",
      'd',
    );
    await replica.run('ALTER TABLE loose DROP INDEX url; UPDATE loose SET url = 1', 'd');
    const { source, target } = await replica.dumps();
    expect(target.split('\n').sort()).toEqual(source.split('\n').sort());
    await expect(replica.target.sql("INSERT INTO links VALUES (9, 'd', 0, 0)", 'd')).rejects.toThrow(/Duplicate/);
    await replica.run('DROP TABLE links, loose', 'd');
  });

  it.runIf(kind === 'mariadb')('rows that a CHECK would refuse, of a session that left it unheeded', async () => {
    await replica.run('CREATE TABLE lax (id INT PRIMARY KEY, n INT CHECK (n > 0)); INSERT INTO lax VALUES (1, 1)', 'd');
    await replica.run('SET check_constraint_checks=0; INSERT INTO lax VALUES (2, -1); UPDATE lax SET n = -2 WHERE id = 1', 'd');
    await expectEqual();
  });

  it('a transaction that is rolled back, whatever of it is in the log, is not there', async () => {
    await replica.run('CREATE TABLE undone (id INT PRIMARY KEY)', 'd');
    replica.maxChanges = 3;
    await replica.run(
      `BEGIN; INSERT INTO undone VALUES (1); CREATE TEMPORARY TABLE aside (a INT); ROLLBACK; INSERT INTO undone VALUES (2);
       BEGIN; INSERT INTO undone VALUES (3), (4), (5), (6); INSERT INTO undone VALUES (7), (8), (9), (10); DROP TEMPORARY TABLE aside; ROLLBACK;
       BEGIN; CREATE TEMPORARY TABLE aside (a INT); INSERT INTO undone VALUES (11); COMMIT`,
      'd',
    );
    expect((await replica.target.sql('SELECT id FROM d.undone ORDER BY id')).map(({ id }) => id)).toEqual([2, 11]);
    await expectEqual();
  });

  it.runIf(kind === 'mariadb')('a transaction that is partly rolled back, where that is in the log, stops the stream', async () => {
    const before = await replica.ledger();
    await replica.source.sql(
      'BEGIN; INSERT INTO undone VALUES (20); SAVEPOINT a; INSERT INTO undone VALUES (21); CREATE TEMPORARY TABLE aside (a INT); ROLLBACK TO a; COMMIT',
      'd',
    );
    await expect(replica.replicate()).rejects.toMatchObject({
      code: 'log-event-unsupported',
      message: expect.stringMatching(/ROLLBACK TO SAVEPOINT.*temporary table.*outside of transactions/),
    });
    expect(await replica.ledger()).toEqual(before);
    await replica.source.sql('TRUNCATE undone', 'd');
    await replica.target.sql(`TRUNCATE d.undone; UPDATE srdf.ledger SET position = '${await replica.position()}'`);
  });

  it('a transaction of many wagons is there whole or not at all', async () => {
    await replica.run('CREATE TABLE big (id INT PRIMARY KEY, v VARCHAR(100))', 'd');
    replica.maxChanges = 1_000;
    await replica.source.sql(
      `INSERT INTO big SELECT a.n * 1000 + b.n * 100 + c.n * 10 + e.n, REPEAT('x', 90) FROM (${digits}) a, (${digits}) b, (${digits}) c, (${digits}) e`,
      'd',
    );
    const wagons = await replica.cut();
    expect(wagons.length).toBeGreaterThanOrEqual(10);
    const places = wagons.map((it) => it.place);
    const before = await replica.ledger();
    async function* broken(): AsyncGenerator<ChangesBody> {
      yield* bodiesOf(wagons.slice(0, 7));
      throw new Error('the inbox can’t be read');
    }
    await expect(replica.engine.applyTrain(places, broken())).rejects.toThrow('the inbox can’t be read');
    expect(await count('big')).toBe(0);
    expect(await replica.ledger()).toEqual(before);
    await expect(replica.engine.applyTrain(places, bodiesOf(wagons.slice(0, 5)))).rejects.toMatchObject({ code: 'wagon-malformed' });
    expect(await count('big')).toBe(0);
    const result = await replica.engine.applyTrain(places, bodiesOf(wagons));
    expect(result).toMatchObject({ outcome: 'applied', rows: { inserted: 10_000, updated: 0, deleted: 0 } });
    await expectEqual();
  });

  it('a wagon that comes again changes nothing; a fork, a gap and another epoch are refused', async () => {
    await replica.run('CREATE TABLE once (id INT PRIMARY KEY, n INT)', 'd');
    await replica.source.sql('INSERT INTO once VALUES (1, 1)', 'd');
    const [wagon] = await replica.cut();
    if (wagon === undefined) throw new Error('nothing was cut');
    const apply = async (change: Partial<typeof wagon.place>) =>
      await replica.engine.applyTrain([{ ...wagon.place, ...change }], bodiesOf([wagon]));
    await expect(apply({ epoch: 2 as Epoch })).rejects.toMatchObject({ code: 'wagon-epoch' });
    await expect(apply({ previousHash: 'f'.repeat(64) as WagonHash })).rejects.toMatchObject({ code: 'wagon-gap' });
    expect(await count('once')).toBe(0);
    expect(await apply({})).toMatchObject({ outcome: 'applied', rows: { inserted: 1 } });
    expect(await apply({})).toMatchObject({ outcome: 'already-applied', rows: { inserted: 0 } });
    await expect(apply({ hash: 'f'.repeat(64) as WagonHash })).rejects.toMatchObject({ code: 'wagon-fork' });
    await expectEqual();
  });

  it('two appliers at once: one applies, the other finds it done or waits its turn', async () => {
    await replica.source.sql('INSERT INTO once VALUES (2, 2), (3, 3)', 'd');
    const wagons = await replica.cut();
    const other = replica.newEngine();
    try {
      const results = await Promise.allSettled(
        [replica.engine, other, replica.engine].map(
          async (engine) =>
            await engine.applyTrain(
              wagons.map((it) => it.place),
              bodiesOf(wagons),
            ),
        ),
      );
      const outcomes = results.map((it) => (it.status === 'fulfilled' ? it.value.outcome : (it.reason as { code: string }).code)).sort();
      expect(outcomes.filter((it) => it === 'applied')).toHaveLength(1);
      for (const outcome of outcomes) expect(['applied', 'already-applied', 'target-busy']).toContain(outcome);
    } finally {
      await other.close();
    }
    await expectEqual();
  });

  it('a zombie that holds the stream’s lock is respected', async () => {
    await replica.source.sql('INSERT INTO once VALUES (4, 4)', 'd');
    const zombie = await replica.target.connect();
    try {
      await zombie.query(`SELECT GET_LOCK('srdf/${STREAM}', 0)`);
      await expect(replica.replicate()).rejects.toMatchObject({ code: 'target-busy', retryable: true });
    } finally {
      await zombie.end();
    }
    await replica.replicate();
    await expectEqual();
  });

  it('a target that somebody else has changed stops the stream, told without row data', async () => {
    await replica.run("CREATE TABLE strict (id INT PRIMARY KEY, secret VARCHAR(20)); INSERT INTO strict VALUES (1, 'a'), (2, 'b')", 'd');
    for (const [damage, change, repair] of [
      ['DELETE FROM strict WHERE id = 1', "UPDATE strict SET secret = 'c' WHERE id = 1", "INSERT INTO strict VALUES (1, 'a')"],
      [
        "INSERT INTO strict VALUES (777123, 'x')",
        "INSERT INTO strict VALUES (777123, 'topsecret')",
        'DELETE FROM strict WHERE id = 777123',
      ],
      ['ALTER TABLE strict ADD COLUMN extra INT', "UPDATE strict SET secret = 'd' WHERE id = 2", 'ALTER TABLE strict DROP COLUMN extra'],
    ] as const) {
      await replica.target.sql(damage, 'd');
      await replica.source.sql(change, 'd');
      await replica.engine.close();
      replica.engine = replica.newEngine();
      const error: unknown = await replica.replicate().catch((it: unknown) => it);
      expect(error).toMatchObject({ code: 'target-divergence', message: expect.stringContaining('d.strict') });
      expect(String(error)).not.toMatch(/777123|topsecret/);
      await replica.target.sql(repair, 'd');
      await replica.replicate();
      await expectEqual();
    }
  });

  it('a row larger than max_allowed_packet names the variable', async () => {
    await replica.run('CREATE TABLE large (id INT PRIMARY KEY, v LONGBLOB)', 'd');
    await replica.source.sql("INSERT INTO large VALUES (1, REPEAT('x', 24000000))", 'd');
    await replica.target.sql('SET GLOBAL max_allowed_packet = 16777216');
    await replica.engine.close();
    await expect(replica.replicate()).rejects.toMatchObject({
      code: 'apply-failed',
      message: expect.stringContaining('SET GLOBAL max_allowed_packet'),
    });
    await replica.target.sql('SET GLOBAL max_allowed_packet = 1073741824');
    await replica.replicate();
    await expectEqual();
  });
});

const digits = Array.from({ length: 10 }, (_, n) => `SELECT ${n} AS n`).join(' UNION ALL ');
