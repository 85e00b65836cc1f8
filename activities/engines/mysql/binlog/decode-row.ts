/** Row images as values, exact and without loss, every column type of both servers. Pure. */
import { TYPE } from './column-types.js';
import { decodeDecimal } from './decode-decimal.js';
import { decodeJson } from './decode-json.js';
import {
  decodeDate,
  decodeDatetime2,
  decodeOldDatetime,
  decodeOldTime,
  decodeOldTimestamp,
  decodeTime2,
  decodeTimestamp2,
} from './decode-temporal.js';
import { columnSpans } from './row-walk.js';
import type { TableMap } from './table-map.js';

export type ColumnValue =
  | { readonly kind: 'null' }
  /** Integers, DECIMAL, YEAR: exact decimal text. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'float'; readonly value: number; readonly single: boolean }
  /** BIT: big-endian. */
  | { readonly kind: 'bits'; readonly bytes: Buffer }
  /** As printed under time zone +00:00. */
  | { readonly kind: 'temporal'; readonly text: string }
  /** CHAR… and BINARY… as stored; collation 63 is binary. INET4, INET6 and UUID are binary too: the log doesn't tell them apart. */
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly collation: number }
  /** 1-based; 0 is the empty error value. */
  | { readonly kind: 'enum'; readonly index: number }
  | { readonly kind: 'set'; readonly mask: bigint }
  /** MySQL's JSON as text. MariaDB's is a text column. */
  | { readonly kind: 'json'; readonly text: string }
  /** SRID 4 bytes little-endian, then WKB. */
  | { readonly kind: 'geometry'; readonly bytes: Buffer }
  /** MySQL's VECTOR: floats of 4 bytes, little-endian. */
  | { readonly kind: 'vector'; readonly bytes: Buffer };

const NULL: ColumnValue = { kind: 'null' };
const BINARY = 63;

/** The memory that images lie in is shared by many: one Buffer over it serves them all. */
let memory: Buffer = Buffer.alloc(0);
/** Used up before the next row is decoded. */
let spans = new Int32Array(64);

/** A value for each column of the image at `start`. RangeError when the bytes aren't what the table map says. */
export function decodeRow(bytes: Uint8Array, start: number, map: TableMap): ColumnValue[] {
  const { columnCount } = map;
  if (spans.length < 2 * columnCount) spans = new Int32Array(2 * columnCount);
  columnSpans(bytes, start, map, spans);
  if (memory.buffer !== bytes.buffer) memory = Buffer.from(bytes.buffer);
  const shift = bytes.byteOffset;
  const most = shift + bytes.byteLength;
  const values = new Array<ColumnValue>(columnCount);
  for (let i = 0; i < columnCount; i++) {
    const from = spans[2 * i] as number;
    const end = shift + (spans[2 * i + 1] as number);
    // The memory goes on behind the image: what would be read there is another's.
    if (from !== -1 && (end > most || (end <= shift + from && map.types[i] !== TYPE.NULL)))
      throw new RangeError(`column ${i + 1} lies at ${from} to ${end - shift} of ${bytes.byteLength} bytes`);
    values[i] = from === -1 ? NULL : decodeColumn(memory, shift + from, end, map, i);
  }
  return values;
}

const number = (value: number | bigint): ColumnValue => ({ kind: 'number', text: String(value) });
const temporal = (text: string): ColumnValue => ({ kind: 'temporal', text });

/** Little-endian; every integer type but the one of 8 bytes. */
function integer(bytes: Buffer, at: number, end: number, unsigned: boolean): number {
  let value = bytes[at] as number;
  for (let i = 1; at + i < end; i++) value |= (bytes[at + i] as number) << (8 * i);
  const unused = 32 - 8 * (end - at);
  return unsigned ? (value << unused) >>> unused : (value << unused) >> unused;
}

function decodeColumn(bytes: Buffer, at: number, end: number, map: TableMap, column: number): ColumnValue {
  const type = map.types[column] ?? TYPE.NULL;
  const metadata = map.typeMetadata[column] ?? 0;
  const unsigned = map.metadata.unsigned?.[column] ?? false;
  /** Of a value with a length prefix: where it begins behind that. */
  const content = at + (map.widths[column] ?? 0);
  switch (type) {
    case TYPE.NULL:
      return NULL;
    case TYPE.TINY:
    case TYPE.SHORT:
    case TYPE.INT24:
    case TYPE.LONG:
      return number(integer(bytes, at, end, unsigned));
    case TYPE.LONGLONG:
      return number(unsigned ? bytes.readBigUInt64LE(at) : bytes.readBigInt64LE(at));
    case TYPE.FLOAT:
      return { kind: 'float', value: bytes.readFloatLE(at), single: true };
    case TYPE.DOUBLE:
      return { kind: 'float', value: bytes.readDoubleLE(at), single: false };
    case TYPE.NEWDECIMAL:
      return { kind: 'number', text: decodeDecimal(bytes, at, metadata >> 8, metadata & 0xff) };
    case TYPE.YEAR: {
      const year = bytes.readUInt8(at);
      return { kind: 'number', text: year === 0 ? '0000' : String(1900 + year) };
    }
    case TYPE.DATE:
    case TYPE.NEWDATE:
      return temporal(decodeDate(bytes, at));
    case TYPE.TIME:
      return temporal(decodeOldTime(bytes, at));
    case TYPE.TIME2:
      return temporal(decodeTime2(bytes, at, metadata));
    case TYPE.DATETIME:
      return temporal(decodeOldDatetime(bytes, at));
    case TYPE.DATETIME2:
      return temporal(decodeDatetime2(bytes, at, metadata));
    case TYPE.TIMESTAMP:
      return temporal(decodeOldTimestamp(bytes, at));
    case TYPE.TIMESTAMP2:
      return temporal(decodeTimestamp2(bytes, at, metadata));
    case TYPE.BIT:
      return { kind: 'bits', bytes: bytes.subarray(at, end) };
    case TYPE.ENUM:
      return { kind: 'enum', index: bytes.readUIntLE(at, end - at) };
    case TYPE.SET: {
      let mask = 0n;
      for (let i = end - 1; i >= at; i--) mask = (mask << 8n) | BigInt(bytes.readUInt8(i));
      return { kind: 'set', mask };
    }
    case TYPE.JSON:
      return { kind: 'json', text: decodeJson(bytes.subarray(content, end)) };
    case TYPE.GEOMETRY:
      return { kind: 'geometry', bytes: bytes.subarray(content, end) };
    case TYPE.VECTOR:
      return { kind: 'vector', bytes: bytes.subarray(content, end) };
    case TYPE.STRING: {
      const collation = map.metadata.collations[column] ?? 0;
      const stored = bytes.subarray(content, end);
      // The log leaves the padding of a fixed-length column out: spaces, which SELECT strips too, and the zeros of BINARY, which it shows.
      if (collation !== BINARY || stored.length >= metadata) return { kind: 'bytes', bytes: stored, collation };
      return { kind: 'bytes', bytes: Buffer.concat([stored, Buffer.alloc(metadata - stored.length)]), collation };
    }
    case TYPE.VARCHAR:
    case TYPE.VAR_STRING:
    case TYPE.BLOB:
      return { kind: 'bytes', bytes: bytes.subarray(content, end), collation: map.metadata.collations[column] ?? 0 };
    default:
      throw new RangeError(`column ${column + 1} of type ${type}`);
  }
}
