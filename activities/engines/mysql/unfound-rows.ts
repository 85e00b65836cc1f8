/**
 * Part of the preflight of a MySQL source: tables without any key whose rows MySQL itself doesn't find when it applies row events. It looks them up
 * by an index where there is one, and by a SPATIAL one finds nothing (seen with 9.7: error 1032).
 */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Finding, Selection } from '../engine.js';
import { tableInScope } from './binlog/scope.js';
import { nameOf, quoteName, quoteTable } from './ranges/sql-literals.js';

export async function checkUnfoundRows(connection: Connection, selection: Selection, databases: readonly string[]): Promise<Finding[]> {
  // A UNIQUE key over whole columns that are NOT NULL stands in for a primary key.
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, INDEX_NAME AS indexName, MAX(INDEX_TYPE = 'SPATIAL') AS isSpatial,
       MAX(NON_UNIQUE = 1 OR NULLABLE = 'YES' OR SUB_PART IS NOT NULL OR COLUMN_NAME IS NULL) AS isNoKey
     FROM information_schema.STATISTICS WHERE TABLE_SCHEMA IN (?) GROUP BY 1, 2, 3`,
    [databases],
  );
  const tableOf = (row: RowDataPacket) => ({ database: String(row.db), table: String(row.name) });
  const keyed = new Set(rows.filter((row) => Number(row.isNoKey) === 0).map((row) => quoteTable(tableOf(row))));
  return rows
    .filter((row) => Number(row.isSpatial) === 1 && !keyed.has(quoteTable(tableOf(row))) && tableInScope(selection, tableOf(row)))
    .map((row) => {
      const table = tableOf(row);
      return {
        severity: 'error',
        check: 'primary-key',
        found: `${nameOf(table)} has no primary key, and a SPATIAL index (${row.indexName}) by which MySQL doesn’t find rows again`,
        fix: `ALTER TABLE ${quoteTable(table)} ADD COLUMN id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY; or: ALTER TABLE ${quoteTable(table)} DROP INDEX ${quoteName(String(row.indexName))}; or exclude the table`,
      };
    });
}
