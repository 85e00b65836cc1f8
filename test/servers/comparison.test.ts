import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareByDump, compareBySql } from './comparison.js';
import { DatabaseServer } from './database-server.js';

/** The judge itself is judged: it must see every difference it is asked to see. */
describe('the comparison of two servers', () => {
  let source: DatabaseServer;
  let target: DatabaseServer;
  beforeAll(async () => {
    [source, target] = await Promise.all([DatabaseServer.start({ kind: 'mariadb' }), DatabaseServer.start({ kind: 'mariadb' })]);
  });
  afterAll(async () => {
    await Promise.all([source?.remove(), target?.remove()]);
  });
  const SAME = `CREATE OR REPLACE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARBINARY(10), n DECIMAL(5,2), at TIMESTAMP NULL);
    INSERT INTO d.t VALUES (1, 'a', 1.50, '2024-01-01'), (2, NULL, NULL, NULL), (3, '', 0, NULL); CREATE TABLE d.keyless (x INT); INSERT INTO d.keyless VALUES (1),(1);
    CREATE VIEW d.v AS SELECT id FROM d.t; CREATE PROCEDURE d.p() SELECT 1`;
  const differences = async (ours: string, theirs: string): Promise<string[]> => {
    await source.sql(`${SAME}; ${ours}`);
    await target.sql(`${SAME}; ${theirs}`);
    const [bySql, byDump] = [await compareBySql(source, target, ['d']), await compareByDump(source, target, ['d'])];
    expect(byDump.length > 0).toBe(bySql.differences.length > 0);
    return bySql.differences.map((it) => it.where.replace('\u0000', '.'));
  };

  it('finds equal sides equal, and counts what it has read', async () => {
    expect(await differences('DO 0', 'DO 0')).toEqual([]);
    expect(await compareBySql(source, target, ['d'])).toMatchObject({ tables: 2, rows: 5 });
  });
  it('does not take the next AUTO_INCREMENT for a difference', async () => {
    expect(await differences('ALTER TABLE d.t AUTO_INCREMENT = 100', 'DO 0')).toEqual([]);
  });
  it.each([
    ['a value', "UPDATE d.t SET v = 'b' WHERE id = 1", ['d.t']],
    ["NULL and ''", 'UPDATE d.t SET v = NULL WHERE id = 3', ['d.t']],
    ['a missing row', 'DELETE FROM d.t WHERE id = 2', ['d.t']],
    ['a doubled row without key', 'INSERT INTO d.keyless VALUES (1)', ['d.keyless']],
    ['a column', 'ALTER TABLE d.t MODIFY n DECIMAL(6,2)', ['schema: table d.t']],
    ['a view', 'CREATE OR REPLACE VIEW d.v AS SELECT id + 0 AS id FROM d.t', ['schema: view d.v']],
    ['a routine', 'CREATE OR REPLACE PROCEDURE d.p() SELECT 2', ['schema: routine d.p']],
    ['a table', 'CREATE TABLE d.more (id INT)', ['schema: table d.more']],
  ])('sees %s that differs', async (_what, statement, where) => {
    expect(await differences(statement, 'DO 0')).toEqual(where);
    expect(await differences('DO 0', statement)).toEqual(where);
  });
});
