/** Every column type of each server through the whole pair: copied, then inserted, changed and deleted by live traffic. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerKind } from '../servers/database-server.js';
import { TYPED_TABLES, type TypedTable } from './content-tables.js';
import { expectIdentical, sameOnBoth } from './expect-identical.js';
import { Pair } from './pair.js';

/** Zero dates, dates that don't exist, ENUM's error value: whatever the server stores under some sql_mode. */
const LENIENT = "SET SESSION sql_mode='ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', time_zone='+00:00'";
const LIVE = 100;

const insert = (name: string, { written, rows }: TypedTable, first: number): string =>
  rows
    .map(
      (values, index) =>
        `INSERT IGNORE INTO ${name} (id, ${written}) VALUES (${first + index}, ${values.replaceAll('{id}', String(first + index))})`,
    )
    .join(';\n');

/** Each row's values become those of the next row: every column goes from every value of the list to another. */
const rotate = (name: string, { written, rows }: TypedTable): string =>
  `UPDATE ${name} AS x JOIN ${name} AS y ON y.id = ${LIVE} + (x.id + 1) % ${rows.length} SET ${written
    .split(', ')
    // Its generated column is unique.
    .map((column) => (column === 'a' ? 'x.a = x.a + 1000' : `x.${column} = y.${column}`))
    .join(', ')} WHERE x.id < ${LIVE}`;

describe.each<ServerKind>(['mariadb', 'mysql'])('%s: every column type', (kind) => {
  const typed = TYPED_TABLES.filter(({ only }) => only === undefined || only === kind);
  /** Each table with a primary key, and without any key. */
  const tables = typed.flatMap((it) => [
    { name: it.table, key: ['PRIMARY KEY (id)', it.keyed].filter(Boolean).join(', '), it },
    // Rows without key are found by the bytes of all their values.
    ...(it.copiedAsText === true ? [] : [{ name: `${it.table}_keyless`, key: null, it }]),
  ]);
  const each = (statement: (name: string, it: TypedTable) => string): string =>
    tables.map(({ name, it }) => statement(name, it)).join(';\n');
  let pair: Pair;

  const expectEqual = async (): Promise<void> => {
    await expectIdentical(pair);
    for (const { name, it } of tables)
      if (it.exact !== undefined)
        await sameOnBoth(pair, `SELECT ${it.exact} FROM types.${name} WHERE id >= ${it.copiedAsText === true ? LIVE : 0} ORDER BY id`);
  };
  const live = async (session: string, statements: string): Promise<void> => {
    await pair.source.sql(`${session}; USE types; ${statements}`);
    await pair.waitConfirmed();
    await expectEqual();
  };

  beforeAll(async () => {
    pair = await Pair.start({ kind, name: 'types', serverOptions: ['--character-set-server=utf8mb4', '--sort-buffer-size=16M'] });
    await pair.source.sql(
      `CREATE DATABASE types CHARACTER SET utf8mb4; USE types; ${LENIENT};
       ${tables.map(({ name, key, it }) => `CREATE TABLE ${name} (id INT NOT NULL, ${it.columns}${key === null ? '' : `, ${key}`})`).join(';\n')};
       ${each((name, it) => insert(name, it, 0))}`,
    );
    await pair.establish();
  });
  afterAll(async () => await pair?.remove());

  it('is copied', async () => {
    await expectEqual();
    // The values that only a lenient session could store are really there.
    expect(await sameOnBoth(pair, 'SELECT e + 0 AS e, en + 0 AS en FROM types.choices WHERE id = 1')).toEqual([{ e: 0, en: 0 }]);
    expect(await sameOnBoth(pair, 'SELECT d, t, t6, ts, CAST(d AS CHAR) AS text FROM types.times WHERE id = 0')).toMatchObject([
      { t: '-838:59:59', t6: '-00:00:00.000001', text: '0000-00-00' },
    ]);
    expect(
      await sameOnBoth(pair, 'SELECT y, bu, CAST(b64 + 0 AS CHAR) AS b FROM types.integers WHERE id IN (0, 1) ORDER BY id'),
    ).toMatchObject([
      { y: 0, bu: '0', b: '0' },
      { y: 2155, bu: '18446744073709551615', b: '18446744073709551615' },
    ]);
  });

  it('is inserted', async () => {
    await live(LENIENT, `BEGIN; ${each((name, it) => insert(name, it, LIVE))}; COMMIT`);
    for (const { name, it } of tables)
      expect(await sameOnBoth(pair, `SELECT COUNT(*) AS n FROM types.${name}`)).toEqual([{ n: String(2 * it.rows.length) }]);
  });

  it('is updated, each column from each value to another', async () => {
    await live(LENIENT, each(rotate));
    // And back to what it was under other keys, several times within one transaction.
    await live(
      LENIENT,
      `BEGIN; ${each((name, it) => `${rotate(name, it)}; UPDATE ${name} SET id = id + 1000 WHERE id < ${LIVE}; UPDATE ${name} SET id = id - 500 WHERE id >= 1000`)}; COMMIT`,
    );
  });

  it.each([
    ['names in latin1', 'SET NAMES latin1'],
    [
      'strict, padded, ANSI',
      "SET SESSION sql_mode='STRICT_ALL_TABLES,PAD_CHAR_TO_FULL_LENGTH,ANSI_QUOTES,NO_ZERO_DATE,NO_BACKSLASH_ESCAPES'",
    ],
    ['another time zone', "SET SESSION time_zone='+05:30', timestamp=1700000000"],
    ['names in binary', 'SET NAMES binary'],
    ['nothing strict', "SET SESSION sql_mode=''"],
  ])('is written by a session of its own: %s', async (_, session) => {
    const text = "'Ünï ''🚀 \\ '";
    await live(
      session,
      `INSERT IGNORE INTO texts (id, c, c8, v, u3, sj, tt, lt) SELECT COALESCE(MAX(id), 0) + 1, ${text}, ${text}, ${text}, ${text}, ${text}, ${text}, ${text} FROM texts;
       INSERT INTO times (id, d, t, dt, dt6, ts, ts6) SELECT MAX(id) + 1, NOW(), NOW(), NOW(), NOW(6), NOW(), NOW(6) FROM times;
       UPDATE times SET ts3 = NOW(3) WHERE id = ${LIVE + 3};
       INSERT IGNORE INTO choices (id, e, s, en) SELECT MAX(id) + 1, 'x', 'p', 'y' FROM choices`,
    );
  });

  it('is written by sessions that compress their log', async () => {
    const on =
      kind === 'mariadb'
        ? 'SET GLOBAL log_bin_compress=ON, GLOBAL log_bin_compress_min_len=10'
        : 'SET SESSION binlog_transaction_compression=ON';
    await live(
      `${on}; ${LENIENT}`,
      `BEGIN; ${each((name, it) => `DELETE FROM ${name} WHERE id = ${LIVE}; ${insert(name, { ...it, rows: it.rows.slice(0, 1) }, LIVE)}`)}; COMMIT`,
    );
    await live(
      `${on}; ${LENIENT}`,
      each((name) => `UPDATE ${name} SET id = id + 2 WHERE id >= 500 ORDER BY id DESC`),
    );
    if (kind === 'mariadb') await pair.source.sql('SET GLOBAL log_bin_compress=OFF');
  });

  it('is deleted', async () => {
    await live(
      LENIENT,
      each((name) => `DELETE FROM ${name} WHERE id % 2 = 0`),
    );
    await live(
      LENIENT,
      each((name) => `DELETE FROM ${name}`),
    );
    for (const { name } of tables) expect(await sameOnBoth(pair, `SELECT COUNT(*) AS n FROM types.${name}`)).toEqual([{ n: '0' }]);
  });
});
