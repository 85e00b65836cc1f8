/** Takes tables back to nothing, so that they can be created and copied again from a later position on. */
import type { Connection } from 'mysql2/promise';
import type { BootstrapId, Position, StreamName, TableName } from '../../../vocabulary.js';
import { alone } from './alone.js';
import { forgetTable, newestPlan, recordBaseline, requireLoading } from './bootstrap-bookkeeping.js';
import { textRows } from './exact-query.js';
import { nameOf, quoteTable } from './sql-literals.js';

/**
 * Repeatable. First the bookkeeping, in one transaction: it waits for loads under way and refuses those that come late. Then the
 * DROP, which can't be part of a transaction; a crash between the two leaves a table that the repetition drops. Both under the table's lock, so that
 * no range can be loaded in between. An attempt that was given up and comes once ranges of this round are in changes nothing: `round` is what the
 * names of its plans begin with.
 */
export async function resetTables(
  connection: Connection,
  stream: StreamName,
  bootstrap: BootstrapId,
  tables: readonly TableName[],
  baseline: Position,
  { round, signal }: { readonly round: number; readonly signal?: AbortSignal },
): Promise<void> {
  for (const table of tables) {
    signal?.throwIfAborted();
    const tried = `resetting ${nameOf(table)}`;
    const reset = async (): Promise<void> => {
      await requireLoading(connection, stream, bootstrap, tried);
      if ((await newestPlan(connection, stream, table)) >= String(round).padStart(6, '0')) return;
      await forget(connection, stream, bootstrap, table, baseline, tried);
      await dropTable(connection, table);
    };
    await alone(connection, stream, null, tried, () => alone(connection, stream, table, tried, reset));
  }
}

async function forget(
  connection: Connection,
  stream: StreamName,
  bootstrap: BootstrapId,
  table: TableName,
  baseline: Position,
  tried: string,
): Promise<void> {
  await connection.beginTransaction();
  try {
    await requireLoading(connection, stream, bootstrap, tried);
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
