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
  private at = 0;
  private row = 0;
  private column = -1;
  /** Where the value that is being written ends. */
  private end = 0;

  constructor(private readonly body: Pick<RangeBody, 'values' | 'rows' | 'columns'>) {}

  next(out: Uint8Array, from: number): number {
    const { values, rows, columns } = this.body;
    const last = columns.length - 1;
    // Room for an escape, or a separator and `\N`, is left behind each byte.
    const full = out.length - 4;
    let to = from;
    for (;;) {
      let { at } = this;
      const { end } = this;
      while (at < end && to < full) {
        const byte = values[at++] ?? 0;
        if (byte !== BACKSLASH && byte > NEWLINE) out[to++] = byte;
        else if (byte === BACKSLASH || byte === NEWLINE || byte === TAB) {
          out[to++] = BACKSLASH;
          out[to++] = byte === NEWLINE ? 0x6e : byte === TAB ? 0x74 : BACKSLASH;
        } else out[to++] = byte;
      }
      this.at = at;
      if (at < end || to >= full) return to;
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
}

const lengthAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
