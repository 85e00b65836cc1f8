/** Definitions described on one real server and created on another are the same; what waits for the promotion is kept, not created. */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Selection, SourceEngine } from '../../activities/engines/engine.js';
import { resetTables } from '../../activities/engines/mysql/ranges/reset-tables.js';
import { createSchema } from '../../activities/engines/mysql/schema/create-schema.js';
import { DatabaseServer, type ServerKind } from '../servers/database-server.js';
import { BOOTSTRAP, beginLoading, copyAll, openTarget, STREAM, sourceOf } from './mysql-copy-between.js';

const COMMON = [
  'CREATE DATABASE shop CHARACTER SET latin1 COLLATE latin1_german1_ci',
  'CREATE DATABASE `other-one` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci',
  'USE shop',
  "CREATE TABLE z_parent (id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50) NOT NULL DEFAULT 'o''x' COMMENT 'the ''name''', UNIQUE KEY by_name (name)) AUTO_INCREMENT=1000 COMMENT='it''s a table'",
  `CREATE TABLE a_child (id BIGINT PRIMARY KEY, parent INT UNSIGNED, other INT UNSIGNED, price DECIMAL(10,2) DEFAULT 0.00, doubled DECIMAL(12,2) GENERATED ALWAYS AS (price * 2) STORED,
    stamp TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, zero DATE NOT NULL DEFAULT '0000-00-00', note TEXT CHARACTER SET utf8mb4, FULLTEXT KEY words (note),
    CONSTRAINT price_is_positive CHECK (price >= 0), CONSTRAINT to_parent FOREIGN KEY (parent) REFERENCES z_parent (id) ON DELETE CASCADE ON UPDATE SET NULL,
    CONSTRAINT to_other FOREIGN KEY (other) REFERENCES \`other-one\`.\`t\`\`able.x\` (id)) ROW_FORMAT=DYNAMIC`,
  'CREATE TABLE parted (id INT NOT NULL, at DATE NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (YEAR(at)) (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN MAXVALUE)',
  'CREATE TABLE left_out (id INT PRIMARY KEY)',
  'CREATE VIEW b_view AS SELECT id, name FROM z_parent',
  'CREATE VIEW a_view AS SELECT name, twice(2) AS four FROM b_view',
  "CREATE FUNCTION twice (x INT) RETURNS INT DETERMINISTIC COMMENT 'twice' RETURN x * 2",
  "CREATE PROCEDURE both_sides (IN a VARCHAR(10), OUT b INT) SQL SECURITY INVOKER BEGIN DECLARE t VARCHAR(5) DEFAULT 'ü'; SELECT LENGTH(a) INTO b; END",
  "INSERT INTO z_parent (id, name) VALUES (1, 'one'), (2, 'zwölf')",
];
/** Sessions other than ours: the objects keep them. */
const OLD = ['SET NAMES latin1 COLLATE latin1_german2_ci', "SET SESSION sql_mode='PIPES_AS_CONCAT,ANSI_QUOTES'"];
const LATER = [
  `CREATE PROCEDURE "old style" () SELECT 'grün' || 'x' AS "col"`,
  "CREATE TRIGGER first_one BEFORE INSERT ON z_parent FOR EACH ROW SET NEW.name = NEW.name || '!'",
  "CREATE TRIGGER second_one BEFORE INSERT ON z_parent FOR EACH ROW SET NEW.name = NEW.name || '?'",
  "CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 03:00:00' COMMENT 'cleans' DO DELETE FROM shop.parted WHERE at < '2000-01-01'",
];

/** MySQL shows a column's character set beside its collation once it was written out, as its own SHOW CREATE TABLE does. */
const definitions = (text: string): string => text.replaceAll(/ CHARACTER SET \w+(?= COLLATE \w+)/g, '');

describe.each(['mariadb', 'mysql'] as const)('schema between two %s servers', (kind: ServerKind) => {
  let paris: DatabaseServer;
  let frankfurt: DatabaseServer;
  let source: SourceEngine;
  let target: Connection;
  const selection: Selection = { databases: ['shop', 'other-one'], include: [], exclude: [{ database: 'shop', table: 'left_out' }] };

  beforeAll(async () => {
    paris = await DatabaseServer.start({ kind, name: 'paris', options: ['--log-bin-trust-function-creators=ON'] });
    frankfurt = await DatabaseServer.start({ kind, name: 'frankfurt', options: ['--log-bin-trust-function-creators=ON'] });
    const admin = await paris.connect();
    await admin.query("SET SESSION sql_mode='', time_zone='+00:00'");
    for (const statement of COMMON.slice(0, 2)) await admin.query(statement);
    await admin.query('CREATE TABLE `other-one`.`t``able.x` (id INT UNSIGNED PRIMARY KEY)');
    if (kind === 'mariadb') {
      await admin.query('CREATE SEQUENCE shop.numbers START WITH 5 INCREMENT BY 3 CACHE 10 CYCLE MAXVALUE 100');
      await admin.query('CREATE SEQUENCE shop.spent START WITH 1 MAXVALUE 2 NOCACHE');
      await admin.query('SELECT NEXTVAL(shop.numbers), NEXTVAL(shop.spent)');
      await admin.query('SELECT NEXTVAL(shop.spent)');
      await admin.query('CREATE TABLE shop.numbered (id INT PRIMARY KEY DEFAULT NEXTVAL(shop.numbers))');
      await admin.query('USE shop');
      await admin.query('CREATE FUNCTION oracle_like (x INT) RETURNS INT NO SQL RETURN x');
    }
    // The function first: views look it up.
    const statements = COMMON.slice(2);
    for (const statement of [...statements.filter((it) => !it.includes('a_view')), ...statements.filter((it) => it.includes('a_view'))])
      await admin.query(statement);
    for (const statement of [...OLD, ...LATER]) await admin.query(statement);
    await admin.end();
    source = sourceOf(paris);
    target = await openTarget(frankfurt);
    await beginLoading(target);
    await copyAll(source, target, selection);
  }, 120_000);
  afterAll(async () => {
    target?.destroy();
    await source?.close();
    await paris?.remove();
    await frankfurt?.remove();
  });

  it('creates databases, tables, sequences, views and routines as they are at the source', async () => {
    const exclude = ['--ignore-table=shop.left_out', '--routines'];
    expect(definitions(await frankfurt.dump(selection.databases, exclude))).toBe(
      definitions(await paris.dump(selection.databases, exclude)),
    );
    expect(await frankfurt.sql("SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_name = 'left_out'")).toEqual([{ n: '0' }]);
  });

  it('keeps a routine’s own session: sql_mode, character set, collations', async () => {
    const show = 'SHOW CREATE PROCEDURE shop.`old style`';
    const [there] = await frankfurt.sql(show);
    expect(there).toEqual((await paris.sql(show))[0]);
    expect(there).toMatchObject({ character_set_client: 'latin1', collation_connection: 'latin1_german2_ci' });
    expect(((await frankfurt.sql('CALL shop.`old style`()')) as unknown as RowDataPacket[][])[0]).toEqual([{ col: 'grünx' }]);
  });

  it('keeps triggers and events for the promotion and creates none', async () => {
    expect(
      await frankfurt.sql(
        "SELECT (SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = 'shop') + (SELECT COUNT(*) FROM information_schema.events) AS n",
      ),
    ).toEqual([{ n: '0' }]);
    const kept = await frankfurt.sql(
      'SELECT object, object_name, on_table, definition FROM srdf.deferred_objects ORDER BY position_in_order',
    );
    expect(kept.map((it) => [it.object, it.object_name, it.on_table])).toEqual([
      ['trigger', 'first_one', 'z_parent'],
      ['trigger', 'second_one', 'z_parent'],
      ['event', 'nightly', null],
    ]);
    const [step] = (JSON.parse(String(kept[0]?.definition)) as { steps: { sql: string; session: Record<string, string> }[] }).steps;
    expect(Buffer.from(step?.sql ?? '', 'base64').toString()).toContain('NEW.name ||');
    expect(step?.session).toMatchObject({ sql_mode: expect.stringContaining('ANSI_QUOTES'), character_set_client: 'latin1' });
  });

  it('can be repeated: nothing changes, and what the source dropped in between goes', async () => {
    await paris.sql(
      'DROP VIEW shop.a_view; DROP PROCEDURE shop.both_sides; CREATE OR REPLACE VIEW shop.b_view AS SELECT name FROM shop.z_parent; DROP EVENT shop.nightly',
    );
    for (const stage of ['before-data', 'after-data', 'at-promotion'] as const)
      await createSchema(target, STREAM, BOOTSTRAP, await source.describeSchema(selection, stage));
    const exclude = ['--ignore-table=shop.left_out', '--routines'];
    expect(definitions(await frankfurt.dump(selection.databases, exclude))).toBe(
      definitions(await paris.dump(selection.databases, exclude)),
    );
    expect(await frankfurt.sql('SELECT COUNT(*) AS n FROM srdf.deferred_objects')).toEqual([{ n: '2' }]);
  });

  it('creates a table anew after a reset, with the foreign keys that point at it in place', async () => {
    const table = { database: 'shop', table: 'z_parent' };
    await paris.sql('ALTER TABLE shop.z_parent ADD COLUMN more INT FIRST');
    await resetTables(target, STREAM, BOOTSTRAP, [table], await source.currentPosition(), { round: 1 });
    expect(await frankfurt.sql("SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_name = 'z_parent'")).toEqual([{ n: '0' }]);
    await createSchema(target, STREAM, BOOTSTRAP, await source.describeSchema(selection, 'before-data', [table]));
    const show = 'SHOW CREATE TABLE shop.z_parent';
    const [[here], [there]] = [await paris.sql(show), await frankfurt.sql(show)];
    expect(definitions(String(there?.['Create Table']))).toBe(definitions(String(here?.['Create Table'])));
    await expect(frankfurt.sql('INSERT INTO shop.a_child (id, parent) VALUES (1, 77)')).rejects.toMatchObject({ errno: 1452 });
  });

  it('refuses a bootstrap that isn’t the one that loads the stream', async () => {
    const body = await source.describeSchema(selection, 'before-data');
    await expect(createSchema(target, STREAM, 'another' as typeof BOOTSTRAP, body)).rejects.toMatchObject({ code: 'ledger-inconsistent' });
  });
});
