/** Cuts a table into ranges of its primary key: no lock, no sort, one short statement a range. */
import type { Connection } from 'mysql2/promise';
import type { TableName } from '../../../vocabulary.js';
import type { RangePlan } from '../../engine.js';
import { readAllForeignKeys } from '../apply/foreign-keys.js';
import { reachesItself } from './copy-waves.js';
import { evenBoundaries } from './even-boundaries.js';
import { type Cell, RAW_RESULTS, rawRows } from './exact-query.js';
import { after } from './range-condition.js';
import { quoteName, quoteTable } from './sql-literals.js';
import { keyColumn, otherKey, readColumns, readPrimaryKey, requireColumns, type TableColumn } from './table-columns.js';

/** Bytes of rows that a range holds at most, about: several bodies of a wagon, since each range costs Temporal its steps; of a large table more. */
const RANGE_BYTES = 48 * 2 ** 20;
const RANGE_BYTES_MOST = 64 * 2 ** 20;
/** Ranges enough that the last of them don't keep one site waiting for the other. */
const RANGES = 24;
/** A smaller table's key is walked, within about a second: then each range holds as many rows as was asked for. */
const WALKED_BYTES = 128 * 2 ** 20;

/**
 * `rowsPerRange`: at most, about that of a table larger than `walkedBytes`; of wide rows fewer. Any cut is right: whatever moves afterwards falls into exactly
 * one range, since (low, high] of neighbours meet without gap or overlap under the column's own order.
 * A table without primary key: no key columns, one range. A tree with ON DELETE CASCADE: one range, since all of it must be of one moment.
 */
export async function planRanges(
  connection: Connection,
  table: TableName,
  rowsPerRange: number,
  walkedBytes = WALKED_BYTES,
): Promise<RangePlan> {
  const foreignKeys = await readAllForeignKeys(connection);
  await connection.query(RAW_RESULTS);
  const columns = await readColumns(connection, table);
  requireColumns(table, columns);
  const keyColumns = await readPrimaryKey(connection, table);
  if (keyColumns.length === 0 || reachesItself(foreignKeys, table)) return { keyColumns, boundaries: [] };
  const size = await sizeOf(connection, table);
  const rows = Math.min(rowsPerRange, rowsOfRange(size));
  const column = columns.find(({ name }) => keyColumns.length === 1 && name === keyColumns[0]);
  const even =
    column !== undefined && size.bytes > walkedBytes && size.rows > rows
      ? await evenBoundaries(connection, table, column, { ranges: Math.ceil(size.rows / rows), rows })
      : null;
  return {
    keyColumns,
    boundaries: even ?? (await walkedBoundaries(connection, table, keyColumns, keysOf(table, columns, keyColumns), rows)),
  };
}

/** Each `rows` rows one, by the key's index. */
async function walkedBoundaries(
  connection: Connection,
  table: TableName,
  keyColumns: readonly string[],
  keys: readonly ReturnType<typeof keyColumn>[],
  rows: number,
): Promise<string[][]> {
  const boundaries: string[][] = [];
  for (;;) {
    const last = boundaries.at(-1);
    const condition =
      last === undefined
        ? 'TRUE'
        : after(
            keys.map((it) => it.expression),
            last,
          );
    const [row] = await rawRows(
      connection,
      `SELECT ${keys.map((it) => it.select).join(', ')} FROM ${quoteTable(table)} FORCE INDEX (PRIMARY) WHERE ${condition}
       ORDER BY ${keyColumns.map(quoteName).join(', ')} LIMIT 1 OFFSET ${rows - 1}`,
    );
    if (row === undefined) return boundaries;
    boundaries.push(keys.map((it, index) => it.literal(row[index] ?? new Uint8Array())));
  }
}

interface TableSize {
  readonly rows: number;
  /** Of the rows, without secondary keys. */
  readonly bytes: number;
  readonly rowBytes: number;
}

/** By the server's estimates. */
async function sizeOf(connection: Connection, table: TableName): Promise<TableSize> {
  const found = await rawRows(
    connection,
    'SELECT table_schema, table_name, table_rows, data_length, avg_row_length FROM information_schema.tables WHERE table_schema = ? AND table_name = ?',
    [table.database, table.table],
  );
  const row = found.find((it) => textOf(it[0]) === table.database && textOf(it[1]) === table.table);
  const [rows = 0, bytes = 0, rowBytes = 0] = (row ?? []).slice(2).map((it) => Number(textOf(it)));
  return { rows, bytes, rowBytes };
}

function rowsOfRange({ bytes, rowBytes }: TableSize): number {
  const rangeBytes = Math.min(RANGE_BYTES_MOST, Math.max(RANGE_BYTES, bytes / RANGES));
  return Math.max(1, Math.floor(rangeBytes / Math.max(1, rowBytes)));
}
const textOf = (cell: Cell | undefined): string => (cell == null ? '' : Buffer.from(cell).toString('utf8'));

/** The key columns as a range compares by them, in the key's order. */
export function keysOf(
  table: TableName,
  columns: readonly TableColumn[],
  keyColumns: readonly string[],
): readonly ReturnType<typeof keyColumn>[] {
  return keyColumns.map((name) => {
    const column = columns.find((it) => it.name === name);
    if (column === undefined) throw otherKey(table);
    return keyColumn(column);
  });
}
