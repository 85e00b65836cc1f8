/**
 * Generated columns that hold what a session's time zone made of a moment. From a copied row both servers compute them anew, MySQL from every row of the
 * log too, whatever the image says (seen with MariaDB 10.11 and MySQL 9.7); and nothing tells the zone of the session that wrote the row. Ours is UTC.
 */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { TableName } from '../../vocabulary.js';
import type { Finding, Selection } from '../engine.js';
import { tableInScope } from './binlog/scope.js';
import { nameOf, quoteTable } from './ranges/sql-literals.js';

export interface DictionaryColumn {
  readonly name: string;
  readonly dataType: string;
  readonly extra: string;
  /** Not empty: it leads an index, which holds the values of a virtual column. */
  readonly columnKey: string;
  /** Empty: not generated. */
  readonly expression: string;
}
/** To be selected of information_schema.COLUMNS. */
export const DICTIONARY_COLUMN =
  "COLUMN_NAME AS name, DATA_TYPE AS dataType, EXTRA AS extra, COLUMN_KEY AS columnKey, COALESCE(GENERATION_EXPRESSION, '') AS expression";
export const dictionaryColumn = (row: RowDataPacket): DictionaryColumn => ({
  name: String(row.name),
  dataType: String(row.dataType),
  extra: String(row.extra),
  columnKey: String(row.columnKey),
  expression: String(row.expression),
});

/** Pure. In one table, in the order of its columns: those that are stored, in the row or in an index, as the zone has them. */
export function zoneColumns(columns: readonly DictionaryColumn[]): readonly string[] {
  const moments = new Set(columns.filter((it) => it.dataType.toLowerCase() === 'timestamp').map((it) => it.name));
  const dependent = new Set<string>();
  // A generated column may refer to one behind it.
  for (let before = -1; before < dependent.size; ) {
    before = dependent.size;
    for (const { name, expression } of columns) if (expression !== '' && asksZone(expression, moments, dependent)) dependent.add(name);
  }
  return columns
    .filter((it) => dependent.has(it.name) && (it.columnKey !== '' || /(STORED|PERSISTENT) GENERATED/i.test(it.extra)))
    .map((it) => it.name);
}

function asksZone(expression: string, moments: ReadonlySet<string>, dependent: ReadonlySet<string>): boolean {
  // The seconds of a TIMESTAMP are the same everywhere.
  const text = expression.replace(/\bunix_timestamp\(`((?:[^`]|``)+)`\)/gi, (call, name: string) =>
    moments.has(unquoted(name)) ? '' : call,
  );
  if (/\b(from_unixtime|unix_timestamp)\s*\(/i.test(text)) return true;
  return [...text.matchAll(/`((?:[^`]|``)+)`/g)].some(([, name = '']) => moments.has(unquoted(name)) || dependent.has(unquoted(name)));
}
const unquoted = (name: string): string => name.replaceAll('``', '`');

/** Whether sessions that don't choose a zone have UTC. */
export async function hasUtc(connection: Connection): Promise<boolean> {
  const noon = ['2024-01-15 12:00:00', '2024-07-15 12:00:00'];
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT ${noon.map((it, i) => `CONVERT_TZ('${it}', '+00:00', @@GLOBAL.time_zone) AS t${i}`).join(', ')}`,
  );
  return noon.every((it, i) => String(rows[0]?.[`t${i}`]).startsWith(it));
}

export const zoneFound = (table: TableName, column: string): string =>
  `${nameOf(table)}.${column} is generated from a TIMESTAMP (or from its seconds) and stored in the time zone of the session that writes, which isn’t replicated: the target’s values would be those of UTC`;
export const zoneFix = (table: TableName): string =>
  `Generate it from a DATETIME, or make it VIRTUAL and without an index (ALTER TABLE ${quoteTable(table)} DROP COLUMN …, ADD COLUMN … VIRTUAL); or exclude the table`;

/** Part of the preflight of a source. Where sessions have UTC unless they choose another zone, it is enough that they don't: a warning. */
export async function checkZoneColumns(connection: Connection, selection: Selection, databases: readonly string[]): Promise<Finding[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS tableName, ${DICTIONARY_COLUMN} FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA IN (?) AND (DATA_TYPE = 'timestamp' OR GENERATION_EXPRESSION <> '') ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION`,
    [databases],
  );
  const tables = new Map<string, { readonly table: TableName; readonly columns: DictionaryColumn[] }>();
  for (const row of rows) {
    const table = { database: String(row.db), table: String(row.tableName) };
    const known = tables.get(nameOf(table)) ?? { table, columns: [] };
    known.columns.push(dictionaryColumn(row));
    tables.set(nameOf(table), known);
  }
  const found = [...tables.values()].flatMap(({ table, columns }) =>
    tableInScope(selection, table) ? zoneColumns(columns).map((column) => ({ table, column })) : [],
  );
  if (found.length === 0) return [];
  const severity = (await hasUtc(connection)) ? 'warning' : 'error';
  return found.map(({ table, column }) => ({
    severity,
    check: 'time-zone-column',
    found: zoneFound(table, column),
    fix: `${severity === 'warning' ? 'Nothing, if no session that writes chooses another zone than the server’s, UTC. Otherwise: ' : ''}${zoneFix(table)}`,
  }));
}
