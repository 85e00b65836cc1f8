/** Attempts that were given up and go on all the same, on real servers: what another attempt has loaded since stays, whenever they wake up. */
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Selection, SourceEngine } from '../../activities/engines/engine.js';
import { lockName } from '../../activities/engines/mysql/ranges/alone.js';
import { makeKeys, putOffKeys } from '../../activities/engines/mysql/ranges/late-keys.js';
import { loadRange } from '../../activities/engines/mysql/ranges/load-range.js';
import { resetTables } from '../../activities/engines/mysql/ranges/reset-tables.js';
import { createSchema } from '../../activities/engines/mysql/schema/create-schema.js';
import type { RangeBody, SchemaBody } from '../../activities/wagon/body.js';
import { DatabaseServer } from '../servers/database-server.js';
import { BOOTSTRAP, beginLoading, copyTable, hashOf, openTarget, STREAM, sourceOf } from './mysql-copy-between.js';

const GOODS = { database: 'shop', table: 'goods' };
/** MySQL doesn't alter a database while a transaction is open on one of its tables: such an attempt comes to nothing earlier. */
const tablesOf = (schema: SchemaBody): SchemaBody => ({ ...schema, objects: schema.objects.filter((it) => it.object === 'table') });
const SELECTION: Selection = { databases: ['shop'], include: [], exclude: [] };

describe.each(['mariadb', 'mysql'] as const)('an attempt that comes late, on %s', (kind) => {
  let paris: DatabaseServer;
  let frankfurt: DatabaseServer;
  let source: SourceEngine;
  let target: Connection;
  let late: Connection;
  let other: Connection;
  let schema: SchemaBody;

  beforeAll(async () => {
    [paris, frankfurt] = await Promise.all([
      DatabaseServer.start({ kind, name: 'paris' }),
      DatabaseServer.start({ kind, name: 'frankfurt' }),
    ]);
    await paris.sql(
      `CREATE DATABASE shop; USE shop; CREATE TABLE goods (id INT PRIMARY KEY, a INT, KEY a (a));
       INSERT INTO goods WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 40) SELECT n, n % 7 FROM r`,
    );
    source = sourceOf(paris);
    [target, late, other] = await Promise.all([openTarget(frankfurt), openTarget(frankfurt), openTarget(frankfurt)]);
  }, 120_000);
  afterAll(async () => {
    for (const connection of [target, late, other]) connection?.destroy();
    await source?.close();
    await Promise.all([paris?.remove(), frankfurt?.remove()]);
  });

  beforeEach(async () => {
    await frankfurt.sql('DROP DATABASE IF EXISTS shop; DROP DATABASE IF EXISTS srdf');
    await beginLoading(target);
    schema = await source.describeSchema(SELECTION, 'before-data');
    await createSchema(target, STREAM, BOOTSTRAP, schema);
  });

  const wholeRange = async (): Promise<RangeBody> => {
    for await (const body of source.readRange(GOODS, await source.planRanges(GOODS, 1_000), 0, 2 ** 20)) return body;
    throw new Error('a range has a body');
  };
  const load = async (plan: string, connection = target) =>
    await loadRange(connection, STREAM, BOOTSTRAP, { ...GOODS, plan, range: 0, part: 0, wagonHash: hashOf(1) }, await wholeRange());
  const copy = async (plan: string) => await copyTable(source, target, GOODS, { rowsPerRange: 7, maxBytes: 300, plan });
  /** Until the server runs, or lets wait, a statement that begins so. */
  const until = async (statement: string): Promise<void> => {
    const running = `SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info LIKE '${statement}%'`;
    await expect.poll(async () => Number((await frankfurt.sql(running))[0]?.n), { timeout: 10_000 }).toBe(1);
  };
  const expectSame = async (): Promise<void> => expect(await frankfurt.dump(['shop'])).toBe(await paris.dump(['shop']));

  it('at the schema finds what a range loads at that moment, and drops nothing', async () => {
    await putOffKeys(target, STREAM, BOOTSTRAP, GOODS);
    await other.query('BEGIN');
    await other.query('INSERT INTO shop.goods VALUES (1, 1)');
    const loading = load('000000-a');
    await until(kind === 'mariadb' ? 'LOAD DATA' : 'REPLACE INTO');
    const attempt = expect(createSchema(late, STREAM, BOOTSTRAP, tablesOf(schema))).rejects.toMatchObject({ code: 'bootstrap-range-lost' });
    await until('SELECT GREATEST');
    await other.query('ROLLBACK');
    expect(await loading).toEqual({ outcome: 'applied', rows: 40 });
    await attempt;
    await makeKeys(target, STREAM, BOOTSTRAP, GOODS);
    await expectSame();
  });

  it('at the schema lets no range begin while it drops an empty table', async () => {
    await putOffKeys(target, STREAM, BOOTSTRAP, GOODS);
    await other.query('BEGIN');
    await other.query('SELECT * FROM shop.goods');
    const attempt = createSchema(late, STREAM, BOOTSTRAP, tablesOf(schema));
    await until('DROP TABLE');
    const loading = load('000000-a');
    await until('SELECT GET_LOCK');
    await other.query('COMMIT');
    await attempt;
    expect(await loading).toEqual({ outcome: 'applied', rows: 40 });
    await makeKeys(target, STREAM, BOOTSTRAP, GOODS);
    await expectSame();
  });

  it('at a range waits for the attempt that loads it, and finds it in when it is made again', async () => {
    await other.query('BEGIN');
    await other.query('INSERT INTO shop.goods VALUES (1, 1)');
    const loading = load('000000-a');
    await until(kind === 'mariadb' ? 'LOAD DATA' : 'REPLACE INTO');
    const attempt = expect(load('000000-a', late)).rejects.toMatchObject({ code: 'target-busy' });
    await until('INSERT INTO srdf.bootstrap_');
    await other.query('ROLLBACK');
    expect(await loading).toEqual({ outcome: 'applied', rows: 40 });
    await attempt;
    expect(await load('000000-a', late)).toEqual({ outcome: 'already-applied', rows: 0 });
    await expectSame();
  });

  it('at a reset lets no range begin between its word and the drop', async () => {
    const position = await source.currentPosition();
    await copy('000000-a');
    await other.query('BEGIN');
    await other.query('SELECT * FROM shop.goods');
    const attempt = resetTables(late, STREAM, BOOTSTRAP, [GOODS], position, { round: 1 });
    await until('DROP TABLE');
    const loading = expect(load('000001-b')).rejects.toMatchObject({ code: 'bootstrap-range-lost' });
    await until('SELECT GET_LOCK');
    await other.query('COMMIT');
    await Promise.all([attempt, loading]);
    await createSchema(target, STREAM, BOOTSTRAP, schema);
    await copy('000001-b');
    await expectSame();
  });

  it('at a reset leaves alone what this round has loaded since; the next round resets it', async () => {
    const position = await source.currentPosition();
    await resetTables(target, STREAM, BOOTSTRAP, [GOODS], position, { round: 1 });
    await createSchema(target, STREAM, BOOTSTRAP, schema);
    await copy('000001-b');
    await resetTables(late, STREAM, BOOTSTRAP, [GOODS], position, { round: 1 });
    await expectSame();
    await resetTables(late, STREAM, BOOTSTRAP, [GOODS], position, { round: 2 });
    expect(await frankfurt.sql("SHOW TABLES FROM shop LIKE 'goods'")).toEqual([]);
  });

  it('at the schema changes nothing once the catch-up has begun', async () => {
    await copy('000000-a');
    const lock = lockName(STREAM, null);
    await other.query('SELECT GET_LOCK(?, 0)', [lock]);
    const attempt = expect(createSchema(late, STREAM, BOOTSTRAP, schema)).rejects.toMatchObject({ code: 'ledger-inconsistent' });
    await until('SELECT GET_LOCK');
    await frankfurt.sql(
      "UPDATE srdf.ledger SET phase = 'catching-up'; DELETE FROM srdf.bootstrap_ranges; ALTER TABLE shop.goods DROP KEY a",
    );
    await other.query('DO RELEASE_LOCK(?)', [lock]);
    await attempt;
    expect(await frankfurt.sql('SELECT COUNT(*) AS n FROM shop.goods')).toEqual([{ n: '40' }]);
  });

  it.runIf(kind === 'mariadb')('at the schema does not take a sequence back once the catch-up has begun', async () => {
    await paris.sql('CREATE SEQUENCE shop.numbers START WITH 5; DO NEXTVAL(shop.numbers)');
    schema = await source.describeSchema(SELECTION, 'before-data');
    await createSchema(target, STREAM, BOOTSTRAP, schema);
    const lock = lockName(STREAM, null);
    await other.query('SELECT GET_LOCK(?, 0)', [lock]);
    const attempt = expect(createSchema(late, STREAM, BOOTSTRAP, schema)).rejects.toMatchObject({ code: 'ledger-inconsistent' });
    await until('SELECT GET_LOCK');
    await frankfurt.sql("UPDATE srdf.ledger SET phase = 'catching-up'; DO SETVAL(shop.numbers, 5000)");
    await other.query('DO RELEASE_LOCK(?)', [lock]);
    await attempt;
    expect(await frankfurt.sql('SELECT NEXTVAL(shop.numbers) AS n')).toEqual([{ n: '5001' }]);
    await paris.sql('DROP SEQUENCE shop.numbers');
  });

  it('with a definition of a former look is refused', async () => {
    await paris.sql('ALTER TABLE shop.goods ADD COLUMN more INT');
    await resetTables(target, STREAM, BOOTSTRAP, [GOODS], await source.currentPosition(), { round: 1 });
    await expect(createSchema(late, STREAM, BOOTSTRAP, schema)).rejects.toMatchObject({ code: 'ledger-inconsistent' });
    await createSchema(target, STREAM, BOOTSTRAP, await source.describeSchema(SELECTION, 'before-data', [GOODS]));
    await copy('000001-b');
    await expectSame();
  });

  it('stops between two objects when it is told to', async () => {
    const aborted = AbortSignal.abort();
    await expect(createSchema(late, STREAM, BOOTSTRAP, schema, aborted)).rejects.toThrow('aborted');
    const reset = resetTables(late, STREAM, BOOTSTRAP, [GOODS], schema.baseline, { round: 1, signal: aborted });
    await expect(reset).rejects.toThrow('aborted');
    await copy('000000-a');
    await expectSame();
  });
});
