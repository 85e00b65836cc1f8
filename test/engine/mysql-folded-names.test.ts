/** A server that keeps names in lower case: statements write them as they like, and mean the same. MySQL's takes the setting at its making alone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changedBy } from '../../activities/bootstrap/table-order.js';
import type { Selection } from '../../activities/engines/engine.js';
import { tableInScope } from '../../activities/engines/mysql/binlog/scope.js';
import { currentPosition, inspectSource, readLog, scanDdl } from '../../activities/engines/mysql/read-log.js';
import { DatabaseServer } from '../servers/database-server.js';
import { MysqlReplica, STREAM } from './mysql-replica.js';

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
  expect(seen).toEqual(['truncate item', 'insert item']);
});

it('names in the config that it can’t have are told', async () => {
  const errors = async (selection: Selection) =>
    (await inspectSource(source(), selection)).findings.filter((it) => it.severity === 'error').map((it) => it.fix);
  expect(await errors(SELECTION)).toEqual([]);
  expect(await errors({ ...SELECTION, exclude: [{ database: 'shop', table: 'Log' }] })).toEqual([
    'Write shop.log in srdf.yaml, at both sites',
  ]);
});

describe('a pair of such servers', () => {
  let replica: MysqlReplica;
  beforeAll(async () => {
    replica = await MysqlReplica.start('mariadb', ['shop'], ['--lower-case-table-names=1']);
    await replica.run('CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY); INSERT INTO shop.item VALUES (1)');
  });
  afterAll(async () => await replica?.remove());
  const expectEqual = async (): Promise<void> => {
    const { source, target } = await replica.dumps(['--routines']);
    expect(target).toBe(source);
  };

  it('follows statements however they are written, and what hangs on their tables', async () => {
    await replica.run(
      `ALTER TABLE SHOP.Item ADD COLUMN Note VARCHAR(9); CREATE TRIGGER Shop.Checked BEFORE INSERT ON Shop.ITEM FOR EACH ROW SET NEW.note = 'x';
       CREATE EVENT shop.Nightly ON SCHEDULE EVERY 1 DAY DO SELECT 1; CREATE PROCEDURE Shop.Look () SELECT 1; CREATE VIEW Shop.Seen AS SELECT id FROM Item`,
      'shop',
    );
    await expectEqual();
    const kept = async (): Promise<unknown[]> =>
      (await replica.target.sql('SELECT object_name AS name FROM srdf.deferred_objects ORDER BY object_name')).map((row) => row.name);
    expect(await kept()).toHaveLength(2);
    await replica.run(
      'DROP VIEW SHOP.SEEN; RENAME TABLE Shop.Item TO Shop.Article; DROP EVENT Shop.Nightly; DROP TABLE SHOP.ARTICLE',
      'shop',
    );
    await expectEqual();
    expect(await kept()).toEqual([]);
  });

  it('a table that was emptied while it was copied is copied again, and not emptied once more', async () => {
    await replica.run('CREATE TABLE shop.cart (id INT PRIMARY KEY)');
    const from = await replica.position();
    await replica.source.sql('TRUNCATE Shop.CART; INSERT INTO shop.cart VALUES (1)');
    const to = await replica.position();
    const statements = await scanDdl(replica.access(), from, to, replica.selection);
    const { tables } = changedBy(
      statements.map((it) => it.classification),
      (name) => tableInScope(replica.selection, name),
    );
    expect(tables).toEqual([{ database: 'shop', table: 'cart' }]);
    // As the copy leaves it.
    await replica.target.sql('INSERT INTO shop.cart VALUES (1)');
    await replica.target.sql(`INSERT INTO srdf.table_baselines VALUES ('${STREAM}', 'table', 'shop', 'cart', '${to}')`);
    await replica.target.sql(`UPDATE srdf.ledger SET phase = 'catching-up', consistent_from = '${to}'`);
    await replica.replicate();
    expect((await replica.ledger()).phase).toBe('consistent');
    await expectEqual();
  });
});
