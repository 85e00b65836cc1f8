/**
 * The optional metadata of a TABLE_MAP event (binlog_row_metadata=FULL): fields of type 1 byte, length packed, value.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Table__map__event.html. Pure.
 */
import { TYPE } from './column-types.js';
import { readPackedInteger } from './packed-integer.js';

export interface TableMetadata {
  /** A value for each column; null where the log didn't tell. */
  readonly names: readonly string[] | null;
  /** Unsigned, by column; null without metadata. */
  readonly unsigned: readonly boolean[] | null;
  /** Collation id of character, ENUM and SET columns; 0 for the others. */
  readonly collations: Int32Array;
  /** Values of ENUM and SET columns as bytes in the column's character set, by column. */
  readonly members: ReadonlyMap<number, readonly Buffer[]>;
  readonly geometryTypes: ReadonlyMap<number, number>;
  readonly visible: readonly boolean[] | null;
  /** Column indexes in key order; `prefix` 0: the whole column. */
  readonly primaryKey: readonly { readonly column: number; readonly prefix: number }[];
}

const FIELD = {
  SIGNEDNESS: 1,
  DEFAULT_CHARSET: 2,
  COLUMN_CHARSET: 3,
  COLUMN_NAME: 4,
  SET_STR_VALUE: 5,
  ENUM_STR_VALUE: 6,
  GEOMETRY_TYPE: 7,
  SIMPLE_PRIMARY_KEY: 8,
  PRIMARY_KEY_WITH_PREFIX: 9,
  ENUM_AND_SET_DEFAULT_CHARSET: 10,
  ENUM_AND_SET_COLUMN_CHARSET: 11,
  COLUMN_VISIBILITY: 12,
} as const;

const NUMERIC = new Set<number>([
  TYPE.TINY,
  TYPE.SHORT,
  TYPE.INT24,
  TYPE.LONG,
  TYPE.LONGLONG,
  TYPE.NEWDECIMAL,
  TYPE.FLOAT,
  TYPE.DOUBLE,
  TYPE.YEAR,
]);
const CHARACTER = new Set<number>([TYPE.STRING, TYPE.VAR_STRING, TYPE.VARCHAR, TYPE.BLOB]);
const ENUM_OR_SET = new Set<number>([TYPE.ENUM, TYPE.SET]);

export class MetadataReader {
  constructor(
    private readonly bytes: Buffer,
    private readonly types: Uint8Array,
  ) {}

  read(): TableMetadata {
    const { bytes, types } = this;
    let names: string[] | null = null;
    let unsigned: boolean[] | null = null;
    let visible: boolean[] | null = null;
    const collations = new Int32Array(types.length);
    const members = new Map<number, Buffer[]>();
    const geometryTypes = new Map<number, number>();
    const primaryKey: { column: number; prefix: number }[] = [];
    for (let p = 0; p < bytes.length; ) {
      const type = bytes.readUInt8(p);
      const length = readPackedInteger(bytes, p + 1);
      const value = bytes.subarray(length.next, length.next + length.value);
      p = length.next + length.value;
      switch (type) {
        case FIELD.SIGNEDNESS: {
          // One bit for each numeric column, the highest bit first. MySQL has no bit for YEAR.
          unsigned = new Array<boolean>(types.length).fill(false);
          this.columnsOf(NUMERIC).forEach((column, i) => {
            if (unsigned !== null) unsigned[column] = bit(value, i);
          });
          break;
        }
        case FIELD.DEFAULT_CHARSET:
          this.defaultCollations(value, CHARACTER, collations);
          break;
        case FIELD.ENUM_AND_SET_DEFAULT_CHARSET:
          this.defaultCollations(value, ENUM_OR_SET, collations);
          break;
        case FIELD.COLUMN_CHARSET:
          packedIntegers(value).forEach((collation, i) => {
            collations[this.columnsOf(CHARACTER)[i] ?? -1] = collation;
          });
          break;
        case FIELD.ENUM_AND_SET_COLUMN_CHARSET:
          packedIntegers(value).forEach((collation, i) => {
            collations[this.columnsOf(ENUM_OR_SET)[i] ?? -1] = collation;
          });
          break;
        case FIELD.COLUMN_NAME:
          names = strings(value).map((name) => name.toString('utf8'));
          break;
        case FIELD.SET_STR_VALUE:
          this.memberLists(value, TYPE.SET, members);
          break;
        case FIELD.ENUM_STR_VALUE:
          this.memberLists(value, TYPE.ENUM, members);
          break;
        case FIELD.GEOMETRY_TYPE:
          packedIntegers(value).forEach((geometry, i) => {
            geometryTypes.set(this.columnsOf(new Set([TYPE.GEOMETRY]))[i] ?? -1, geometry);
          });
          break;
        case FIELD.SIMPLE_PRIMARY_KEY:
          for (const column of packedIntegers(value)) primaryKey.push({ column, prefix: 0 });
          break;
        case FIELD.PRIMARY_KEY_WITH_PREFIX: {
          const pairs = packedIntegers(value);
          for (let i = 0; i + 1 < pairs.length; i += 2) primaryKey.push({ column: pairs[i] ?? 0, prefix: pairs[i + 1] ?? 0 });
          break;
        }
        case FIELD.COLUMN_VISIBILITY:
          visible = Array.from(types, (_, i) => bit(value, i));
          break;
        // Others (vector dimensions, and what future versions add) describe a column further without changing how its bytes are read.
        default:
      }
    }
    return { names, unsigned, collations, members, geometryTypes, visible, primaryKey };
  }

  private columnsOf(kinds: ReadonlySet<number>): number[] {
    const found: number[] = [];
    this.types.forEach((type, i) => {
      if (kinds.has(type)) found.push(i);
    });
    return found;
  }
  private defaultCollations(value: Buffer, kinds: ReadonlySet<number>, into: Int32Array): void {
    const [byDefault = 0, ...pairs] = packedIntegers(value);
    const columns = this.columnsOf(kinds);
    for (const column of columns) into[column] = byDefault;
    for (let i = 0; i + 1 < pairs.length; i += 2) into[columns[pairs[i] ?? 0] ?? -1] = pairs[i + 1] ?? 0;
  }
  private memberLists(value: Buffer, kind: number, into: Map<number, Buffer[]>): void {
    let p = 0;
    for (const column of this.columnsOf(new Set([kind]))) {
      if (p >= value.length) return;
      const count = readPackedInteger(value, p);
      p = count.next;
      const list: Buffer[] = [];
      for (let i = 0; i < count.value; i++) {
        const length = readPackedInteger(value, p);
        list.push(Buffer.from(value.subarray(length.next, length.next + length.value)));
        p = length.next + length.value;
      }
      into.set(column, list);
    }
  }
}

const bit = (bytes: Buffer, i: number): boolean => (((bytes[i >> 3] ?? 0) >> (7 - (i & 7))) & 1) === 1;

function packedIntegers(value: Buffer): number[] {
  const found: number[] = [];
  for (let p = 0; p < value.length; ) {
    const it = readPackedInteger(value, p);
    found.push(it.value);
    p = it.next;
  }
  return found;
}
function strings(value: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let p = 0; p < value.length; ) {
    const length = readPackedInteger(value, p);
    found.push(value.subarray(length.next, length.next + length.value));
    p = length.next + length.value;
  }
  return found;
}
