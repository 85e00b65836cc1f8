/** A server that keeps names in lower case: statements write them as they like, and mean the same. MySQL's takes the setting at its making alone. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Selection } from '../../activities/engines/engine.js';
import { currentPosition, inspectSource, readLog } from '../../activities/engines/mysql/read-log.js';
import { DatabaseServer } from '../servers/database-server.js';

const SELECTION: Selection = { databases: ['shop'], include: [], exclude: [{ database: 'shop', table: 'log' }] };
let server: DatabaseServer;
const source = () => ({
  server: { host: '127.0.0.1', port: server.port, user: 'root' },
  password: null,
  role: 'source' as const,
  serverId: 9_001,
});
beforeAll(async () => {
  server = await DatabaseServer.start({ kind: 'mariadb', options: ['--lower-case-table-names=1'] });
  await server.sql('CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY); CREATE TABLE shop.log (id INT PRIMARY KEY)');
});
afterAll(async () => await server?.remove());

it('a statement in scope is read however it is written, and one about an excluded table isn’t', async () => {
  const from = await currentPosition(source());
  await server.sql(
    'TRUNCATE Shop.Item; TRUNCATE shop.LOG; ALTER TABLE SHOP.LOG COMMENT "x"; USE ShoP; INSERT INTO ITEM VALUES (1); INSERT INTO Log VALUES (1)',
  );
  const seen: string[] = [];
  for await (const { items } of readLog(source(), from, { selection: SELECTION }))
    for (const item of items) {
      if (item.kind === 'ddl') seen.push(`${item.statement.classification.verb} ${item.statement.classification.names[0]?.table}`);
      if (item.kind === 'rows') seen.push(`${item.operation} ${item.table.table}`);
    }
  expect(seen).toEqual(['truncate Item', 'insert item']);
});

it('names in the config that it can’t have are told', async () => {
  const errors = async (selection: Selection) =>
    (await inspectSource(source(), selection)).findings.filter((it) => it.severity === 'error').map((it) => it.fix);
  expect(await errors(SELECTION)).toEqual([]);
  expect(await errors({ ...SELECTION, exclude: [{ database: 'shop', table: 'Log' }] })).toEqual([
    'Write shop.log in srdf.yaml, at both sites',
  ]);
});
