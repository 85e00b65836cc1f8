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

/** RangeError when the bytes aren't what they say. */
export function decodeJson(bytes: Buffer): string {
  // A column that became JSON NOT NULL by ALTER holds nothing, which the server prints as null.
  if (bytes.length === 0) return 'null';
  return value(bytes.readUInt8(0), bytes, 1);
}

function value(kind: number, bytes: Buffer, at: number): string {
  switch (kind) {
    case KIND.SMALL_OBJECT:
      return container(bytes, at, 2, true);
    case KIND.LARGE_OBJECT:
      return container(bytes, at, 4, true);
    case KIND.SMALL_ARRAY:
      return container(bytes, at, 2, false);
    case KIND.LARGE_ARRAY:
      return container(bytes, at, 4, false);
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
      return quote(bytes.toString('utf8', length.next, length.next + length.value));
    }
    case KIND.OPAQUE: {
      const type = bytes.readUInt8(at);
      const length = variableLength(bytes, at + 1);
      return opaque(type, bytes.subarray(length.next, length.next + length.value));
    }
    default:
      throw new RangeError(`JSON with the unknown type ${kind}`);
  }
}

const literal = (code: number): string => (code === 0 ? 'null' : code === 1 ? 'true' : 'false');

/** Offsets are relative to the container's beginning, behind its type byte. Small numbers and literals lie in the entry itself. */
function container(bytes: Buffer, start: number, width: 2 | 4, isObject: boolean): string {
  const read = (at: number): number => bytes.readUIntLE(at, width);
  const count = read(start);
  const keys = start + 2 * width;
  const values = isObject ? keys + count * (width + 2) : keys;
  const parts: string[] = [];
  for (let i = 0; i < count; i++) {
    const entry = values + i * (1 + width);
    const kind = bytes.readUInt8(entry);
    const inline =
      kind === KIND.LITERAL ||
      kind === KIND.INT16 ||
      kind === KIND.UINT16 ||
      (width === 4 && (kind === KIND.INT32 || kind === KIND.UINT32));
    const text = value(kind, bytes, inline ? entry + 1 : start + read(entry + 1));
    if (!isObject) {
      parts.push(text);
      continue;
    }
    const key = keys + i * (width + 2);
    const keyAt = start + read(key);
    parts.push(`${quote(bytes.toString('utf8', keyAt, keyAt + bytes.readUInt16LE(key + width)))}: ${text}`);
  }
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
