/** Tables renamed into and out of what a stream replicates: right where both sides can do it, otherwise a stop that says what it is and what to do. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerKind } from '../servers/database-server.js';
import { sameOnBoth } from './expect-identical.js';
import { Pair } from './pair.js';

const TABLE = '(id INT PRIMARY KEY, v VARCHAR(20))';

describe.each<ServerKind>(['mariadb', 'mysql'])('%s: a table is renamed', (kind) => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await Pair.start({ kind, stream: { include: ['shop.item', 'shop.other'] } });
    await pair.source.sql(
      `CREATE DATABASE elsewhere; CREATE TABLE elsewhere.foreign_one ${TABLE}; INSERT INTO elsewhere.foreign_one VALUES (1, 'far');
       CREATE DATABASE shop; USE shop; CREATE TABLE item ${TABLE}; CREATE TABLE fresh ${TABLE}; CREATE TABLE other ${TABLE};
       INSERT INTO item VALUES (1, 'a'), (2, 'b'); INSERT INTO fresh VALUES (1, 'never seen'); INSERT INTO other VALUES (1, 'stays')`,
    );
    await pair.establish();
    await pair.waitConfirmed();
  });
  afterAll(async () => await pair?.remove());

  const tables = async (): Promise<unknown[]> =>
    (await pair.target.sql("SELECT TABLE_NAME AS t FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' ORDER BY 1")).map(
      (it) => it.t,
    );
  /** The stream has stopped in front of the statement; nothing of it is done. */
  const stopped = async (names: string): Promise<void> => {
    const before = [await tables(), await pair.target.dump(['shop'])];
    const { outcome, error } = await pair.attempt();
    expect(outcome).toBe('dead-lettered');
    expect(error).toMatchObject({ code: 'wagon-scope', found: expect.stringContaining(names), action: expect.stringContaining('RENAME') });
    expect([await tables(), await pair.target.dump(['shop'])]).toEqual(before);
    expect(await pair.must('dead-letters', 'list')).toContain('RENAME');
  };
  /** What the operator is told to do: the same by hand, then the wagon is left out. Afterwards both sides are equal. */
  const byHand = async (sql: string, table: string): Promise<void> => {
    await pair.target.sql(sql, 'shop');
    await pair.must('dead-letters', 'discard', 'shop', '--i-accept-divergence');
    await pair.waitConfirmed();
    await sameOnBoth(pair, `SELECT * FROM ${table} ORDER BY id`);
    await pair.must('verify', 'shop');
  };
  const dropOther = async (): Promise<void> => {
    await pair.source.sql('DROP TABLE other', 'shop');
    await pair.waitConfirmed();
  };

  it('out of the stream within its database: there too, and its later rows no more', async () => {
    await pair.source.sql(
      `INSERT INTO item VALUES (3, 'c'); RENAME TABLE item TO item_2019; INSERT INTO item_2019 VALUES (4, 'of no stream');
       CREATE TABLE item ${TABLE}; INSERT INTO item VALUES (9, 'new')`,
      'shop',
    );
    await pair.waitConfirmed();
    await sameOnBoth(pair, 'SELECT * FROM item ORDER BY id');
    expect((await pair.target.sql('SELECT id FROM item_2019 ORDER BY id', 'shop')).map((it) => Number(it.id))).toEqual([1, 2, 3]);
    await pair.must('verify', 'shop');
  });

  it('back into it, though its rows are no longer the same: stops', async () => {
    await dropOther();
    await pair.source.sql('RENAME TABLE item_2019 TO other; INSERT INTO other VALUES (5, "behind")', 'shop');
    await stopped('shop.item_2019 isn’t the stream’s');
    await byHand("RENAME TABLE item_2019 TO other; INSERT INTO other VALUES (4, 'of no stream')", 'other');
  });

  it('into it within its database: stops, since the target never had its rows', async () => {
    await dropOther();
    await pair.source.sql('ALTER TABLE fresh RENAME TO other; UPDATE other SET v = "seen"', 'shop');
    await stopped('shop.fresh isn’t the stream’s');
    await byHand(`CREATE TABLE other ${TABLE}; INSERT INTO other VALUES (1, 'never seen')`, 'other');
  });

  it('out of it into another database: stops', async () => {
    await pair.source.sql(`RENAME TABLE item TO elsewhere.item; CREATE TABLE item ${TABLE}; INSERT INTO item VALUES (1, 'again')`, 'shop');
    await stopped('elsewhere.item isn’t the stream’s');
    await byHand('DROP TABLE item', 'item');
  });

  it('into it from another database, in one statement with one of its own: stops', async () => {
    await pair.source.sql('RENAME TABLE item TO elsewhere.kept, elsewhere.foreign_one TO item; INSERT INTO item VALUES (2, "x")', 'shop');
    await stopped('elsewhere.kept isn’t the stream’s');
    await byHand("TRUNCATE TABLE item; INSERT INTO item VALUES (1, 'far')", 'item');
  });

  it('without having been in it before or after: nothing happens', async () => {
    const before = await tables();
    await pair.source.sql('RENAME TABLE elsewhere.kept TO elsewhere.kept_2; RENAME TABLE elsewhere.item TO shop.nobody', 'shop');
    await pair.waitConfirmed();
    expect(await tables()).toEqual(before);
  });
});
