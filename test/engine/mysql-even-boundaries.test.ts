/** How a large table is cut without reading it: by arithmetic where its key lies evenly, by its index where it doesn't; never a row left out. */
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openConnection } from '../../activities/engines/mysql/connection.js';
import { planRanges } from '../../activities/engines/mysql/ranges/plan-ranges.js';
import { rangeCondition } from '../../activities/engines/mysql/ranges/range-condition.js';
import { DatabaseServer, type ServerKind } from '../servers/database-server.js';

const ROWS = 20_000;
const ROWS_A_RANGE = 1_000;

describe.each<ServerKind>(['mariadb', 'mysql'])('%s: a table too large to be walked', (kind) => {
  let server: DatabaseServer;
  let connection: Connection;
  beforeAll(async () => {
    server = await DatabaseServer.start({ kind, name: 'even' });
    connection = await openConnection({
      server: { host: '127.0.0.1', port: server.port, user: 'root' },
      password: '',
      role: 'source',
    });
    const deep = kind === 'mariadb' ? 'max_recursive_iterations' : 'cte_max_recursion_depth';
    await server.sql(
      `CREATE DATABASE d; CREATE TABLE d.n (n INT PRIMARY KEY); SET SESSION ${deep}=${ROWS + 1};
       INSERT INTO d.n WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < ${ROWS}) SELECT n FROM r`,
    );
  });
  afterAll(async () => {
    await connection?.end();
    await server?.remove();
  });

  /** A table whose keys are `value` of the numbers from 1 to 20,000, planned as if it were large; the rows of each of its ranges. */
  const planned = async (key: string, value: string, more = ''): Promise<{ boundaries: number; rows: number[] }> => {
    await server.sql(
      `DROP TABLE IF EXISTS t; CREATE TABLE t (id ${key} PRIMARY KEY, pad CHAR(100) NOT NULL DEFAULT ''); INSERT INTO t (id) SELECT ${value} FROM n; ${more} ANALYZE TABLE t`,
      'd',
    );
    const plan = await planRanges(connection, { database: 'd', table: 't' }, ROWS_A_RANGE, 0);
    const rows: number[] = [];
    for (let range = 0; range <= plan.boundaries.length; range++) {
      const [row] = await server.sql(`SELECT COUNT(*) AS n FROM t WHERE ${rangeCondition(['id'], plan, range)}`, 'd');
      rows.push(Number(row?.n));
    }
    return { boundaries: plan.boundaries.length, rows };
  };
  const sum = (rows: readonly number[]): number => rows.reduce((all, it) => all + it, 0);

  it.each([
    ['INT', 'n'],
    ['INT', 'n * 3 - 30000'],
    ['BIGINT', '-9223372036854775808 + n'],
    ['BIGINT UNSIGNED', '18446744073709551615 - n * 2'],
    ['BIGINT UNSIGNED', 'n - 1'],
  ])('%s keys of %s are cut into ranges of about the size asked for', async (key, value) => {
    const { boundaries, rows } = await planned(key, value);
    expect(sum(rows)).toBe(ROWS);
    expect(boundaries).toBeGreaterThan(10);
    expect(Math.max(...rows)).toBeLessThan(ROWS_A_RANGE * 2);
  });

  it('keys that crowd at one end are cut by their index', async () => {
    const { rows } = await planned('BIGINT', 'n', 'INSERT INTO t (id) VALUES (9000000000000000000);');
    expect(sum(rows)).toBe(ROWS + 1);
    expect(Math.max(...rows)).toBe(ROWS_A_RANGE);
  });

  it('keys that are no whole numbers are cut by their index', async () => {
    const { rows } = await planned('VARCHAR(20)', 'n');
    expect(sum(rows)).toBe(ROWS);
    expect(Math.max(...rows)).toBe(ROWS_A_RANGE);
  });
});
