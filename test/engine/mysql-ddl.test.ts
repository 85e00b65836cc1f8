import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerKind } from '../servers/database-server.js';
import { MysqlReplica, STREAM } from './mysql-replica.js';

const KINDS: readonly ServerKind[] = ['mariadb', 'mysql'];

/** Applied in order, one after the other; after each of them both sides are compared. `only`: what the other server doesn't know. */
const STATEMENTS: readonly { readonly sql: string; readonly only?: ServerKind }[] = [
  { sql: 'CREATE TABLE p (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(30) NOT NULL, n INT, UNIQUE KEY u (name))' },
  { sql: "INSERT INTO p (name, n) VALUES ('a', 1), ('b', 2), ('c', 3)" },
  { sql: 'CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)' },
  { sql: 'INSERT INTO c VALUES (1, 1), (2, 2)' },
  {
    sql: "ALTER TABLE p ADD COLUMN first INT DEFAULT 7 FIRST, ADD COLUMN t TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, COMMENT 'it''s; DROP'",
  },
  { sql: "INSERT INTO p (name, first) VALUES ('d', 1)" },
  { sql: 'ALTER TABLE p MODIFY n BIGINT UNSIGNED DEFAULT 0 AFTER id' },
  { sql: 'ALTER TABLE p CHANGE first last_ INT, DROP COLUMN t' },
  { sql: 'ALTER TABLE p RENAME COLUMN last_ TO `l ``x`, RENAME INDEX u TO `ü`' },
  { sql: "UPDATE p SET `l ``x` = 5 WHERE name = 'a'" },
  { sql: 'ALTER TABLE p ADD INDEX (n), ADD FULLTEXT INDEX ft (name), ALGORITHM=DEFAULT' },
  { sql: 'CREATE INDEX i2 ON p (n, name)' },
  { sql: 'DROP INDEX i2 ON p' },
  { sql: 'ALTER TABLE p CONVERT TO CHARACTER SET latin1' },
  { sql: 'ALTER TABLE c DROP FOREIGN KEY fk' },
  { sql: 'ALTER TABLE c ADD CONSTRAINT fk2 FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL' },
  { sql: 'DELETE FROM p WHERE id = 1' },
  { sql: 'ALTER TABLE p ENGINE=InnoDB' },
  { sql: 'ALTER TABLE p AUTO_INCREMENT = 100' },
  {
    sql: 'CREATE TABLE part (a INT, b DATE, PRIMARY KEY (a)) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))',
  },
  { sql: "INSERT INTO part VALUES (1, '2024-01-01'), (11, '2024-02-02')" },
  { sql: 'ALTER TABLE part ADD PARTITION (PARTITION p2 VALUES LESS THAN MAXVALUE)' },
  { sql: 'ALTER TABLE part TRUNCATE PARTITION p0' },
  { sql: 'CREATE TABLE ex (a INT, b DATE, PRIMARY KEY (a))' },
  { sql: 'ALTER TABLE part EXCHANGE PARTITION p1 WITH TABLE ex' },
  { sql: 'ALTER TABLE part DROP PARTITION p0' },
  { sql: 'CREATE TABLE lk LIKE p' },
  { sql: 'CREATE TABLE IF NOT EXISTS lk (other INT)' },
  { sql: 'CREATE TABLE sel (PRIMARY KEY (id)) SELECT id, n FROM p' },
  { sql: 'UPDATE sel SET n = 5 WHERE id = 2' },
  { sql: 'RENAME TABLE lk TO lk2, ex TO `ex two`' },
  { sql: 'ALTER TABLE lk2 RENAME TO lk3' },
  { sql: "INSERT INTO lk3 (name) VALUES ('moved')" },
  { sql: 'TRUNCATE TABLE sel' },
  { sql: 'INSERT INTO sel VALUES (9, 3)' },
  { sql: 'CREATE VIEW v AS SELECT id, n FROM p' },
  { sql: 'CREATE OR REPLACE VIEW v AS SELECT id FROM p' },
  { sql: 'ALTER VIEW v AS SELECT name FROM p' },
  { sql: 'CREATE PROCEDURE pr(IN x INT) BEGIN SELECT x; DELETE FROM p WHERE id = x; END' },
  { sql: "CREATE FUNCTION fu(x INT) RETURNS VARCHAR(20) DETERMINISTIC RETURN CONCAT('é', x)" },
  { sql: "ALTER PROCEDURE pr COMMENT 'changed'" },
  { sql: 'DROP FUNCTION fu' },
  { sql: 'CREATE TABLE moments (id INT PRIMARY KEY, at TIMESTAMP, until_ TIMESTAMP NOT NULL)' },
  { sql: "INSERT INTO moments VALUES (1, NULL, '2024-01-01 12:00:00')" },
  { sql: "UPDATE moments SET until_ = '2024-02-01 12:00:00'" },
  { sql: 'SET explicit_defaults_for_timestamp=0; CREATE TABLE moments_of_old (id INT PRIMARY KEY, at TIMESTAMP)' },
  { sql: 'SET check_constraint_checks=0; ALTER TABLE moments ADD CONSTRAINT none CHECK (id > 5)', only: 'mariadb' },
  { sql: 'CREATE SEQUENCE s START WITH 5', only: 'mariadb' },
  { sql: 'ALTER SEQUENCE s MAXVALUE 1000', only: 'mariadb' },
  { sql: 'CREATE OR REPLACE TABLE sel (x INT PRIMARY KEY)', only: 'mariadb' },
  { sql: 'DROP SEQUENCE s', only: 'mariadb' },
  { sql: 'DROP VIEW v' },
  { sql: 'DROP TABLE IF EXISTS sel, not_there' },
  { sql: 'ALTER DATABASE d CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci' },
  { sql: 'CREATE TABLE inherits (t TEXT)' },
  { sql: 'CREATE DATABASE d2 CHARACTER SET latin1' },
  { sql: 'CREATE TABLE d2.t (a VARCHAR(3))' },
  { sql: 'DROP DATABASE d2' },
  { sql: 'SET sql_mode=\'ANSI_QUOTES\'; CREATE TABLE "a""q" ("x y" INT, z VARCHAR(9) DEFAULT \'q\\\\\')' },
  { sql: "SET NAMES latin1; CREATE TABLE l1 (a ENUM('\u00e9','b'), b VARCHAR(9) DEFAULT '\u00e9' COMMENT '\u00e9')" },
  {
    sql: "SET time_zone='+05:30', timestamp=1700000000; CREATE TABLE tz (a INT PRIMARY KEY); INSERT INTO tz VALUES (1); ALTER TABLE tz ADD t TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP",
  },
  {
    sql: 'SET foreign_key_checks=0; CREATE TABLE early (a INT PRIMARY KEY, FOREIGN KEY (a) REFERENCES later (a)); CREATE TABLE later (a INT PRIMARY KEY)',
  },
];

describe.each(KINDS)('%s: schema statements', (kind) => {
  let replica: MysqlReplica;
  beforeAll(async () => {
    replica = await MysqlReplica.start(kind, ['d', 'd2']);
    await replica.run('CREATE DATABASE d CHARACTER SET utf8mb4');
    // The target’s own settings don’t matter.
    if (kind === 'mysql') await replica.target.sql('SET GLOBAL sql_generate_invisible_primary_key=1; SET GLOBAL sql_mode="ANSI_QUOTES"');
  });
  afterAll(async () => {
    await replica?.remove();
  });

  const expectEqual = async (): Promise<void> => {
    const databases = await replica.source.sql(
      "SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN ('d', 'd2')",
    );
    const names = databases.map((row) => String(row.name));
    const [source, target] = [await replica.source.dump(names, ['--routines']), await replica.target.dump(names, ['--routines'])];
    expect(target).toBe(source);
  };

  it('each leaves both sides equal', async () => {
    for (const { sql, only } of STATEMENTS) {
      if (only !== undefined && only !== kind) continue;
      await replica.run(sql, 'd');
      await expectEqual();
    }
    expect((await replica.target.sql("SHOW TABLES FROM d LIKE 'lk3'")).length).toBe(1);
    expect((await replica.ledger()).intent).toBeNull();
  });

  it('online schema change tools: copy, swap, drop, with traffic in between', async () => {
    await replica.run("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9)); INSERT INTO t VALUES (1,'a'),(2,'b')", 'd');
    // gh-ost: ghost table, atomic two-way rename
    await replica.run(
      "CREATE TABLE _t_gho LIKE t; ALTER TABLE _t_gho ADD COLUMN w INT; INSERT INTO _t_gho (id, v) SELECT id, v FROM t; UPDATE t SET v='c' WHERE id=1; REPLACE INTO _t_gho VALUES (1,'c',NULL); RENAME TABLE t TO _t_del, _t_gho TO t; INSERT INTO t VALUES (3,'n',4); DROP TABLE _t_del",
      'd',
    );
    await expectEqual();
    // pt-online-schema-change: triggers on the old table
    await replica.run(
      "CREATE TABLE _t_new LIKE t; ALTER TABLE _t_new ADD COLUMN z INT; CREATE TRIGGER pt_ins AFTER INSERT ON t FOR EACH ROW REPLACE INTO _t_new (id, v, w) VALUES (NEW.id, NEW.v, NEW.w); INSERT LOW_PRIORITY IGNORE INTO _t_new (id, v, w) SELECT * FROM t LOCK IN SHARE MODE; INSERT INTO t VALUES (4,'x',1); RENAME TABLE t TO _t_old, _t_new TO t; DROP TRIGGER IF EXISTS pt_ins; DROP TABLE IF EXISTS _t_old",
      'd',
    );
    await expectEqual();
    expect(await replica.target.sql('SELECT COUNT(*) AS n FROM d.t')).toMatchObject([{ n: '4' }]);
    expect(await replica.target.sql(`SELECT * FROM srdf.deferred_objects WHERE stream = '${STREAM}'`)).toEqual([]);
  });

  it('triggers and events are kept for promotion and never live on the target', async () => {
    const kept = async (): Promise<string[]> =>
      (
        await replica.target.sql('SELECT object, object_name AS name, on_table FROM srdf.deferred_objects ORDER BY object, object_name')
      ).map((row) => `${row.object} ${row.name} on ${row.on_table}`);
    await replica.run(
      "CREATE TABLE a (id INT PRIMARY KEY, n INT); CREATE TABLE log (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(9)); CREATE TRIGGER tr BEFORE INSERT ON a FOR EACH ROW INSERT INTO log (t) VALUES ('fired'); CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DO DELETE FROM log",
      'd',
    );
    await replica.run('INSERT INTO a VALUES (1, 1)', 'd');
    await expectEqual();
    expect(await replica.target.sql('SELECT COUNT(*) AS n FROM d.log')).toMatchObject([{ n: '1' }]);
    expect(await replica.target.sql('SHOW TRIGGERS FROM d')).toEqual([]);
    expect(await replica.target.sql('SHOW EVENTS FROM d')).toEqual([]);
    expect(await kept()).toEqual(['event ev on null', 'trigger tr on a']);
    await replica.run('RENAME TABLE a TO b; ALTER EVENT ev RENAME TO ev2', 'd');
    expect(await kept()).toEqual(['event ev2 on null', 'trigger tr on b']);
    await replica.run('DROP TABLE b; DROP EVENT ev2', 'd');
    expect(await kept()).toEqual([]);
  });

  it('CREATE TABLE … SELECT under SET NAMES latin1 keeps its letters', async () => {
    const connection = await replica.source.connect('d');
    try {
      await connection.query("CREATE TABLE ctas_from (e ENUM('é','b') CHARACTER SET utf8mb4)");
      await connection.query("INSERT INTO ctas_from VALUES ('é')");
      await connection.query('SET character_set_client=latin1, collation_connection=latin1_swedish_ci');
      await connection.query('CREATE TABLE ctas AS SELECT e FROM ctas_from');
    } finally {
      await connection.end();
    }
    await replica.replicate();
    await expectEqual();
    expect(await replica.target.sql('SELECT HEX(e) AS h FROM d.ctas')).toMatchObject([{ h: 'C3A9' }]);
  });

  it('a statement that fails stops with the server’s word, and runs once the target is mended so that it fits', async () => {
    await replica.run('CREATE TABLE f (id INT PRIMARY KEY, a INT)', 'd');
    await replica.target.sql('ALTER TABLE d.f ADD INDEX by_a (a, id)');
    await replica.source.sql('ALTER TABLE f ADD INDEX by_a (a), ALTER a SET DEFAULT 7', 'd');
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(replica.replicate()).rejects.toMatchObject({ code: 'ddl-failed', message: expect.stringContaining('1061') });
    expect((await replica.ledger()).intent).not.toBeNull();
    await replica.target.sql('ALTER TABLE d.f DROP INDEX by_a');
    await replica.replicate();
    await expectEqual();
  });

  it('what the operator did by hand in the place of a statement that failed is done when he says so', async () => {
    await replica.run('CREATE TABLE g (id INT PRIMARY KEY)', 'd');
    await replica.target.sql('DROP TABLE d.g');
    await replica.source.sql('ALTER TABLE g ADD x INT', 'd');
    const failed = await replica.replicate().catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'ddl-failed', message: expect.stringContaining('1146') });
    await replica.source.sql('INSERT INTO g VALUES (1, 2)', 'd');
    await replica.target.sql('CREATE TABLE d.g (id INT PRIMARY KEY); ALTER TABLE d.g ADD x INT');
    await expect(replica.replicate()).rejects.toMatchObject({ code: 'ddl-failed', message: expect.stringContaining('1060') });
    const [, said = ''] = /(UPDATE srdf\.ledger .*)$/.exec(String((failed as Error).message)) ?? [];
    await replica.target.sql(said);
    await replica.replicate();
    await expectEqual();
  });

  it.runIf(kind === 'mariadb')('DROP of several, of which one isn’t there, drops the others', async () => {
    await replica.run('CREATE TABLE m (id INT PRIMARY KEY); CREATE VIEW w AS SELECT 1 AS a; CREATE SEQUENCE q', 'd');
    for (const sql of ['DROP TABLE m, missing', 'DROP VIEW w, missing', 'DROP SEQUENCE missing, q']) {
      await expect(replica.source.sql(sql, 'd')).rejects.toMatchObject({ message: expect.stringMatching(/Unknown/) });
      await replica.replicate();
    }
    expect(await replica.target.sql("SHOW TABLES FROM d WHERE Tables_in_d IN ('m', 'w', 'q')")).toEqual([]);
    await expectEqual();
  });
});
