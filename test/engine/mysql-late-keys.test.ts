/** Keys that are made once a table's rows are in, on real servers: in the end the table is what it was, whatever is repeated. */
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BOOTSTRAP_TABLES } from '../../activities/engines/mysql/ranges/bootstrap-tables.js';
import { makeKeys, putOffKeys, tablesWithoutKeys } from '../../activities/engines/mysql/ranges/late-keys.js';
import type { BootstrapId } from '../../activities/vocabulary.js';
import { DatabaseServer } from '../servers/database-server.js';
import { BOOTSTRAP, beginLoading, openTarget, STREAM } from './mysql-copy-between.js';

describe.each(['mariadb', 'mysql'] as const)('keys that are put off, on %s', (kind) => {
  let server: DatabaseServer;
  let target: Connection;
  const large = { database: 'shop', table: 'larg`e' };
  const definition = async (): Promise<string> => String((await server.sql('SHOW CREATE TABLE shop.`larg``e`'))[0]?.['Create Table']);
  const load = (): Promise<unknown> =>
    server.sql(
      "INSERT INTO shop.`larg``e` VALUES (1, 1, 'x', NULL, 'y'); INSERT INTO srdf.bootstrap_ranges VALUES ('shop', 'shop', 'larg`e', '000000-a', 0, 0, 1, REPEAT('0', 64), 1)",
    );

  beforeAll(async () => {
    server = await DatabaseServer.start({ kind });
    target = await openTarget(server);
    await beginLoading(target);
    for (const statement of BOOTSTRAP_TABLES) await target.query(statement);
    await server.sql('CREATE DATABASE shop');
  }, 60_000);
  afterAll(async () => {
    target?.destroy();
    await server?.remove();
  });

  it('are gone while rows come in, and then there again in their order', async () => {
    await server.sql(
      'CREATE TABLE shop.`larg``e` (id INT AUTO_INCREMENT PRIMARY KEY, u INT UNIQUE, a VARCHAR(20), b TEXT, c VARCHAR(9), KEY z (a, u), ' +
        "KEY `a``,b` (b(7)) COMMENT 'it''s \\\\ one, two', FULLTEXT KEY f (b), KEY m (c DESC))",
    );
    const before = await definition();
    await putOffKeys(target, STREAM, BOOTSTRAP, large);
    expect(await definition()).toMatch(/PRIMARY KEY[\s\S]*UNIQUE KEY `u`[\s\S]*FULLTEXT KEY/);
    expect(await definition()).not.toMatch(/\n {2}KEY/);
    expect(await tablesWithoutKeys(target, STREAM, BOOTSTRAP)).toEqual(['shop.larg`e']);
    await putOffKeys(target, STREAM, BOOTSTRAP, large);
    await load();
    for (let time = 0; time < 2; time++) {
      await makeKeys(target, STREAM, BOOTSTRAP, large);
      expect((await definition()).replace(/ AUTO_INCREMENT=\d+/, '')).toBe(before);
    }
    expect(await tablesWithoutKeys(target, STREAM, BOOTSTRAP)).toEqual([]);
  });

  it('stay once rows are in, whoever comes late', async () => {
    const before = await definition();
    await putOffKeys(target, STREAM, BOOTSTRAP, large);
    expect(await definition()).toBe(before);
    await expect(putOffKeys(target, STREAM, 'another' as BootstrapId, large)).rejects.toMatchObject({ code: 'ledger-inconsistent' });
  });

  it('stay where a foreign key stands on them', async () => {
    await server.sql(
      'CREATE TABLE shop.parent (id INT PRIMARY KEY, code INT, KEY code (code)); ' +
        'CREATE TABLE shop.child (id INT PRIMARY KEY, parent INT, KEY parent (parent), CONSTRAINT c FOREIGN KEY (parent) REFERENCES parent (id))',
      'shop',
    );
    for (const table of ['parent', 'child']) {
      await putOffKeys(target, STREAM, BOOTSTRAP, { database: 'shop', table });
      const [row] = await server.sql(`SHOW CREATE TABLE shop.${table}`);
      expect(row?.['Create Table']).toMatch(/\n {2}KEY/);
    }
  });

  it('are made though a part of them is there, and refused for a table that became another', async () => {
    await server.sql('DELETE FROM srdf.bootstrap_ranges; TRUNCATE shop.`larg``e`');
    const before = await definition();
    await putOffKeys(target, STREAM, BOOTSTRAP, large);
    await load();
    await server.sql('ALTER TABLE shop.`larg``e` ADD KEY z (a, u)');
    await makeKeys(target, STREAM, BOOTSTRAP, large);
    expect((await definition()).replace(/ AUTO_INCREMENT=\d+/, '')).toBe(before.replace(/ AUTO_INCREMENT=\d+/, ''));
    await server.sql('DELETE FROM srdf.bootstrap_ranges; TRUNCATE shop.`larg``e`');
    await putOffKeys(target, STREAM, BOOTSTRAP, large);
    await load();
    await server.sql('ALTER TABLE shop.`larg``e` ADD COLUMN more INT');
    await expect(makeKeys(target, STREAM, BOOTSTRAP, large)).rejects.toMatchObject({ code: 'bootstrap-range-lost' });
  });
});
