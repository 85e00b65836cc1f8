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
/** VECTOR counts, as a kind of BLOB (is_character_type in sql/log_event.cc). */
const CHARACTER = new Set<number>([TYPE.STRING, TYPE.VAR_STRING, TYPE.VARCHAR, TYPE.BLOB, TYPE.VECTOR]);
const CHARACTER_OR_GEOMETRY = new Set<number>([...CHARACTER, TYPE.GEOMETRY]);
const GEOMETRY = new Set<number>([TYPE.GEOMETRY]);
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
    let characterSets: { readonly type: number; readonly value: Buffer } | null = null;
    const collations = new Int32Array(types.length);
    const members = new Map<number, Buffer[]>();
    const geometryTypes = new Map<number, number>();
    const primaryKey: { column: number; prefix: number }[] = [];
    for (let p = 0; p < bytes.length; ) {
      const type = bytes.readUInt8(p);
      const length = readPackedInteger(bytes, p + 1);
      p = length.next + length.value;
      if (p > bytes.length) throw new RangeError(`metadata of type ${type} that ends ${p - bytes.length} bytes behind its table map`);
      const value = bytes.subarray(length.next, p);
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
        case FIELD.COLUMN_CHARSET:
          characterSets = { type, value };
          break;
        case FIELD.ENUM_AND_SET_DEFAULT_CHARSET:
          this.defaultCollations(value, ENUM_OR_SET, collations);
          break;
        case FIELD.ENUM_AND_SET_COLUMN_CHARSET:
          this.inOrder(value, ENUM_OR_SET, (column, collation) => {
            collations[column] = collation;
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
          this.inOrder(value, GEOMETRY, (column, geometry) => geometryTypes.set(column, geometry));
          break;
        case FIELD.SIMPLE_PRIMARY_KEY:
          for (const column of packedIntegers(value)) primaryKey.push({ column: this.existing(column), prefix: 0 });
          break;
        case FIELD.PRIMARY_KEY_WITH_PREFIX: {
          const pairs = packedIntegers(value);
          if (pairs.length % 2 !== 0) throw new RangeError('a primary key column without its prefix');
          for (let i = 0; i + 1 < pairs.length; i += 2)
            primaryKey.push({ column: this.existing(pairs[i] ?? 0), prefix: pairs[i + 1] ?? 0 });
          break;
        }
        case FIELD.COLUMN_VISIBILITY:
          visible = Array.from(types, (_, i) => bit(value, i));
          break;
        // Others (vector dimensions, and what future versions add) describe a column further without changing how its bytes are read.
        default:
      }
    }
    if (characterSets !== null) this.characterCollations(characterSets, visible === null, collations);
    if (new Set(primaryKey.map((it) => it.column)).size !== primaryKey.length) throw new RangeError('a column twice in the primary key');
    return { names, unsigned, collations, members, geometryTypes, visible, primaryKey };
  }

  /** MariaDB counts GEOMETRY among the columns with a character set, MySQL doesn't; it alone tells what is visible. */
  private characterCollations(field: { readonly type: number; readonly value: Buffer }, mariadb: boolean, into: Int32Array): void {
    const kinds = mariadb ? CHARACTER_OR_GEOMETRY : CHARACTER;
    if (field.type === FIELD.DEFAULT_CHARSET) this.defaultCollations(field.value, kinds, into);
    else
      this.inOrder(field.value, kinds, (column, collation) => {
        into[column] = collation;
      });
  }
  private existing(column: number): number {
    if (column < this.types.length) return column;
    throw new RangeError(`column ${column + 1} in the primary key of ${this.types.length} columns`);
  }
  /** A number for each column of these kinds, in their order. */
  private inOrder(value: Buffer, kinds: ReadonlySet<number>, take: (column: number, number: number) => void): void {
    const columns = this.columnsOf(kinds);
    packedIntegers(value).forEach((number, i) => {
      const column = columns[i];
      if (column === undefined) throw new RangeError(`metadata of ${columns.length} columns that goes on`);
      take(column, number);
    });
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
        p = length.next + length.value;
        if (p > value.length) throw new RangeError('a member behind the list it stands in');
        list.push(Buffer.from(value.subarray(length.next, p)));
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
    p = length.next + length.value;
    if (p > value.length) throw new RangeError('a name behind the list it stands in');
    found.push(value.subarray(length.next, p));
  }
  return found;
}
