/** Statements that run on both sites and give the rows of a table other values on each: refused while the target's table has rows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerKind } from '../servers/database-server.js';
import { MysqlReplica } from './mysql-replica.js';

describe.each<ServerKind>(['mariadb', 'mysql'])('%s: statements that can’t be repeated', (kind) => {
  let replica: MysqlReplica;
  beforeAll(async () => {
    replica = await MysqlReplica.start(kind, ['d']);
    await replica.run('CREATE DATABASE d');
  });
  afterAll(async () => await replica?.remove());

  /** The target stays as it is, and no intent is left. Then the statement is passed over, so that what follows can be tried. */
  async function refused(sql: string, found: string): Promise<void> {
    await replica.source.sql(sql, 'd');
    const cut = await replica.cut();
    const wagons = cut.slice(-1);
    await replica.apply(cut.slice(0, -1));
    expect(wagons.map((it) => it.body.kind)).toEqual(['ddl']);
    const before = await replica.target.dump(['d']);
    await expect(replica.apply(wagons)).rejects.toMatchObject({
      code: 'ddl-unrepeatable',
      message: expect.stringMatching(`${found}.*srdf establish`),
    });
    // Nor at the second attempt.
    await expect(replica.apply(wagons)).rejects.toMatchObject({ code: 'ddl-unrepeatable' });
    expect((await replica.ledger()).intent).toBeNull();
    expect(await replica.target.dump(['d'])).toBe(before);
    await replica.engine.discardTrain(
      wagons.map((it) => it.place),
      'alice',
    );
  }
  /** Two transactions; the one that inserts first commits last. */
  async function crossed(table: string): Promise<void> {
    const [first, second] = [await replica.source.connect('d'), await replica.source.connect('d')];
    try {
      for (const [connection, v] of [
        [first, 'first'],
        [second, 'second'],
      ] as const)
        await connection.query(`BEGIN; INSERT INTO ${table} (k, v) VALUES (1, '${v}')`);
      await second.query('COMMIT');
      await first.query('COMMIT');
    } finally {
      await first.end();
      await second.end();
    }
    await replica.replicate();
  }
  const expectEqual = async (): Promise<void> => {
    const { source, target } = await replica.dumps();
    expect(target).toBe(source);
  };

  it('rows without key, numbered in the order in which they lie', async () => {
    await replica.run('CREATE TABLE loose (k INT, v VARCHAR(9))', 'd');
    await crossed('loose');
    const numbered = 'ALTER TABLE loose ADD COLUMN id INT NOT NULL AUTO_INCREMENT PRIMARY KEY';
    await refused(numbered, 'd.loose has rows and no primary key: they are numbered');
    // What it would have done.
    await replica.target.sql(numbered, 'd');
    const inOrder = 'SELECT GROUP_CONCAT(v ORDER BY id) AS list FROM d.loose';
    expect([(await replica.source.sql(inOrder))[0]?.list, (await replica.target.sql(inOrder))[0]?.list]).toEqual([
      'first,second',
      'second,first',
    ]);
    await replica.run('DROP TABLE loose', 'd');
  });

  it('numbered again in one statement, though the table had numbers', async () => {
    await replica.run('CREATE TABLE again (k INT, v VARCHAR(9), n INT AUTO_INCREMENT, KEY (n)); INSERT INTO again (k) VALUES (1)', 'd');
    await refused('ALTER TABLE again DROP COLUMN n, ADD COLUMN m INT AUTO_INCREMENT, ADD KEY (m)', 'd.again has rows');
    await replica.run('DROP TABLE again', 'd');
  });

  it('but not those of an empty table, of one with a key, or with numbers already', async () => {
    await replica.run(
      `CREATE TABLE none (k INT); CREATE TABLE keyed (k INT PRIMARY KEY, v INT); CREATE TABLE uniq (k INT NOT NULL UNIQUE, v INT);
       CREATE TABLE counted (k INT, n INT AUTO_INCREMENT, KEY (n));
       INSERT INTO keyed VALUES (2, 1), (1, 2); INSERT INTO uniq VALUES (2, 1), (1, 2); INSERT INTO counted (k) VALUES (5), (6)`,
      'd',
    );
    await replica.run('ALTER TABLE none ADD id INT AUTO_INCREMENT PRIMARY KEY', 'd');
    await replica.run('ALTER TABLE keyed DROP PRIMARY KEY, ADD id INT AUTO_INCREMENT PRIMARY KEY', 'd');
    await replica.run('ALTER TABLE uniq ADD id INT AUTO_INCREMENT PRIMARY KEY', 'd');
    await replica.run('ALTER TABLE counted MODIFY n BIGINT AUTO_INCREMENT', 'd');
    await expectEqual();
    await replica.run(
      'CREATE TABLE prefix (k VARCHAR(9) NOT NULL, n INT, UNIQUE (k(3)), UNIQUE (n)); INSERT INTO prefix VALUES ("a", 1)',
      'd',
    );
    await refused('ALTER TABLE prefix ADD id INT AUTO_INCREMENT PRIMARY KEY', 'd.prefix has rows');
    await replica.run('DROP TABLE prefix', 'd');
  });

  it('a time that the log tells is the same on both', async () => {
    await replica.run('CREATE TABLE timed (k INT); INSERT INTO timed VALUES (1)', 'd');
    await replica.run('ALTER TABLE timed ADD at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)', 'd');
    if (kind === 'mariadb') await replica.run('ALTER TABLE timed ADD b VARCHAR(40) DEFAULT (CONCAT(NOW(), UNIX_TIMESTAMP()))', 'd');
    await expectEqual();
  });

  it.runIf(kind === 'mysql')('a default that differs is refused by the source itself', async () => {
    await replica.run('CREATE TABLE given (k INT PRIMARY KEY); INSERT INTO given VALUES (1)', 'd');
    await expect(replica.source.sql('ALTER TABLE given ADD u CHAR(36) DEFAULT (UUID())', 'd')).rejects.toMatchObject({ errno: 1674 });
  });

  it.runIf(kind === 'mariadb')('a default that differs, while the table has rows', async () => {
    await replica.run('CREATE SEQUENCE s; CREATE TABLE given (k INT PRIMARY KEY)', 'd');
    await replica.run('ALTER TABLE given ADD u UUID DEFAULT UUID()', 'd');
    await replica.run('INSERT INTO given (k) VALUES (1), (2)', 'd');
    await expectEqual();
    await replica.run('ALTER TABLE given MODIFY u UUID DEFAULT UUID() AFTER k', 'd');
    await expectEqual();
    for (const [column, found] of [
      ['a UUID DEFAULT UUID()', 'UUID\\(\\)'],
      ['a DOUBLE DEFAULT (RAND())', 'RAND\\(\\)'],
      // The numbers taken are in the log before it; the statement would take others.
      ['a INT DEFAULT NEXTVAL(s)', 'NEXTVAL\\(\\)'],
      ['a VARCHAR(90) DEFAULT CURRENT_USER', 'CURRENT_USER'],
    ] as const) {
      await refused(`ALTER TABLE given ADD ${column}`, `d.given has rows, and gets a column whose default \\(${found}\\)`);
      await replica.source.sql('SET sql_log_bin = 0; ALTER TABLE given DROP COLUMN a', 'd');
    }
  });

  it.runIf(kind === 'mariadb')('rows left out in the order in which they lie', async () => {
    await replica.run('CREATE TABLE doubled (k INT, v VARCHAR(9))', 'd');
    await crossed('doubled');
    await refused('ALTER IGNORE TABLE doubled ADD UNIQUE (k)', 'd.doubled has rows and no primary key: they are left out');
    await replica.target.sql('ALTER IGNORE TABLE doubled ADD UNIQUE (k)', 'd');
    const left = 'SELECT v FROM d.doubled';
    expect([(await replica.source.sql(left))[0]?.v, (await replica.target.sql(left))[0]?.v]).toEqual(['first', 'second']);
    await replica.run('DROP TABLE doubled', 'd');
  });

  it('of a table that the target lacks the statement itself tells', async () => {
    await replica.run('CREATE TABLE gone (k INT)', 'd');
    await replica.target.sql('DROP TABLE d.gone');
    await replica.source.sql('ALTER TABLE gone ADD id INT AUTO_INCREMENT PRIMARY KEY', 'd');
    await expect(replica.replicate()).rejects.toMatchObject({ code: 'ddl-failed', message: expect.stringContaining('1146') });
  });
});
