import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChangesBody } from '../../activities/wagon/body.js';
import type { ServerKind } from '../servers/database-server.js';
import { bodiesOf, MysqlReplica, STREAM } from './mysql-replica.js';

describe.each<ServerKind>(['mariadb', 'mysql'])('%s: the target server killed in the middle', (kind) => {
  let replica: MysqlReplica;
  beforeAll(async () => {
    replica = await MysqlReplica.start(kind, ['d']);
    await replica.run('CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(20)); CREATE TABLE d.nk (v INT)');
  });
  afterAll(async () => {
    await replica?.remove();
  });
  const expectEqual = async (): Promise<void> => {
    const { source, target } = await replica.dumps();
    expect(target).toBe(source);
  };
  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
  };

  it.each([1, 2, 3, 'at the commit'] as const)('of a train, %s', async (when) => {
    replica.maxChanges = 2;
    await replica.source.sql(
      `SET @base = (SELECT COALESCE(MAX(id), 0) FROM t); START TRANSACTION;
       INSERT INTO t VALUES (@base + 1, 'a'), (@base + 2, 'b'), (@base + 3, 'c'); INSERT INTO nk VALUES (1), (2), (1); UPDATE t SET v = 'z' WHERE id = @base + 1; COMMIT`,
      'd',
    );
    const wagons = await replica.cut();
    expect(wagons.length).toBeGreaterThanOrEqual(3);
    const before = await replica.ledger();
    let killed: Promise<void> = Promise.resolve();
    async function* bodies(): AsyncGenerator<ChangesBody> {
      let seen = 0;
      for await (const body of bodiesOf(wagons)) {
        yield body;
        if (++seen === when) await replica.target.kill();
      }
      if (when === 'at the commit') killed = replica.target.kill();
    }
    const attempt = await replica.engine
      .applyTrain(
        wagons.map((it) => it.place),
        bodies(),
      )
      .catch((error: unknown) => error);
    if (when !== 'at the commit') expect(attempt).toMatchObject({ code: 'target-unreachable', retryable: true });
    await killed;
    await replica.target.run();
    const ledger = await replica.ledger();
    if (when !== 'at the commit') expect(ledger).toEqual(before);
    await replica.apply(wagons);
    await replica.apply(wagons);
    await expectEqual();
    expect((await replica.ledger()).sequence).toBe(wagons.at(-1)?.place.sequence);
  });

  it.each([
    ['ALTER TABLE t ADD COLUMN extra INT', 't', "SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='d' AND COLUMN_NAME='extra'"],
    [
      'DROP TABLE victim',
      'victim',
      "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA='d' AND TABLE_NAME='victim')",
    ],
    ['RENAME TABLE twin1 TO twin0, twin2 TO twin1, twin0 TO twin2', 'twin1', 'SELECT 1 FROM d.twin1 WHERE id = 2'],
    ['TRUNCATE TABLE twin2', 'twin2', 'SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM d.twin2)'],
  ])('of %s: before the statement, and after it', async (statement, table, done) => {
    await replica.run(
      `DROP TABLE IF EXISTS victim, twin1, twin2; CREATE TABLE victim (id INT); CREATE TABLE twin1 (id INT PRIMARY KEY); CREATE TABLE twin2 LIKE twin1;
       INSERT INTO twin1 VALUES (1); INSERT INTO twin2 VALUES (2)`,
      'd',
    );
    await replica.source.sql(statement, 'd');
    await replica.source.sql("REPLACE INTO t (id, v) VALUES (1, 'after')", 'd');
    const wagons = await replica.cut();
    // A reader's lock holds the statement back: the intent is written, the statement not yet done.
    const blocker = await replica.target.connect('d');
    await blocker.query(`LOCK TABLES ${table} READ`);
    const first = replica.apply(wagons).catch((error: unknown) => error);
    await until(async () => (await replica.ledger()).intent !== null);
    await replica.target.kill();
    expect(await first).toMatchObject({ code: 'target-unreachable' });
    await replica.target.run();
    expect((await replica.ledger()).intent).not.toBeNull();
    expect(await replica.target.sql(done)).toEqual([]);

    // Held back again, until the ledger's row is locked: so the statement is done and the ledger doesn't know.
    const reader = await replica.target.connect('d');
    await reader.query(`LOCK TABLES ${table} READ`);
    const second = replica.apply(wagons).catch((error: unknown) => error);
    await until(
      async () => (await replica.target.sql("SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE LIKE '%metadata lock%'")).length > 0,
    );
    const holder = await replica.target.connect();
    await holder.query(`START TRANSACTION; SELECT * FROM srdf.ledger WHERE stream = '${STREAM}' FOR UPDATE`);
    await reader.query('UNLOCK TABLES');
    await until(async () => (await replica.target.sql(done)).length > 0);
    await replica.target.kill();
    expect(await second).toMatchObject({ code: 'target-unreachable' });
    await replica.target.run();
    expect((await replica.ledger()).intent).not.toBeNull();

    await replica.apply(wagons);
    await expectEqual();
    expect((await replica.ledger()).intent).toBeNull();
    for (const connection of [blocker, reader, holder]) connection.destroy();
  });
});
