/** Each part of a pair with the rights that README.md grants and no other: all that SRDF does works; with one less nothing is begun. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectIdentical } from '../integration/expect-identical.js';
import { Pair, type Side } from '../integration/pair.js';
import type { ServerKind } from '../servers/database-server.js';

/** Who defines what the accounts of SRDF didn't: unknown at the target at first. */
const BOSS = "CREATE USER 'boss'@'localhost'; GRANT ALL PRIVILEGES ON *.* TO 'boss'@'localhost'";
const SHOP = `CREATE DATABASE shop; USE shop;
  CREATE TABLE parent (id INT PRIMARY KEY, name VARCHAR(50) UNIQUE);
  CREATE TABLE child (id INT PRIMARY KEY AUTO_INCREMENT, parent INT, FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE);
  CREATE TABLE keyless (a INT, b TEXT); CREATE TABLE audit (what TEXT);
  INSERT INTO parent VALUES (1, 'one'), (2, 'two'); INSERT INTO child (parent) VALUES (1), (2), (2); INSERT INTO keyless VALUES (1, 'x'), (1, 'x');
  CREATE DEFINER='boss'@'localhost' VIEW names AS SELECT name FROM parent;
  CREATE DEFINER='boss'@'localhost' FUNCTION twice (n INT) RETURNS INT DETERMINISTIC RETURN n * 2;
  CREATE DEFINER='boss'@'localhost' PROCEDURE clear () DELETE FROM keyless;
  CREATE DEFINER='boss'@'localhost' TRIGGER watched AFTER INSERT ON parent FOR EACH ROW INSERT INTO audit VALUES (NEW.name);
  CREATE DEFINER='boss'@'localhost' EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' DO DELETE FROM audit`;

describe.each<ServerKind>(['mariadb', 'mysql'])('%s', (kind) => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await Pair.start({ kind });
    await atSource(`${BOSS}; ${SHOP}`);
    await pair.target.sql('CREATE DATABASE other; CREATE TABLE other.kept (id INT PRIMARY KEY); SET GLOBAL read_only=ON');
  });
  afterAll(async () => await pair?.remove());

  /** One by one: MySQL keeps as part of a routine the semicolon that another statement follows. */
  const atSource = async (statements: string, database?: string): Promise<void> => {
    const connection = await pair.source.connect(database);
    try {
      for (const it of statements.split(/;\s+/)) await connection.query(it);
    } finally {
      await connection.end();
    }
  };
  const databases = async (): Promise<string[]> => (await pair.target.sql('SHOW DATABASES')).map((row) => String(row.Database)).sort();
  const refused = async (side: Side, privilege: string, level: string): Promise<void> => {
    const account = `'srdf_${side}'@'%'`;
    const before = await databases();
    await pair.servers[side].sql(`REVOKE ${privilege} ON ${level} FROM ${account}`);
    const { exitCode, stdout, stderr } = await pair.srdf('establish', 'shop', '--json');
    await pair.servers[side].sql(`GRANT ${privilege} ON ${level} TO ${account}`);
    expect(exitCode, stdout + stderr).not.toBe(0);
    const { error } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { error: { code: string; found: string; action: string } };
    expect(error.code, stdout).toBe(`${side}-preflight`);
    expect(error.action).toContain('GRANT ');
    expect(`${error.found} ${error.action}`).toContain(privilege);
    expect(await databases()).toEqual(before);
  };

  it('begins nothing while a right lacks, and says which to grant', async () => {
    await refused('source', 'REPLICATION SLAVE', '*.*');
    await refused('source', 'SHOW VIEW', 'shop.*');
    await refused('target', kind === 'mariadb' ? 'BINLOG REPLAY' : 'BINLOG_ADMIN', '*.*');
    await refused('target', 'TRIGGER', 'shop.*');
  });

  it('warns of what an account may do beyond that', async () => {
    await pair.target.sql("GRANT INSERT ON other.* TO 'srdf_target'@'%'");
    const plan = await pair.must('establish', 'shop', '--dry-run');
    expect(plan.replace(/\s+/g, ' ')).toContain("REVOKE INSERT ON `other`.* FROM 'srdf_target'@'%';");
    await pair.target.sql("REVOKE INSERT ON other.* FROM 'srdf_target'@'%'");
    expect(await pair.must('establish', 'shop', '--dry-run')).not.toContain('REVOKE');
  });

  it('establishes, replicates rows and statements, verifies, and leaves a dead letter out', async () => {
    await pair.establish();
    await pair.waitConfirmed();
    expect((await pair.compareBySql()).differences).toEqual([]);
    await pair.must('verify', 'shop');
    // MariaDB prints a view in other words while it doesn't know whose it is.
    await pair.target.sql(BOSS);
    await expectIdentical(pair);
    await atSource(
      `BEGIN; INSERT INTO parent VALUES (3, 'three'); DELETE FROM parent WHERE id = 2; UPDATE keyless SET b = 'y' LIMIT 1; COMMIT;
       ALTER TABLE parent ADD COLUMN n INT DEFAULT 5, ADD INDEX by_n (n); CREATE TABLE late (PRIMARY KEY (id)) SELECT id FROM parent; TRUNCATE TABLE audit;
       CREATE DEFINER='boss'@'localhost' FUNCTION thrice (n INT) RETURNS INT DETERMINISTIC RETURN n * 3; DROP PROCEDURE clear;
       CREATE OR REPLACE DEFINER='boss'@'localhost' VIEW names AS SELECT id, name FROM parent; DROP TRIGGER watched; ALTER EVENT nightly RENAME TO weekly;
       RENAME TABLE late TO later; UPDATE later SET id = id + 10; ALTER DATABASE shop CHARACTER SET latin1; INSERT INTO parent (id, name) VALUES (4, 'four')`,
      'shop',
    );
    await pair.waitConfirmed();
    await expectIdentical(pair);
    await pair.must('verify', 'shop');

    await pair.target.sql('DELETE FROM shop.later WHERE id = 11; INSERT INTO shop.later VALUES (99)');
    expect((await pair.srdf('verify', 'shop')).exitCode).not.toBe(0);
    await pair.source.sql('DELETE FROM shop.later WHERE id = 11');
    expect((await pair.srdf('cycle', 'shop')).exitCode).not.toBe(0);
    await pair.must('dead-letters', 'discard', 'shop', '--i-accept-divergence');
    await pair.source.sql('INSERT INTO shop.later VALUES (50)');
    await pair.waitConfirmed();
    expect(await pair.target.sql('SELECT id FROM shop.later WHERE id IN (11, 50, 99) ORDER BY id')).toEqual([{ id: 50 }, { id: 99 }]);
    await pair.target.sql('DELETE FROM shop.later WHERE id = 99');
    await pair.must('verify', 'shop');
    await expectIdentical(pair);
  });

  it('keeps its files from everybody else', async () => {
    const open: string[] = [];
    const look = async (path: string): Promise<void> => {
      const it = await stat(path);
      if ((it.mode & 0o077) !== 0) open.push(`${path} ${(it.mode & 0o777).toString(8)}`);
      if (it.isDirectory()) for (const name of await readdir(path)) await look(join(path, name));
    };
    for (const name of ['source-state', 'target-state', 'source-keys', 'target-keys', 'payload.key'])
      await look(join(pair.directory, name));
    // Public by nature: what the other site is given.
    expect(open.filter((it) => !/\.bundle \d+$/.test(it))).toEqual([]);
  });
});
