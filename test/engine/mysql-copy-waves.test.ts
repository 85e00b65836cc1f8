/** In which order tables that foreign keys' actions run through are copied, as a source's account with its documented rights sees them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Selection } from '../../activities/engines/engine.js';
import { openConnection } from '../../activities/engines/mysql/connection.js';
import { inspectSource } from '../../activities/engines/mysql/inspect-source.js';
import { planRanges } from '../../activities/engines/mysql/ranges/plan-ranges.js';
import { planTables } from '../../activities/engines/mysql/ranges/plan-tables.js';
import { type Account, createAccount } from '../servers/accounts.js';
import { DatabaseServer, type ServerKind } from '../servers/database-server.js';

describe.each<ServerKind>(['mariadb', 'mysql'])('%s: tables with cascading foreign keys', (kind) => {
  let server: DatabaseServer;
  let account: Account;
  const selection = { databases: ['d'], include: [], exclude: [] };
  beforeAll(async () => {
    server = await DatabaseServer.start({ kind, name: 'waves', options: kind === 'mysql' ? ['--innodb-native-foreign-keys=ON'] : [] });
    account = await createAccount(server, 'source', ['d', 'd2']);
  });
  afterAll(async () => await server?.remove());

  const access = () =>
    ({ server: { host: '127.0.0.1', port: server.port, user: account.user }, password: account.password, role: 'source' }) as const;
  const withTables = async (...tables: readonly string[]): Promise<void> =>
    void (await server.sql(
      `SET foreign_key_checks=0; DROP DATABASE IF EXISTS d; DROP DATABASE IF EXISTS d2; CREATE DATABASE d; CREATE DATABASE d2; USE d; ${tables.join(';')}`,
    ));
  const waves = async (): Promise<Readonly<Record<string, number>>> => {
    const connection = await openConnection(access());
    try {
      const tables = await planTables(connection, selection);
      return Object.fromEntries(tables.map((it) => [it.table, it.wave ?? 0]));
    } finally {
      await connection.end();
    }
  };
  const ranges = async (table: string): Promise<number> => {
    const connection = await openConnection(access());
    try {
      return (await planRanges(connection, { database: 'd', table }, 1)).boundaries.length + 1;
    } finally {
      await connection.end();
    }
  };
  const child = (name: string, parent: string, action: string): string =>
    `CREATE TABLE ${name} (id INT PRIMARY KEY, up INT, KEY (up), FOREIGN KEY (up) REFERENCES ${parent} (id) ${action})`;

  it('a grandchild waits for the child through which its rows go', async () => {
    await withTables(
      'CREATE TABLE customer (id INT PRIMARY KEY)',
      child('orders', 'customer', 'ON DELETE CASCADE'),
      child('line', 'orders', 'ON DELETE CASCADE'),
      child('note', 'line', 'ON DELETE SET NULL'),
      child('refusing', 'orders', 'ON DELETE RESTRICT'),
      child('loose', 'orders', 'ON DELETE SET NULL'),
    );
    expect(await waves()).toEqual({ customer: 0, orders: 0, line: 1, note: 2, refusing: 0, loose: 1 });
  });

  it('a child of a table without primary key waits for it', async () => {
    await withTables('CREATE TABLE loose (id INT NOT NULL, UNIQUE KEY (id))', child('child', 'loose', 'ON DELETE CASCADE'));
    expect(await waves()).toEqual({ loose: 0, child: 1 });
  });

  it('an action that changes no column others refer to leads no further', async () => {
    await withTables(child('team', 'd.member', 'ON DELETE SET NULL'), child('member', 'd.team', 'ON DELETE SET NULL'));
    expect(await waves()).toEqual({ team: 0, member: 0 });
  });

  it('a tree is copied in one range, another table in many', async () => {
    await withTables(child('tree', 'd.tree', 'ON DELETE CASCADE'), 'CREATE TABLE flat (id INT PRIMARY KEY)');
    await server.sql(
      'SET foreign_key_checks=0; INSERT INTO d.tree VALUES (1, NULL), (2, 1), (3, 2); INSERT INTO d.flat VALUES (1), (2), (3)',
    );
    expect(await ranges('flat')).toBeGreaterThan(1);
    expect(await ranges('tree')).toBe(1);
  });

  it('tables that delete each other’s rows in a circle are refused', async () => {
    await withTables(child('hen', 'd.egg', 'ON DELETE CASCADE'), child('egg', 'd.hen', 'ON DELETE CASCADE'));
    await expect(waves()).rejects.toMatchObject({ code: 'not-supported' });
  });

  it('a table with a foreign key to one that isn’t replicated is refused by the preflight', async () => {
    await withTables(
      'CREATE TABLE d2.parent (id INT PRIMARY KEY)',
      child('child', 'd2.parent', 'ON DELETE CASCADE'),
      child('checked', 'd2.parent', 'ON DELETE RESTRICT'),
    );
    const errors = async (chosen: Selection) =>
      (await inspectSource({ ...access(), serverId: 77 }, chosen)).findings.filter((it) => it.check === 'foreign-key');
    const found = await errors(selection);
    expect(found.map((it) => [it.severity, it.found]).sort()).toEqual([
      ['error', expect.stringContaining('d.checked has a foreign key to d2.parent')],
      ['error', expect.stringContaining('rows of d.child are deleted or changed')],
    ]);
    expect(
      await errors({
        ...selection,
        exclude: [
          { database: 'd', table: 'child' },
          { database: 'd', table: 'checked' },
        ],
      }),
    ).toEqual([]);
    expect(await errors({ ...selection, databases: ['d', 'd2'] })).toEqual([]);
  });
});
