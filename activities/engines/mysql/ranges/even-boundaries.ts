/**
 * Boundaries of a whole-number key by arithmetic, where its values lie evenly enough: walking the key's index instead reads all of a table
 * once more, on a production server whose memory holds other things.
 */
import type { Connection } from 'mysql2/promise';
import type { TableName } from '../../../vocabulary.js';
import { rawRows } from './exact-query.js';
import { quoteName, quoteTable } from './sql-literals.js';
import type { TableColumn } from './table-columns.js';

const WHOLE_NUMBERS: ReadonlySet<string> = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint']);
/** The server's estimate of a range's rows, from two places of the index, is off by half or by twice even where values lie evenly. */
const SLACK = 4;

/**
 * `ranges` of about `rows` rows each. `column` is the whole key. null: it isn't a whole number, or the server
 * expects far more rows in one of the ranges: then the index has to be walked.
 */
export async function evenBoundaries(
  connection: Connection,
  table: TableName,
  column: TableColumn,
  { ranges, rows }: { readonly ranges: number; readonly rows: number },
): Promise<string[][] | null> {
  if (!WHOLE_NUMBERS.has(column.type)) return null;
  const name = quoteName(column.name);
  // With FORCE MySQL doesn't look into the index for what it expects, and says 1.
  const from = `FROM ${quoteTable(table)} USE INDEX (PRIMARY)`;
  const [ends] = await rawRows(connection, `SELECT MIN(${name}), MAX(${name}) ${from}`);
  const [lowest, highest] = (ends ?? []).map((it) => (it === null ? null : BigInt(Buffer.from(it).toString('latin1'))));
  if (lowest == null || highest == null || highest - lowest < BigInt(ranges)) return null;
  const boundaries = Array.from({ length: ranges - 1 }, (_, index) => lowest + ((highest - lowest) * BigInt(index + 1)) / BigInt(ranges));
  for (const [index, low] of [lowest - 1n, ...boundaries].entries()) {
    const condition = `${name} > ${low} AND ${name} <= ${boundaries[index] ?? highest}`;
    if ((await expectedRows(connection, `SELECT ${name} ${from} WHERE ${condition}`)) > rows * SLACK) return null;
  }
  return boundaries.map((it) => [String(it)]);
}

/** What the optimiser expects, in column `rows` of both servers' tabular form; NULL where it knows that there are none. */
async function expectedRows(connection: Connection, statement: string): Promise<number> {
  const [answer, fields] = await connection.query({ sql: `EXPLAIN FORMAT=TRADITIONAL ${statement}`, rowsAsArray: true });
  const at = (fields as readonly { readonly name: string }[]).findIndex((it) => it.name.toLowerCase() === 'rows');
  const [row] = answer as unknown as (readonly unknown[])[];
  return at < 0 || row === undefined ? Number.POSITIVE_INFINITY : Number(row[at] ?? 0);
}
