/** Takes tables back to nothing, so that they can be created and copied again from a later position on. */
import type { Connection } from 'mysql2/promise';
import type { BootstrapId, Position, StreamName, TableName } from '../../../vocabulary.js';
import { forgetTable, recordBaseline, requireLoading } from './bootstrap-bookkeeping.js';
import { textRows } from './exact-query.js';
import { nameOf, quoteTable } from './sql-literals.js';

/**
 * Repeatable. First the bookkeeping, in one transaction: it waits for loads under way and refuses those that come late. Then the
 * DROP, which can't be part of a transaction; a crash between the two leaves a table that the repetition drops.
 */
export async function resetTables(
  connection: Connection,
  stream: StreamName,
  bootstrap: BootstrapId,
  tables: readonly TableName[],
  baseline: Position,
): Promise<void> {
  for (const table of tables) {
    await connection.beginTransaction();
    try {
      await requireLoading(connection, stream, bootstrap, `resetting ${nameOf(table)}`);
      await forgetTable(connection, stream, table);
      await recordBaseline(connection, stream, 'table', table, baseline);
      await connection.query('DELETE FROM srdf.deferred_objects WHERE stream = ? AND database_name = ? AND on_table = ?', [
        stream,
        table.database,
        table.table,
      ]);
      await connection.commit();
    } catch (error) {
      await connection.rollback().catch(() => undefined);
      throw error;
    }
    await dropTable(connection, table);
  }
}

async function dropTable(connection: Connection, table: TableName): Promise<void> {
  const rows = await textRows(
    connection,
    'SELECT table_type, table_schema, table_name FROM information_schema.tables WHERE table_schema = ? AND table_name = ?',
    [table.database, table.table],
  );
  const type = rows.find((row) => row[1] === table.database && row[2] === table.table)?.[0];
  if (type === undefined) return;
  const kind = type === 'VIEW' ? 'VIEW' : type === 'SEQUENCE' ? 'SEQUENCE' : 'TABLE';
  // Other tables' foreign keys to it stay: it is created again under its name.
  await connection.query('SET SESSION foreign_key_checks=0');
  try {
    await connection.query(`DROP ${kind} IF EXISTS ${quoteTable(table)}`);
  } finally {
    await connection.query('SET SESSION foreign_key_checks=1').catch(() => undefined);
  }
}
