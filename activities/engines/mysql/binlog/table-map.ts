/**
 * TABLE_MAP events: from the body after table id and flags to what walking and decoding a row needs. Pure.
 * Layout: libs/mysql/binlog/event/rows_event.h (MySQL), sql/log_event.h `Table_map_log_event` (MariaDB, the same).
 */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { TableName } from '../../../vocabulary.js';
import { TYPE } from './column-types.js';
import { readPackedInteger } from './packed-integer.js';
import { MetadataReader, type TableMetadata } from './table-metadata.js';

/** How a column's value lies in a row image: FIXED has `width` bytes; PREFIXED a little-endian length of `width` bytes and then the value. */
export const KIND = { FIXED: 0, PREFIXED: 1 } as const;

const FIXED_WIDTH: Readonly<Record<number, number>> = {
  [TYPE.TINY]: 1,
  [TYPE.SHORT]: 2,
  [TYPE.LONG]: 4,
  [TYPE.NULL]: 0,
  [TYPE.TIMESTAMP]: 4,
  [TYPE.LONGLONG]: 8,
  [TYPE.INT24]: 3,
  [TYPE.DATE]: 3,
  [TYPE.TIME]: 3,
  [TYPE.DATETIME]: 8,
  [TYPE.YEAR]: 1,
  [TYPE.NEWDATE]: 3,
};
/** Bytes of 0…9 decimal digits. */
export const DECIMAL_BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4] as const;
export const decimalWidth = (precision: number, scale: number): number => {
  const whole = precision - scale;
  return Math.floor(whole / 9) * 4 + (DECIMAL_BYTES[whole % 9] ?? 0) + Math.floor(scale / 9) * 4 + (DECIMAL_BYTES[scale % 9] ?? 0);
};

export interface TableMap extends TableName {
  readonly columnCount: number;
  /** Real types: ENUM and SET are told apart from STRING. */
  readonly types: Uint8Array;
  /** The type's metadata: precision << 8 | scale, fraction digits, maximum length, bits… as the type has it. */
  readonly typeMetadata: Int32Array;
  readonly kinds: Int32Array;
  readonly widths: Int32Array;
  /** Bit i of byte i>>3: column i may be NULL. */
  readonly nullable: Uint8Array;
  /** binlog_row_metadata: names, signs, character sets, primary key… */
  readonly metadata: TableMetadata;
}

/** Of one table; a count beyond is damage, and nothing is allocated for it (MySQL manual, "Limits on Table Column Count and Row Size"). */
const MOST_COLUMNS = 4096;

/** What a type's metadata may be at most: a value beyond would be read as something else than was written. */
function within(what: string, value: number, least: number, most: number): number {
  if (value < least || value > most) throw new RangeError(`${what} ${value}`);
  return value;
}

/** Names alone: what decides whether a table is in scope, before anything else is looked at. */
export function readTableName(body: Buffer): TableName & { readonly next: number } {
  const databaseLength = readPackedInteger(body, 0);
  const database = body.toString('utf8', databaseLength.next, databaseLength.next + databaseLength.value);
  const tableLength = readPackedInteger(body, databaseLength.next + databaseLength.value + 1);
  const table = body.toString('utf8', tableLength.next, tableLength.next + tableLength.value);
  return { database, table, next: tableLength.next + tableLength.value + 1 };
}

/**
 * `body`: the event without header, table id, flags and checksum.
 * Throws `log-event-unsupported` for a column type that can't be walked exactly, `log-corrupt` or RangeError for what no server writes.
 */
export function parseTableMap(body: Buffer): TableMap {
  const { database, table, next } = readTableName(body);
  const count = readPackedInteger(body, next);
  const columnCount = within('a column count of', count.value, 1, MOST_COLUMNS);
  const rawTypes = body.subarray(count.next, count.next + columnCount);
  const metadataLength = readPackedInteger(body, count.next + columnCount);
  const metadataEnd = metadataLength.next + metadataLength.value;
  const types = new Uint8Array(columnCount);
  const typeMetadata = new Int32Array(columnCount);
  const kinds = new Int32Array(columnCount);
  const widths = new Int32Array(columnCount);
  let p = metadataLength.next;
  const fixed = (i: number, width: number): void => {
    kinds[i] = KIND.FIXED;
    widths[i] = width;
  };
  const prefixed = (i: number, width: number): void => {
    kinds[i] = KIND.PREFIXED;
    widths[i] = width;
  };
  for (let i = 0; i < columnCount; i++) {
    const type = rawTypes.readUInt8(i);
    types[i] = type;
    switch (type) {
      case TYPE.FLOAT:
      case TYPE.DOUBLE: {
        const width = type === TYPE.FLOAT ? 4 : 8;
        typeMetadata[i] = within('a floating-point width of', body.readUInt8(p++), width, width);
        fixed(i, width);
        break;
      }
      case TYPE.VARCHAR: {
        const length = body.readUInt16LE(p);
        p += 2;
        typeMetadata[i] = length;
        prefixed(i, length > 255 ? 2 : 1);
        break;
      }
      case TYPE.BIT: {
        const bits = within('a BIT of', body.readUInt8(p) + body.readUInt8(p + 1) * 8, 1, 64);
        p += 2;
        typeMetadata[i] = bits;
        fixed(i, (bits + 7) >> 3);
        break;
      }
      case TYPE.NEWDECIMAL: {
        const precision = within('a DECIMAL of', body.readUInt8(p), 1, 65);
        const scale = within('a DECIMAL with the scale', body.readUInt8(p + 1), 0, precision);
        p += 2;
        typeMetadata[i] = (precision << 8) | scale;
        fixed(i, decimalWidth(precision, scale));
        break;
      }
      case TYPE.BLOB:
      case TYPE.JSON:
      case TYPE.GEOMETRY:
      case TYPE.VECTOR:
        typeMetadata[i] = body.readUInt8(p);
        prefixed(i, within('a length prefix of', body.readUInt8(p++), 1, 4));
        break;
      case TYPE.STRING:
      case TYPE.VAR_STRING: {
        const first = body.readUInt8(p);
        const second = body.readUInt8(p + 1);
        p += 2;
        if (first === TYPE.ENUM || first === TYPE.SET) {
          types[i] = first;
          typeMetadata[i] = within('an ENUM or SET of', second, 1, first === TYPE.ENUM ? 2 : 8);
          fixed(i, second);
        } else {
          // The two upper bits of a length over 255 hide, inverted, in the real type's byte (Field_string::do_save_field_metadata).
          const length = (((first << 4) & 0x300) ^ 0x300) + second;
          typeMetadata[i] = length;
          prefixed(i, length > 255 ? 2 : 1);
        }
        break;
      }
      case TYPE.TIMESTAMP2:
      case TYPE.DATETIME2:
      case TYPE.TIME2: {
        const digits = within('fraction digits of', body.readUInt8(p++), 0, 6);
        typeMetadata[i] = digits;
        fixed(i, (type === TYPE.TIMESTAMP2 ? 4 : type === TYPE.DATETIME2 ? 5 : 3) + ((digits + 1) >> 1));
        break;
      }
      default: {
        const width = FIXED_WIDTH[type];
        if (width === undefined) throw unsupportedColumn(database, table, i, type);
        fixed(i, width);
      }
    }
  }
  if (p !== metadataEnd)
    throw new SrdfError('log-corrupt', {
      tried: `reading the table map of ${database}.${table}`,
      found: `column metadata ends at ${p}, not at ${metadataEnd}`,
      action: 'Check the file with mariadb-binlog or mysqlbinlog --verify-binlog-checksum on the source',
    });
  const nullBytes = (columnCount + 7) >> 3;
  if (p + nullBytes > body.length) throw new RangeError('a table map that ends before its null bits');
  return {
    database,
    table,
    columnCount,
    types,
    typeMetadata,
    kinds,
    widths,
    nullable: Uint8Array.from(body.subarray(p, p + nullBytes)),
    metadata: new MetadataReader(body.subarray(p + nullBytes), types).read(),
  };
}

function unsupportedColumn(database: string, table: string, column: number, type: number): SrdfError {
  const compressed = type === TYPE.BLOB_COMPRESSED || type === TYPE.VARCHAR_COMPRESSED;
  return new SrdfError('log-event-unsupported', {
    tried: `reading the table map of ${database}.${table}`,
    found: compressed ? `column ${column + 1} is a COMPRESSED column` : `column ${column + 1} has the unknown type ${type}`,
    action: compressed
      ? `Rebuild the column without COMPRESSED (ALTER TABLE \`${database}\`.\`${table}\` MODIFY …) and establish the stream again, or exclude the table`
      : 'Exclude the table, or upgrade SRDF to a version that knows the type',
  });
}
