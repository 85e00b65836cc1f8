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
/** Fewer bytes are copied one by one, which costs less than a call. */
const SHORT = 32;

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
  const { values } = body;
  let at = 0;
  for (let row = 0; row < body.rows; row++)
    for (let column = 0; column < enums.length; column++) {
      const length = lengthAt(values, at);
      at += 4;
      if (length === NULL_LENGTH) continue;
      if (length === 1 && enums[column] === true && values[at] === ZERO) return true;
      at += length;
    }
  return false;
}

/**
 * The file, chunk by chunk: `next` fills a buffer of the caller's from `from` on and returns where it ended; 0 behind the last row. A value may
 * be cut anywhere. Throws RangeError when the values don't fill `rows` × `columns` exactly.
 */
export class RangeFile {
  private readonly values: Buffer;
  private at = 0;
  private row = 0;
  private column = -1;
  /** Where the value that is being written ends. */
  private end = 0;
  /** Where the next byte is that may have to be escaped: what lies before is copied as it is. Lengths are looked at as well, which does no harm. */
  private special = 0;
  private readonly nextOf = [BACKSLASH, NEWLINE, TAB].map((byte) => ({ byte, at: -1 }));

  constructor(private readonly body: Pick<RangeBody, 'values' | 'rows' | 'columns'>) {
    const { buffer, byteOffset, byteLength } = body.values;
    this.values = Buffer.from(buffer, byteOffset, byteLength);
  }

  next(out: Uint8Array, from: number): number {
    const { values } = this;
    const { rows, columns } = this.body;
    const last = columns.length - 1;
    // Room for an escape, or a separator and `\N`, is left behind each byte.
    const full = out.length - 4;
    let to = from;
    for (;;) {
      to = this.write(out, to, full);
      const { at } = this;
      if (at < this.end || to >= full) return to;
      if (this.column >= 0) out[to++] = this.column === last ? NEWLINE : TAB;
      if (this.column === last) {
        this.row++;
        this.column = -1;
      }
      if (this.row === rows && this.column < 0) {
        if (at !== values.length) throw new RangeError('the body holds more than its rows');
        return to === from ? 0 : to;
      }
      this.column++;
      if (at + 4 > values.length) throw new RangeError('a value ends behind the body');
      const length = lengthAt(values, at);
      this.at = at + 4;
      this.end = this.at;
      if (length === NULL_LENGTH) {
        out[to++] = BACKSLASH;
        out[to++] = 0x4e;
      } else this.end += length;
      if (this.end > values.length) throw new RangeError('a value ends behind the body');
    }
  }

  /** As much of the value as there is room for. Returns where it ended. */
  private write(out: Uint8Array, start: number, full: number): number {
    const { values, end } = this;
    let { at } = this;
    let to = start;
    while (at < end && to < full) {
      if (this.special < at) this.special = this.specialFrom(at);
      const stop = Math.min(end, this.special, at + full - to);
      if (stop - at >= SHORT) {
        values.copy(out, to, at, stop);
        to += stop - at;
        at = stop;
      } else while (at < stop) out[to++] = values[at++] ?? 0;
      if (at === end || at !== this.special || to >= full) continue;
      const byte = values[at++] ?? 0;
      out[to++] = BACKSLASH;
      out[to++] = byte === NEWLINE ? 0x6e : byte === TAB ? 0x74 : BACKSLASH;
    }
    this.at = at;
    return to;
  }

  private specialFrom(at: number): number {
    let nearest = this.values.length;
    for (const next of this.nextOf) {
      if (next.at < at) {
        const found = this.values.indexOf(next.byte, at);
        next.at = found < 0 ? this.values.length : found;
      }
      if (next.at < nearest) nearest = next.at;
    }
    return nearest;
  }
}

const lengthAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
