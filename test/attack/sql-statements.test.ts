/** Statements whose text means to be taken for another: comments that are executed or aren't, a second statement, a name in another's clothes. */
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MysqlReplica } from '../engine/mysql-replica.js';
import type { ServerKind } from '../servers/database-server.js';

/** The default database of the session, and what it runs; `d` is the stream's, `canary` nobody's. */
const STATEMENTS: readonly (readonly [string | undefined, string])[] = [
  ['d', "CREATE TABLE c1 (id INT PRIMARY KEY) COMMENT '*/; DROP TABLE canary.precious; /*'"],
  ['d', 'CREATE TABLE c2 (id INT PRIMARY KEY) /* ; DROP TABLE canary.precious; */'],
  ['d', "CREATE TABLE c3 (id INT PRIMARY KEY) /*! COMMENT 'executed' */"],
  ['d', '/*!50000 CREATE */ TABLE /*!40000 c4 */ (id INT PRIMARY KEY)'],
  ['d', "CREATE TABLE c5 (id INT PRIMARY KEY) -- ; DROP TABLE canary.precious\n # DROP TABLE canary.precious\n COMMENT 'a -- b'"],
  ['d', 'CREATE TABLE `c6; DROP TABLE canary``.precious` (id INT PRIMARY KEY)'],
  ['d', 'CREATE TABLE `canary.precious` (id INT PRIMARY KEY)'],
  ['d', 'CREATE TABLE c7 (id INT PRIMARY KEY); DROP TABLE IF EXISTS c7_never; DROP TABLE IF EXISTS canary.never'],
  ['canary', 'CREATE TABLE d.c8 (id INT PRIMARY KEY); INSERT INTO d.c8 VALUES (8)'],
  ['canary', 'CREATE TABLE item (id INT PRIMARY KEY); ALTER TABLE item ADD COLUMN x INT; TRUNCATE item; DROP TABLE item'],
  [undefined, 'CREATE TABLE d.c9 (id INT PRIMARY KEY); CREATE TABLE canary.c9 (id INT PRIMARY KEY); DROP TABLE canary.c9'],
  [
    'd',
    'CREATE PROCEDURE canary.makes () CREATE TABLE made (id INT PRIMARY KEY); CALL canary.makes(); DROP TABLE canary.made; DROP PROCEDURE canary.makes',
  ],
  [
    'canary',
    'CREATE PROCEDURE d.makes () CREATE TABLE made (id INT PRIMARY KEY); CALL d.makes(); INSERT INTO d.made VALUES (1); DROP PROCEDURE d.makes',
  ],
  ['d', "PREPARE s FROM 'CREATE TABLE c10 (id INT PRIMARY KEY COMMENT ''; DROP TABLE canary.precious'')'; EXECUTE s"],
  [
    'd',
    'SET sql_mode=\'ANSI_QUOTES,NO_BACKSLASH_ESCAPES\'; CREATE TABLE "c11\\" ("x""" INT PRIMARY KEY) COMMENT \'\\\'; DROP TABLE IF EXISTS "never\'"',
  ],
  ['d', "CREATE VIEW v AS SELECT '*/ DROP TABLE canary.precious /*!' AS `; DROP TABLE canary.precious`"],
  ['d', 'DROP TABLE c1 /*, canary.precious */, c2'],
  ['d', 'CREATE TEMPORARY TABLE item (id INT PRIMARY KEY); DROP TEMPORARY TABLE item'],
];

describe.each<ServerKind>(['mariadb', 'mysql'])('%s', (kind) => {
  let replica: MysqlReplica;
  beforeAll(async () => {
    replica = await MysqlReplica.start(kind, ['d']);
    for (const side of [replica.source, replica.target])
      await side.sql('CREATE DATABASE canary; CREATE TABLE canary.precious (id INT PRIMARY KEY); INSERT INTO canary.precious VALUES (1)');
    await replica.run('CREATE DATABASE d; CREATE TABLE d.item (id INT PRIMARY KEY); INSERT INTO d.item VALUES (1)');
  });
  afterAll(async () => await replica?.remove());

  const settled = async (): Promise<void> => {
    const { source, target } = await replica.dumps(['--routines']);
    expect(target).toBe(source);
    await kept();
  };
  const kept = async (): Promise<void> => {
    expect(await replica.target.sql('SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = "canary"')).toEqual([
      { name: 'precious' },
    ]);
    expect(await replica.target.sql('SELECT id FROM canary.precious')).toEqual([{ id: 1 }]);
  };

  it.each(STATEMENTS)('in %s: %s', async (database, statements) => {
    await replica.run(statements, database);
    await settled();
  });

  it.runIf(kind === 'mariadb')('what the statement is set in is read over', async () => {
    await replica.run('SET STATEMENT max_statement_time=0 FOR CREATE TABLE c12 (id INT PRIMARY KEY); DROP TABLE c12', 'd');
    await settled();
  });

  it.each([
    // MySQL executes it, MariaDB doesn't; and the other way round.
    'DROP TABLE /*!50701 canary.precious, */ item',
    'DROP TABLE /*M! canary.precious, */ item',
    'DROP TABLE /*!99999 canary.precious, */ item',
  ])('what one version would execute and another would not never reaches another database: %s', async (statement) => {
    await replica.source.sql(statement, 'd');
    const halted = await replica.replicate().then(
      () => null,
      (error: { code?: string }) => error,
    );
    await kept();
    if (halted === null) {
      await settled();
    } else {
      expect(halted).toMatchObject({ code: 'statement-unclassifiable' });
      expect(await replica.target.sql('SELECT id FROM d.item')).toEqual([{ id: 1 }]);
    }
    // Both sides as before, and on from there.
    await replica.source.sql('CREATE TABLE IF NOT EXISTS canary.precious (id INT PRIMARY KEY); REPLACE INTO canary.precious VALUES (1)');
    await replica.source.sql('CREATE TABLE d.item (id INT PRIMARY KEY); INSERT INTO d.item VALUES (1)');
    if (halted !== null) {
      await replica.engine.close();
      replica.engine = replica.newEngine();
      await replica.target.sql('DROP DATABASE srdf');
      await replica.establish();
    } else await replica.replicate();
    await settled();
  });

  it.each([
    ['gbk', 0xbf],
    ['sjis', 0x83],
  ] as const)('a client whose characters may hold a quote: %s', async (characterSet, lead) => {
    const client = await mysql.createConnection({
      host: '127.0.0.1',
      port: replica.source.port,
      user: 'root',
      database: 'd',
      charset: characterSet === 'gbk' ? 'GBK_CHINESE_CI' : 'SJIS_JAPANESE_CI',
      multipleStatements: true,
    });
    try {
      await client.query(
        `SET NAMES ${characterSet}; CREATE TABLE plain_${characterSet} (id INT PRIMARY KEY, t VARCHAR(20) CHARACTER SET utf8mb4) COMMENT 'it''s'`,
      );
      const word = characterSet === 'gbk' ? '縗' : 'ソ';
      await client.query(`INSERT INTO plain_${characterSet} VALUES (1, '${word}')`);
      await replica.replicate();
      await settled();
      expect(await replica.target.sql(`SELECT HEX(CONVERT(t USING ${characterSet})) AS hex FROM d.plain_${characterSet}`)).toEqual([
        { hex: `${lead.toString(16).toUpperCase()}5C` },
      ]);
      // To a reader of bytes the string would end later: halted rather than guessed.
      await client.query(`ALTER TABLE item COMMENT '${word}'`);
      await expect(replica.replicate()).rejects.toMatchObject({ code: 'statement-unclassifiable' });
      await kept();
    } finally {
      await client.end();
    }
    await replica.source.sql("ALTER TABLE d.item COMMENT ''");
    await replica.engine.close();
    replica.engine = replica.newEngine();
    await replica.target.sql('DROP DATABASE srdf');
    await replica.establish();
    await settled();
  });
});
