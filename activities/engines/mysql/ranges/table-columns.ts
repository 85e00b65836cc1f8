/** A table's columns as the server lists them, and how each kind of value is copied, compared and checked without loss. */
import type { Connection } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { TableName } from '../../../vocabulary.js';
import type { CopyEncoding } from '../../../wagon/body.js';
import { textRows } from './exact-query.js';
import { jsonLiteral } from './json-literal.js';
import { bytesLiteral, NUMBER, nameOf, quoteName } from './sql-literals.js';

export interface TableColumn {
  readonly name: string;
  /** `information_schema.columns.data_type`, lower case. */
  readonly type: string;
  /** null: not a character column. */
  readonly characterSet: string | null;
  readonly collation: string | null;
  /** Computed by the server from the other columns; never written. */
  readonly generated: boolean;
}

type Family = 'exact-number' | 'float' | 'index' | 'year' | 'time' | 'characters' | 'bytes' | 'large' | 'json' | 'address';
const FAMILIES: Readonly<Record<string, Family>> = {
  tinyint: 'exact-number',
  smallint: 'exact-number',
  mediumint: 'exact-number',
  int: 'exact-number',
  bigint: 'exact-number',
  decimal: 'exact-number',
  float: 'float',
  double: 'float',
  bit: 'index',
  enum: 'index',
  set: 'index',
  year: 'year',
  date: 'time',
  time: 'time',
  datetime: 'time',
  timestamp: 'time',
  char: 'characters',
  varchar: 'characters',
  tinytext: 'characters',
  binary: 'bytes',
  varbinary: 'bytes',
  tinyblob: 'bytes',
  text: 'large',
  mediumtext: 'large',
  longtext: 'large',
  blob: 'large',
  mediumblob: 'large',
  longblob: 'large',
  geometry: 'large',
  point: 'large',
  linestring: 'large',
  polygon: 'large',
  multipoint: 'large',
  multilinestring: 'large',
  multipolygon: 'large',
  geometrycollection: 'large',
  geomcollection: 'large',
  vector: 'large',
  json: 'json',
  inet4: 'address',
  inet6: 'address',
  uuid: 'address',
};

function familyOf(column: TableColumn): Family {
  const family = FAMILIES[column.type];
  if (family === undefined)
    throw new SrdfError('not-supported', {
      tried: `copying the column ${column.name}`,
      found: `its type ${column.type} isn't one SRDF can copy exactly`,
      action: 'Exclude the table (streams[].exclude) or change the column type',
    });
  return family;
}

/** All columns in the table's order, invisible ones included. Empty: no such table. */
export async function readColumns(connection: Connection, table: TableName): Promise<readonly TableColumn[]> {
  const rows = await textRows(
    connection,
    `SELECT column_name, data_type, character_set_name, collation_name, extra, table_schema, table_name
     FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`,
    [table.database, table.table],
  );
  // MariaDB compares these names without regard to case: the table `T` is another than `t`.
  return rows
    .filter((row) => row[5] === table.database && row[6] === table.table)
    .map(([name, type, characterSet, collation, extra]) => ({
      name: name ?? '',
      type: (type ?? '').toLowerCase(),
      characterSet: characterSet ?? null,
      collation: collation ?? null,
      generated: /(VIRTUAL|STORED|PERSISTENT) GENERATED/i.test(extra ?? ''),
    }));
}

/** Columns of the primary key in its order; empty: the table has none. */
export async function readPrimaryKey(connection: Connection, table: TableName): Promise<readonly string[]> {
  const rows = await textRows(
    connection,
    `SELECT column_name, table_schema, table_name FROM information_schema.statistics
     WHERE table_schema = ? AND table_name = ? AND index_name = 'PRIMARY' ORDER BY seq_in_index`,
    [table.database, table.table],
  );
  return rows.filter((row) => row[1] === table.database && row[2] === table.table).map((row) => row[0] ?? '');
}

export function requireColumns(table: TableName, columns: readonly TableColumn[]): void {
  if (columns.length > 0) return;
  throw new SrdfError('bootstrap-range-lost', {
    tried: `reading the columns of ${nameOf(table)}`,
    found: 'there is no such table (any more)',
    action: 'It was dropped or renamed meanwhile: the table is planned anew',
  });
}

/** A plan cut by another key would give ranges that overlap or leave gaps: throws `bootstrap-range-lost`. */
export async function requireKey(connection: Connection, table: TableName, keyColumns: readonly string[]): Promise<void> {
  const now = await readPrimaryKey(connection, table);
  if (JSON.stringify(now) !== JSON.stringify(keyColumns)) throw otherKey(table);
}
export const otherKey = (table: TableName): SrdfError =>
  new SrdfError('bootstrap-range-lost', {
    tried: `reading a range of ${nameOf(table)}`,
    found: 'its primary key is another than when its ranges were planned',
    action: 'The table is planned and copied anew',
  });

/**
 * How a column is read and how its value travels.
 * FLOAT by itself is shown with 6 digits; as DOUBLE with as many as the value needs (MySQL manual, "Problems with Floating-Point
 * Values"). ENUM by number, since '' may be a member and the error value 0 alike. SET and BIT as UNSIGNED: `+ 0` is signed or a
 * DOUBLE above 2^63. YEAR as number, since the text '0' would mean 2000.
 */
export function copyColumn(column: TableColumn): { readonly select: string; readonly encoding: CopyEncoding } {
  const name = quoteName(column.name);
  switch (familyOf(column)) {
    case 'exact-number':
    case 'year':
      return { select: name, encoding: 'number' };
    case 'float':
      return { select: `CAST(${name} AS DOUBLE)`, encoding: 'number' };
    case 'index':
      return { select: `CAST(${name} AS UNSIGNED)`, encoding: 'number' };
    default:
      return { select: name, encoding: 'bytes' };
  }
}
const isFloat = (column: TableColumn): boolean => familyOf(column) === 'float';

/** A copied value as the SQL text that stores exactly it. Throws `wagon-malformed` for what can't be a number. */
export function valueLiteral(column: TableColumn, encoding: CopyEncoding, value: Uint8Array): string {
  if (encoding === 'number') {
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
    if (!NUMBER.test(text))
      throw new SrdfError('wagon-malformed', {
        tried: `writing a value of the column ${column.name}`,
        found: 'it is declared a number and is none',
        action: 'The two sites run different versions of SRDF: install the same one',
      });
    // Without an exponent the literal would be a DECIMAL, whose conversion loses the sign of -0.
    return isFloat(column) && !/e/i.test(text) ? `${text}e0` : text;
  }
  // Binary strings are stored byte for byte in every character column, but JSON refuses them, and addresses and UUIDs take them for their binary form.
  const family = familyOf(column);
  if (family === 'json') return jsonLiteral(value);
  return bytesLiteral(value, family === 'address' ? 'latin1' : 'binary');
}

/**
 * How LOAD DATA takes a column's copied value: into the column, or into a variable that an expression makes the value of. null: it can't be
 * loaded so, but only as a literal. What a string of digits would be taken for other than the number (a member of that name, the year 2000, bits) passes as
 * a number; what would be taken for its binary form passes as text.
 */
export function fileColumn(column: TableColumn, variable: string): { readonly into: string; readonly set: string | null } | null {
  const name = quoteName(column.name);
  switch (familyOf(column)) {
    case 'json':
      return null;
    case 'index':
    case 'year':
      return { into: variable, set: `${name} = CAST(${variable} AS UNSIGNED)` };
    case 'address':
      return { into: variable, set: `${name} = CONVERT(${variable} USING latin1)` };
    default:
      return { into: name, set: null };
  }
}

/** A key column as it is ordered and compared by, and how its value is read for a boundary. */
export function keyColumn(column: TableColumn): {
  /** What WHERE and ORDER BY use. */
  readonly expression: string;
  readonly select: string;
  /** The boundary's SQL literal, with character set and collation, so that the comparison is the column's own and uses the index. */
  literal(value: Uint8Array): string;
} {
  const name = quoteName(column.name);
  const family = familyOf(column);
  const text = (value: Uint8Array): string => Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
  switch (family) {
    case 'exact-number':
      return { expression: name, select: name, literal: text };
    case 'float':
      return {
        expression: name,
        select: `CAST(${name} AS DOUBLE)`,
        literal: (value) => (/e/i.test(text(value)) ? text(value) : `${text(value)}e0`),
      };
    case 'index':
    case 'year': {
      // Compared with a string these would be compared as strings; a YEAR compared with a number below 100 counts as 19xx or 20xx.
      const number = `CAST(${name} AS UNSIGNED)`;
      return { expression: number, select: number, literal: text };
    }
    case 'time':
      return { expression: name, select: name, literal: (value) => `'${text(value)}'` };
    case 'address':
      return { expression: name, select: name, literal: (value) => bytesLiteral(value, 'latin1') };
    default:
      return {
        expression: name,
        select: name,
        literal: (value) =>
          column.characterSet === null || column.characterSet === 'binary'
            ? bytesLiteral(value, 'binary')
            : `${bytesLiteral(value, column.characterSet)} COLLATE ${column.collation ?? `${column.characterSet}_bin`}`,
      };
  }
}

/**
 * The value as bytes for a checksum: the same on both sides and on every version of a family, different whenever SELECT gives
 * different bytes. NULL stays NULL. Large values as their SHA-256, since a longer CONCAT than max_allowed_packet would be NULL.
 */
export function checkedColumn(column: TableColumn): string {
  const name = quoteName(column.name);
  switch (familyOf(column)) {
    case 'float':
      return `CAST(${name} AS DOUBLE)`;
    case 'index':
    case 'year':
      return `CAST(${name} AS UNSIGNED)`;
    case 'characters':
      return `CAST(${name} AS BINARY)`;
    case 'large':
      return column.characterSet === null ? `SHA2(${name}, 256)` : `SHA2(CAST(${name} AS BINARY), 256)`;
    case 'json':
      return `SHA2(CAST(CONVERT(${name} USING utf8mb4) AS BINARY), 256)`;
    case 'address':
      return `CAST(${name} AS CHAR)`;
    default:
      return name;
  }
}
