/** Which tables a stream copies, and how large they are about. */
import type { Connection } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { Selection, TablePlan } from '../../engine.js';
import { textRows } from './exact-query.js';

/** Never replicated, whatever is selected: the servers' own databases and SRDF's bookkeeping. */
export const SYSTEM_DATABASES: ReadonlySet<string> = new Set(['mysql', 'information_schema', 'performance_schema', 'sys', 'srdf']);

/** Pure: whether a table (or view, or another object of that name) belongs to the selection. */
export function isSelected(selection: Selection, database: string, table: string): boolean {
  if (SYSTEM_DATABASES.has(database.toLowerCase()) || !selection.databases.includes(database)) return false;
  const names = (list: Selection['include']) => list.some((it) => it.database === database && it.table === table);
  return (selection.include.length === 0 || names(selection.include)) && !names(selection.exclude);
}

/** Base tables of the selection, views and sequences left out; sizes are the server's estimates. Largest first. */
export async function planTables(connection: Connection, selection: Selection): Promise<readonly TablePlan[]> {
  if (selection.databases.length === 0) return [];
  const keyed = new Set(
    (
      await textRows(
        connection,
        `SELECT table_schema, table_name FROM information_schema.statistics
         WHERE index_name = 'PRIMARY' AND seq_in_index = 1 AND table_schema IN (?)`,
        [selection.databases],
      )
    ).map((row) => JSON.stringify(row)),
  );
  const tables = await textRows(
    connection,
    `SELECT table_schema, table_name, COALESCE(table_rows, 0), COALESCE(data_length, 0), table_type
     FROM information_schema.tables WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_schema IN (?)`,
    [selection.databases],
  );
  const versioned = tables.find((row) => row[4] === 'SYSTEM VERSIONED' && isSelected(selection, row[0] ?? '', row[1] ?? ''));
  if (versioned !== undefined)
    throw new SrdfError('not-supported', {
      tried: 'planning the tables to copy',
      found: `${versioned[0]}.${versioned[1]} is system-versioned: the rows of its history can't be copied exactly yet`,
      action: `Exclude it: add ${versioned[0]}.${versioned[1]} to streams[].exclude in srdf.yaml`,
    });
  return tables
    .map(([database, table, rows, bytes]) => ({
      database: database ?? '',
      table: table ?? '',
      estimatedRows: Number(rows),
      estimatedBytes: Number(bytes),
      keyed: keyed.has(JSON.stringify([database, table])),
    }))
    .filter((it) => isSelected(selection, it.database, it.table))
    .sort((a, b) => b.estimatedBytes - a.estimatedBytes || (a.database + a.table < b.database + b.table ? -1 : 1));
}
