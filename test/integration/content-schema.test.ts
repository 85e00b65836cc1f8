/** Statements that change the schema, in the middle of rows, through the whole pair. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerKind } from '../servers/database-server.js';
import { expectIdentical, sameOnBoth } from './expect-identical.js';
import { Pair } from './pair.js';

interface Batch {
  readonly name: string;
  /** On one connection, in this order, `p` and `c` being written to by a statement of rows after each of them. */
  readonly statements: readonly (string | Readonly<Partial<Record<ServerKind, string>>>)[];
}

const BATCHES: readonly Batch[] = [
  {
    name: 'tables are created in every way',
    statements: [
      "CREATE TABLE plain (id INT PRIMARY KEY AUTO_INCREMENT, t VARCHAR(20) DEFAULT 'é', UNIQUE (t)) COMMENT 'œuvre'",
      "INSERT INTO plain (t) VALUES ('a'), ('😀')",
      'CREATE TABLE copied LIKE plain',
      "INSERT INTO copied (t) VALUES ('b')",
      'CREATE TABLE IF NOT EXISTS copied (other INT)',
      'CREATE TABLE selected (PRIMARY KEY (id)) SELECT id, t FROM plain',
      "UPDATE selected SET t = CONCAT(t, '!')",
      'CREATE TABLE selected_keyless AS SELECT id, n FROM p',
      'INSERT INTO selected_keyless SELECT * FROM selected_keyless',
      { mariadb: 'CREATE OR REPLACE TABLE copied SELECT id AS x FROM p', mysql: 'DROP TABLE copied' },
      { mariadb: 'CREATE SEQUENCE s START WITH 5' },
      { mariadb: 'CREATE TABLE numbered (id INT PRIMARY KEY DEFAULT NEXTVAL(s), v INT); INSERT INTO numbered (v) VALUES (1), (2)' },
      {
        mysql:
          'SET SESSION sql_generate_invisible_primary_key=ON; CREATE TABLE invisible (v INT); INSERT INTO invisible VALUES (1), (1); SET SESSION sql_generate_invisible_primary_key=OFF',
      },
      'CREATE TEMPORARY TABLE passing (id INT PRIMARY KEY); INSERT INTO passing SELECT id FROM p; INSERT INTO plain (t) SELECT id FROM passing; DROP TEMPORARY TABLE passing',
    ],
  },
  {
    name: 'tables are altered in every way',
    statements: [
      "ALTER TABLE p ADD COLUMN first_one INT NOT NULL DEFAULT 7 FIRST, ADD COLUMN t TEXT AFTER n, ADD COLUMN at TIMESTAMP NOT NULL DEFAULT '2024-01-01 00:00:00'",
      'UPDATE p SET first_one = id, t = REPEAT(name, 3)',
      'ALTER TABLE p MODIFY n BIGINT UNSIGNED DEFAULT 0 AFTER id',
      'ALTER TABLE p CHANGE first_one last_one INT, DROP COLUMN t',
      'ALTER TABLE p RENAME COLUMN last_one TO `l ``x`, RENAME INDEX u TO `ü`',
      'UPDATE p SET `l ``x` = NULL WHERE id % 2 = 0',
      'ALTER TABLE p ADD INDEX by_n (n), ADD FULLTEXT INDEX words (name)',
      'CREATE INDEX two ON p (n, name)',
      'DROP INDEX two ON p',
      'ALTER TABLE p ADD COLUMN doubled BIGINT UNSIGNED AS (n * 2) STORED, ADD CONSTRAINT positive CHECK (n < 1000000)',
      "ALTER TABLE p ALTER COLUMN n SET DEFAULT 5, MODIFY name VARCHAR(60) CHARACTER SET latin1 DEFAULT 'é'",
      'ALTER TABLE p CONVERT TO CHARACTER SET utf8mb4',
      'ALTER TABLE c DROP FOREIGN KEY fk',
      'ALTER TABLE c ADD CONSTRAINT fk2 FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL',
      'DELETE FROM p WHERE id = 2',
      'ALTER TABLE p ENGINE=InnoDB, AUTO_INCREMENT = 1000',
      'ALTER TABLE c DROP PRIMARY KEY, ADD COLUMN own BIGINT AUTO_INCREMENT PRIMARY KEY',
      'ALTER TABLE c ADD COLUMN big INT, ALGORITHM=INSTANT',
    ],
  },
  {
    name: 'tables are renamed, truncated, partitioned and dropped',
    statements: [
      'CREATE TABLE a (id INT PRIMARY KEY, v INT); CREATE TABLE b (id INT PRIMARY KEY, v INT); INSERT INTO a VALUES (1, 1), (2, 2); INSERT INTO b VALUES (1, 10)',
      'RENAME TABLE a TO swap, b TO a, swap TO b',
      'UPDATE a SET v = 11; UPDATE b SET v = 3 WHERE id = 2',
      'ALTER TABLE a RENAME TO `new ``a`',
      'TRUNCATE TABLE b',
      'INSERT INTO b VALUES (7, 7)',
      'CREATE TABLE part (a INT, b DATE, PRIMARY KEY (a)) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))',
      "INSERT INTO part VALUES (1, '2024-01-01'), (11, '2024-02-02')",
      'ALTER TABLE part ADD PARTITION (PARTITION p2 VALUES LESS THAN MAXVALUE)',
      'ALTER TABLE part TRUNCATE PARTITION p0',
      "INSERT INTO part VALUES (2, '2024-03-03'), (99, NULL)",
      'CREATE TABLE outside (a INT, b DATE, PRIMARY KEY (a))',
      'ALTER TABLE part EXCHANGE PARTITION p1 WITH TABLE outside',
      'ALTER TABLE part DROP PARTITION p0',
      'DROP TABLE b, outside',
      'DROP TABLE IF EXISTS b, never_there',
    ],
  },
  {
    name: 'views and routines come, change and go',
    statements: [
      'CREATE VIEW v AS SELECT id, n FROM p',
      "CREATE OR REPLACE VIEW v AS SELECT id, 'é😀' AS x FROM p",
      'CREATE VIEW on_view AS SELECT x FROM v',
      'ALTER VIEW v AS SELECT name, id AS x FROM p',
      'CREATE PROCEDURE remove_one (IN x INT) BEGIN DELETE FROM c WHERE id = x; INSERT INTO plain (t) VALUES (CONCAT("by call ", x)); END',
      'CALL remove_one(3)',
      "CREATE FUNCTION named (x INT) RETURNS VARCHAR(20) DETERMINISTIC RETURN CONCAT('é', x)",
      'INSERT INTO plain (t) VALUES (named(5))',
      "ALTER PROCEDURE remove_one COMMENT 'changed'",
      'DROP FUNCTION named',
      'DROP VIEW on_view',
    ],
  },
  {
    name: 'sessions of their own change the schema',
    statements: [
      'SET SESSION sql_mode=\'ANSI_QUOTES,NO_BACKSLASH_ESCAPES\'; CREATE TABLE "a""q" ("x y" INT PRIMARY KEY, z VARCHAR(9) DEFAULT \'q\\\'); INSERT INTO "a""q" ("x y") VALUES (1)',
      "SET SESSION sql_mode=''; CREATE TABLE lax (d DATE NOT NULL DEFAULT '0000-00-00', id INT PRIMARY KEY); INSERT INTO lax (id) VALUES (1)",
      "SET NAMES latin1; CREATE TABLE old (id INT PRIMARY KEY, e ENUM('é','b'), d VARCHAR(9) DEFAULT 'é' COMMENT 'é'); INSERT INTO old (id, e) VALUES (1, 'é')",
      "SET NAMES utf8mb4; CREATE TABLE faces (id INT PRIMARY KEY, e ENUM('😀','🚀') DEFAULT '🚀'); INSERT INTO faces VALUES (1, '😀'); INSERT INTO faces (id) VALUES (2)",
      "SET time_zone='+05:30', timestamp=1700000000; ALTER TABLE lax ADD t TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP; INSERT INTO lax (id) VALUES (2)",
      'SET foreign_key_checks=0; CREATE TABLE early (a INT PRIMARY KEY, FOREIGN KEY (a) REFERENCES later (a)); CREATE TABLE later (a INT PRIMARY KEY); INSERT INTO early VALUES (1); INSERT INTO later VALUES (1); SET foreign_key_checks=1',
      'ALTER DATABASE d CHARACTER SET latin1; CREATE TABLE inherits (id INT PRIMARY KEY, t TEXT); INSERT INTO inherits VALUES (1, "é")',
    ],
  },
];

describe.each<ServerKind>(['mariadb', 'mysql'])('%s: the schema changes under traffic', (kind) => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await Pair.start({ kind, name: 'd', serverOptions: ['--character-set-server=utf8mb4'] });
    await pair.source.sql(
      `CREATE DATABASE d CHARACTER SET utf8mb4; USE d;
       CREATE TABLE p (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50) NOT NULL, n INT, UNIQUE KEY u (name));
       CREATE TABLE c (id INT PRIMARY KEY, p INT, KEY fk (p), CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE);
       CREATE TABLE audit (id INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(80));
       CREATE TRIGGER kept BEFORE INSERT ON c FOR EACH ROW INSERT INTO audit (what) VALUES (CONCAT('c ', NEW.id));
       CREATE TABLE shown (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(20) DEFAULT '🚀?', q VARCHAR(20) DEFAULT '?', g VARCHAR(60) AS (CONCAT(v, 'é😀')) STORED,
         x VARCHAR(20) DEFAULT (CONCAT('ü', '🚀')), CHECK (v <> '😀'));
       INSERT INTO shown () VALUES (), ();
       INSERT INTO p (name, n) VALUES ('one', 1), ('two', 2), ('three', 3), ('four', 4); INSERT INTO c VALUES (1, 1), (2, 2), (3, 3)`,
    );
    await pair.establish();
  });
  afterAll(async () => await pair?.remove());

  it('defaults and expressions of a copied table hold what the catalogue can’t show', async () => {
    await pair.waitConfirmed();
    await expectIdentical(pair);
    await pair.source.sql("INSERT INTO d.shown (q) VALUES ('live')");
    await pair.waitConfirmed();
    await expectIdentical(pair);
    const row = 'SELECT HEX(v) AS v, HEX(q) AS q, HEX(x) AS x, HEX(g) AS g FROM d.shown WHERE id = 2';
    expect(await sameOnBoth(pair, row)).toMatchObject([{ v: 'F09F9A803F', q: '3F', g: 'F09F9A803FC3A9F09F9880' }]);
    // What the target itself would write.
    const written = await pair.target.sql(
      'BEGIN; INSERT INTO d.shown (id) VALUES (9); SELECT HEX(v) AS v, HEX(q) AS q, HEX(x) AS x, HEX(g) AS g FROM d.shown WHERE id = 9; ROLLBACK',
    );
    expect((written as unknown as unknown[])[2]).toEqual(await sameOnBoth(pair, row));
    for (const side of [pair.source, pair.target])
      await expect(side.sql("INSERT INTO d.shown (v) VALUES ('😀')")).rejects.toMatchObject({ errno: kind === 'mariadb' ? 4025 : 3819 });
  });

  it.each(BATCHES)('$name', async ({ statements }) => {
    const connection = await pair.source.connect('d');
    const rows = await pair.source.connect('d');
    try {
      for (const statement of statements) {
        const sql = typeof statement === 'string' ? statement : statement[kind];
        if (sql === undefined) continue;
        await connection.query(sql);
        await rows.query(
          'UPDATE p SET name = CONCAT(id, UUID_SHORT()), n = n + 1; INSERT INTO c (id, p) SELECT MAX(c.id) + 1, (SELECT MAX(id) FROM p) FROM c',
        );
      }
    } finally {
      await Promise.all([connection.end(), rows.end()]);
    }
    await pair.waitConfirmed();
    await expectIdentical(pair);
  });

  it('triggers and events fire at the source alone', async () => {
    const fired = 'SELECT COUNT(*) AS n FROM d.audit';
    const before = Number((await sameOnBoth(pair, fired))[0]?.n);
    expect(before).toBeGreaterThan(30);
    await pair.source.sql(
      `CREATE TRIGGER more AFTER UPDATE ON p FOR EACH ROW INSERT INTO audit (what) VALUES (CONCAT('p ', NEW.id));
       UPDATE p SET n = n + 1; CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 03:00:00' DO DELETE FROM audit;
       DROP TRIGGER kept; INSERT INTO c (id) SELECT MAX(id) + 1 FROM c; ALTER EVENT nightly RENAME TO weekly`,
      'd',
    );
    await pair.waitConfirmed();
    await expectIdentical(pair);
    expect(Number((await sameOnBoth(pair, fired))[0]?.n)).toBe(
      before + Number((await sameOnBoth(pair, 'SELECT COUNT(*) AS n FROM d.p'))[0]?.n),
    );
    expect(await pair.target.sql('SHOW TRIGGERS FROM d')).toEqual([]);
    expect(await pair.target.sql('SHOW EVENTS FROM d')).toEqual([]);
    expect(await pair.target.sql('SELECT object, object_name AS name FROM srdf.deferred_objects ORDER BY 1, 2')).toEqual([
      { object: 'event', name: 'weekly' },
      { object: 'trigger', name: 'more' },
    ]);
  });

  it('tables are changed by gh-ost and pt-online-schema-change', async () => {
    const fill = Array.from({ length: 50 }, (_, index) => `(${index}, 'v${index}')`).join(', ');
    await pair.source.sql(`CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9)); INSERT INTO t VALUES ${fill}`, 'd');
    await pair.waitConfirmed();
    // gh-ost: a ghost that is filled by chunks and from the log, and one atomic rename.
    await pair.source.sql(
      `CREATE TABLE _t_ghc (id BIGINT AUTO_INCREMENT PRIMARY KEY, last_update TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, hint VARCHAR(64) NOT NULL UNIQUE, value VARCHAR(4096) NOT NULL);
       INSERT INTO _t_ghc (hint, value) VALUES ('state', 'GhostTableMigrated'); CREATE TABLE _t_gho LIKE t; ALTER TABLE _t_gho ADD COLUMN w INT, ENGINE=InnoDB;
       INSERT IGNORE INTO _t_gho (id, v) SELECT id, v FROM t FORCE INDEX (PRIMARY) WHERE id < 25; UPDATE t SET v = 'c' WHERE id = 1; REPLACE INTO _t_gho (id, v) VALUES (1, 'c');
       INSERT IGNORE INTO _t_gho (id, v) SELECT id, v FROM t FORCE INDEX (PRIMARY) WHERE id >= 25; DELETE FROM t WHERE id = 30; DELETE FROM _t_gho WHERE id = 30;
       CREATE TABLE _t_del (id INT AUTO_INCREMENT PRIMARY KEY) COMMENT='ghost-cut-over-sentry'; DROP TABLE _t_del;
       RENAME TABLE t TO _t_del, _t_gho TO t; INSERT INTO t VALUES (300, 'n', 4); DROP TABLE _t_ghc; DROP TABLE _t_del`,
      'd',
    );
    await pair.waitConfirmed();
    await expectIdentical(pair);
    // pt-online-schema-change: triggers keep the new table up to date.
    await pair.source.sql(
      `CREATE TABLE _t_new LIKE t; ALTER TABLE _t_new ADD COLUMN z INT, MODIFY v VARCHAR(30);
       CREATE TRIGGER pt_osc_d_t_del AFTER DELETE ON t FOR EACH ROW DELETE IGNORE FROM _t_new WHERE _t_new.id <=> OLD.id;
       CREATE TRIGGER pt_osc_d_t_upd AFTER UPDATE ON t FOR EACH ROW REPLACE INTO _t_new (id, v, w) VALUES (NEW.id, NEW.v, NEW.w);
       CREATE TRIGGER pt_osc_d_t_ins AFTER INSERT ON t FOR EACH ROW REPLACE INTO _t_new (id, v, w) VALUES (NEW.id, NEW.v, NEW.w);
       INSERT LOW_PRIORITY IGNORE INTO _t_new (id, v, w) SELECT id, v, w FROM t FORCE INDEX (PRIMARY) WHERE id < 25 LOCK IN SHARE MODE;
       UPDATE t SET v = 'after' WHERE id IN (2, 40); DELETE FROM t WHERE id IN (3, 41); INSERT INTO t VALUES (301, 'x', 1);
       INSERT LOW_PRIORITY IGNORE INTO _t_new (id, v, w) SELECT id, v, w FROM t FORCE INDEX (PRIMARY) WHERE id >= 25 LOCK IN SHARE MODE;
       ANALYZE TABLE _t_new`,
      'd',
    );
    await pair.waitConfirmed();
    await expectIdentical(pair);
    await pair.source.sql(
      `RENAME TABLE t TO _t_old, _t_new TO t; INSERT INTO t (id, z) VALUES (302, 9); DROP TRIGGER IF EXISTS pt_osc_d_t_del; DROP TRIGGER IF EXISTS pt_osc_d_t_upd;
       DROP TRIGGER IF EXISTS pt_osc_d_t_ins; DROP TABLE IF EXISTS _t_old`,
      'd',
    );
    await pair.waitConfirmed();
    await expectIdentical(pair);
    expect(await sameOnBoth(pair, "SELECT COUNT(*) AS n, SUM(v = 'after') AS after FROM d.t")).toMatchObject([{ n: '50', after: '2' }]);
    expect(await pair.target.sql("SELECT COUNT(*) AS n FROM srdf.deferred_objects WHERE object_name LIKE 'pt%'")).toEqual([{ n: '0' }]);
  });
});
