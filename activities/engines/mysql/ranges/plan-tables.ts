/** Which tables a stream copies, and how large they are about. */
import type { Connection } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { TableName } from '../../../vocabulary.js';
import type { Selection, TablePlan } from '../../engine.js';
import { readAllForeignKeys } from '../apply/foreign-keys.js';
import { tableInScope } from '../binlog/scope.js';
import { copyWaves } from './copy-waves.js';
import { textRows } from './exact-query.js';

/** Names alone, those of versioned tables too: for what is to be found, not copied. */
export async function listTables(connection: Connection, selection: Selection): Promise<readonly TableName[]> {
  if (selection.databases.length === 0) return [];
  const rows = await textRows(
    connection,
    `SELECT table_schema, table_name FROM information_schema.tables
     WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_schema IN (?) ORDER BY 1, 2`,
    [selection.databases],
  );
  return rows.map(([database, table]) => ({ database: database ?? '', table: table ?? '' })).filter((it) => tableInScope(selection, it));
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
  const versioned = tables.find(
    (row) => row[4] === 'SYSTEM VERSIONED' && tableInScope(selection, { database: row[0] ?? '', table: row[1] ?? '' }),
  );
  if (versioned !== undefined)
    throw new SrdfError('not-supported', {
      tried: 'planning the tables to copy',
      found: `${versioned[0]}.${versioned[1]} is system-versioned: the rows of its history can't be copied exactly yet`,
      action: `Exclude it: add ${versioned[0]}.${versioned[1]} to streams[].exclude in srdf.yaml`,
    });
  const waveOf = copyWaves(await readAllForeignKeys(connection), (it) => keyed.has(JSON.stringify([it.database, it.table])));
  return tables
    .map(([database, table, rows, bytes]) => ({
      database: database ?? '',
      table: table ?? '',
      estimatedRows: Number(rows),
      estimatedBytes: Number(bytes),
      keyed: keyed.has(JSON.stringify([database, table])),
    }))
    .filter((it) => tableInScope(selection, it))
    .map((it) => {
      const wave = waveOf(it);
      return wave === 0 ? it : { ...it, wave };
    })
    .sort((a, b) => b.estimatedBytes - a.estimatedBytes || (a.database + a.table < b.database + b.table ? -1 : 1));
}
