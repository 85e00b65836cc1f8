/** A range's rows as the text that LOAD DATA reads, byte for byte: half the server's work of the same rows in an INSERT. Pure. */
import type { RangeBody } from '../../../wagon/body.js';
import { quoteTable } from './sql-literals.js';
import { fileColumn, type TableColumn } from './table-columns.js';

const NULL_LENGTH = 0xffff_ffff;
const TAB = 0x09;
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
/** The zero that is an ENUM's error value, as a number. */
const ZERO = 0x30;

/**
 * The statement for these columns; null when one of them can't be loaded so. `CHARACTER SET binary`: bytes are stored as they come.
 * LOCAL makes errors of values and duplicate keys warnings: whoever runs it must take any warning for a failure.
 */
export function loadStatement(body: RangeBody, columns: readonly TableColumn[], replace: boolean): string | null {
  const fields = columns.map((column, index) => fileColumn(column, `@v${index}`));
  if (fields.length === 0 || fields.some((it) => it === null)) return null;
  const sets = fields.flatMap((it) => it?.set ?? []);
  return `LOAD DATA LOCAL INFILE 'range' ${replace ? 'REPLACE ' : ''}INTO TABLE ${quoteTable(body)} CHARACTER SET binary
    FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' (${fields.map((it) => it?.into).join(', ')})${
      sets.length === 0 ? '' : ` SET ${sets.join(', ')}`
    }`;
}

/** Whether a row holds an ENUM's error value: strictness refuses it, so that it has to go another way. */
export function holdsErrorValue(body: RangeBody, columns: readonly TableColumn[]): boolean {
  const enums = columns.map((it) => it.type === 'enum');
  if (!enums.includes(true)) return false;
  for (const [column, start, end] of valuesOf(body)) if (enums[column] && end - start === 1 && body.values[start] === ZERO) return true;
  return false;
}

/** Chunks of about `chunkBytes`. Throws RangeError when the values don't fill `rows` × `columns` exactly. */
export function* loadFile(body: Pick<RangeBody, 'values' | 'rows' | 'columns'>, chunkBytes: number): Generator<Buffer> {
  const { values } = body;
  const last = body.columns.length - 1;
  let out = Buffer.allocUnsafeSlow(chunkBytes);
  let at = 0;
  for (const [column, start, end] of valuesOf(body)) {
    // Every byte may need an escape; then the separator, and `\N` for NULL.
    const most = 2 * Math.max(0, end - start) + 3;
    if (out.length - at < most) {
      if (at > 0) yield out.subarray(0, at);
      out = Buffer.allocUnsafeSlow(Math.max(chunkBytes, most));
      at = 0;
    }
    if (end < start) {
      out[at++] = BACKSLASH;
      out[at++] = 0x4e;
    } else
      for (let index = start; index < end; index++) {
        const byte = values[index] ?? 0;
        if (byte === BACKSLASH || byte === NEWLINE || byte === TAB) {
          out[at++] = BACKSLASH;
          out[at++] = byte === NEWLINE ? 0x6e : byte === TAB ? 0x74 : BACKSLASH;
        } else out[at++] = byte;
      }
    out[at++] = column === last ? NEWLINE : TAB;
  }
  if (at > 0) yield out.subarray(0, at);
}

/** Column and place of each value, row by row; NULL ends before it starts. The tuple is one and the same. */
function* valuesOf(body: Pick<RangeBody, 'values' | 'rows' | 'columns'>): Generator<readonly [number, number, number]> {
  const { values } = body;
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  const place: [number, number, number] = [0, 0, 0];
  let at = 0;
  for (let row = 0; row < body.rows; row++)
    for (let column = 0; column < body.columns.length; column++) {
      const length = view.getUint32(at, true);
      at += 4;
      place[0] = column;
      place[1] = at;
      place[2] = length === NULL_LENGTH ? at - 1 : at + length;
      if (length !== NULL_LENGTH) at += length;
      if (at > values.length) throw new RangeError('a value ends behind the body');
      yield place;
    }
  if (at !== values.length) throw new RangeError('the body holds more than its rows');
}
