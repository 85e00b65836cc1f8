/** MySQL's binary JSON as the text the server prints (sql-common/json_binary.h, json_dom.cc). Pure. */
import { TYPE } from './column-types.js';
import { decodeDecimal } from './decode-decimal.js';
import { decodeJsonTemporal } from './decode-temporal.js';

const KIND = {
  SMALL_OBJECT: 0,
  LARGE_OBJECT: 1,
  SMALL_ARRAY: 2,
  LARGE_ARRAY: 3,
  LITERAL: 4,
  INT16: 5,
  UINT16: 6,
  INT32: 7,
  UINT32: 8,
  INT64: 9,
  UINT64: 10,
  DOUBLE: 11,
  STRING: 12,
  OPAQUE: 15,
} as const;

/** JSON_DOCUMENT_MAX_DEPTH in sql-common/json_dom.h. */
const DEEPEST = 100;

/** RangeError when the bytes aren't what they say. */
export function decodeJson(bytes: Buffer): string {
  // A column that became JSON NOT NULL by ALTER holds nothing, which the server prints as null.
  if (bytes.length === 0) return 'null';
  return value(bytes.readUInt8(0), bytes, 1, { depth: 0, bytes: bytes.length });
}

/**
 * How deep, and how much may still be read. Offsets may point anywhere, back and twice to one place too; a document that the server has
 * written never does: no byte of it is read twice.
 */
interface Room {
  depth: number;
  bytes: number;
}
function take(room: Room, bytes: number): void {
  room.bytes -= bytes;
  if (room.bytes < 0) throw new RangeError('JSON whose parts lie in each other');
}

function value(kind: number, bytes: Buffer, at: number, room: Room): string {
  switch (kind) {
    case KIND.SMALL_OBJECT:
      return container(bytes, at, 2, true, room);
    case KIND.LARGE_OBJECT:
      return container(bytes, at, 4, true, room);
    case KIND.SMALL_ARRAY:
      return container(bytes, at, 2, false, room);
    case KIND.LARGE_ARRAY:
      return container(bytes, at, 4, false, room);
    case KIND.LITERAL:
      return literal(bytes.readUInt8(at));
    case KIND.INT16:
      return String(bytes.readInt16LE(at));
    case KIND.UINT16:
      return String(bytes.readUInt16LE(at));
    case KIND.INT32:
      return String(bytes.readInt32LE(at));
    case KIND.UINT32:
      return String(bytes.readUInt32LE(at));
    case KIND.INT64:
      return String(bytes.readBigInt64LE(at));
    case KIND.UINT64:
      return String(bytes.readBigUInt64LE(at));
    case KIND.DOUBLE:
      return jsonDouble(bytes.readDoubleLE(at));
    case KIND.STRING: {
      const length = variableLength(bytes, at);
      return quote(piece(bytes, length.next, length.value, room).toString('utf8'));
    }
    case KIND.OPAQUE: {
      const type = bytes.readUInt8(at);
      const length = variableLength(bytes, at + 1);
      return opaque(type, piece(bytes, length.next, length.value, room));
    }
    default:
      throw new RangeError(`JSON with the unknown type ${kind}`);
  }
}

function literal(code: number): string {
  if (code > 2) throw new RangeError(`the JSON literal ${code}`);
  return code === 0 ? 'null' : code === 1 ? 'true' : 'false';
}

function piece(bytes: Buffer, at: number, length: number, room: Room): Buffer {
  take(room, length);
  if (at + length > bytes.length) throw new RangeError('JSON that ends too early');
  return bytes.subarray(at, at + length);
}

/** Offsets are relative to the container's beginning, behind its type byte. Small numbers and literals lie in the entry itself. */
function container(bytes: Buffer, start: number, width: 2 | 4, isObject: boolean, room: Room): string {
  const read = (at: number): number => bytes.readUIntLE(at, width);
  const count = read(start);
  const keys = start + 2 * width;
  const values = isObject ? keys + count * (width + 2) : keys;
  take(room, values - start + count * (1 + width));
  if (++room.depth > DEEPEST) throw new RangeError(`JSON nested deeper than ${DEEPEST}`);
  const parts: string[] = [];
  for (let i = 0; i < count; i++) {
    const entry = values + i * (1 + width);
    const kind = bytes.readUInt8(entry);
    const inline =
      kind === KIND.LITERAL ||
      kind === KIND.INT16 ||
      kind === KIND.UINT16 ||
      (width === 4 && (kind === KIND.INT32 || kind === KIND.UINT32));
    const text = value(kind, bytes, inline ? entry + 1 : start + read(entry + 1), room);
    if (!isObject) {
      parts.push(text);
      continue;
    }
    const key = keys + i * (width + 2);
    const keyAt = start + read(key);
    parts.push(`${quote(piece(bytes, keyAt, bytes.readUInt16LE(key + width), room).toString('utf8'))}: ${text}`);
  }
  room.depth--;
  return isObject ? `{${parts.join(', ')}}` : `[${parts.join(', ')}]`;
}

function opaque(type: number, data: Buffer): string {
  switch (type) {
    case TYPE.NEWDECIMAL:
      return decodeDecimal(data, 2, data.readUInt8(0), data.readUInt8(1));
    case TYPE.DATE:
      return quote(decodeJsonTemporal(data, 0, 'date'));
    case TYPE.TIME:
      return quote(decodeJsonTemporal(data, 0, 'time'));
    case TYPE.DATETIME:
    case TYPE.TIMESTAMP:
      return quote(decodeJsonTemporal(data, 0, 'datetime'));
    default:
      return quote(`base64:type${type}:${(data.toString('base64').match(/.{1,76}/g) ?? []).join('\n')}`);
  }
}

/** Seven bits a byte, the lowest first; the high bit says that more follow. */
function variableLength(bytes: Buffer, at: number): { value: number; next: number } {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes.readUInt8(at + i);
    length += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) return { value: length, next: at + i + 1 };
  }
  throw new RangeError('JSON with a length of more than five bytes');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};
function quote(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are escaped
  return `"${text.replace(/["\\\x00-\x1f]/g, (it) => ESCAPES[it] ?? `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;
}

/** The shortest digits that read back as the same double, in `my_gcvt`'s choice of notation; a whole number gets `.0`. */
export function jsonDouble(number: number): string {
  if (!Number.isFinite(number)) throw new RangeError(`the JSON number ${number}`);
  const [, sign = '', lead = '0', rest = '', exponent = '0'] =
    /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec((Object.is(number, -0) ? '-' : '') + number.toExponential()) ?? [];
  const digits = lead + rest;
  const point = Number(exponent) + 1;
  if (number === 0) return `${sign}0.0`;
  if (point > 15 || point < -14) return `${sign}${lead}${rest === '' ? '' : `.${rest}`}e${Number(exponent)}`;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (digits.length <= point) return `${sign}${digits}${'0'.repeat(point - digits.length)}.0`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
