/** Rows events, every version: from the event to whole row images with their offsets, in one copy. Pure. */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { Operation, RowImages } from '../../engine.js';
import { EVENT } from './event-types.js';
import { readPackedInteger } from './packed-integer.js';
import { uncompress } from './query-event.js';
import { endOfImage } from './row-walk.js';
import type { TableMap } from './table-map.js';

export interface RowsEventKind {
  readonly operation: Operation;
  /** Version 2 has extra data behind the flags. */
  readonly extra: boolean;
  readonly compressed: boolean;
}
const kind = (operation: Operation, extra: boolean, compressed: boolean): RowsEventKind => ({ operation, extra, compressed });
/** By event type. */
export const ROWS_EVENTS: ReadonlyMap<number, RowsEventKind> = new Map([
  [EVENT.WRITE_ROWS_V1, kind('insert', false, false)],
  [EVENT.UPDATE_ROWS_V1, kind('update', false, false)],
  [EVENT.DELETE_ROWS_V1, kind('delete', false, false)],
  [EVENT.WRITE_ROWS, kind('insert', true, false)],
  [EVENT.UPDATE_ROWS, kind('update', true, false)],
  [EVENT.DELETE_ROWS, kind('delete', true, false)],
  [EVENT.WRITE_ROWS_COMPRESSED_V1, kind('insert', false, true)],
  [EVENT.UPDATE_ROWS_COMPRESSED_V1, kind('update', false, true)],
  [EVENT.DELETE_ROWS_COMPRESSED_V1, kind('delete', false, true)],
  [EVENT.WRITE_ROWS_COMPRESSED, kind('insert', true, true)],
  [EVENT.UPDATE_ROWS_COMPRESSED, kind('update', true, true)],
  [EVENT.DELETE_ROWS_COMPRESSED, kind('delete', true, true)],
]);

/** Flags of a rows event; others are unknown and halt. */
export const ROWS_FLAG = {
  STATEMENT_END: 0x1,
  NO_FOREIGN_KEY_CHECKS: 0x2,
  RELAXED_UNIQUE_CHECKS: 0x4,
  COMPLETE_ROWS: 0x8,
  USE_SQL_FOREIGN_KEY: 0x10,
} as const;
export const KNOWN_ROWS_FLAGS = 0x1f;

/**
 * Whether the target has to enforce foreign keys, and to run their cascades itself. Not when the source's session didn't; and
 * not with MySQL 9.6 and later, whose SQL layer runs cascades and logs the children's rows, before the parent's
 * (https://dev.mysql.com/doc/refman/9.7/en/replication-features-foreign-keys.html).
 */
export const foreignKeysApply = (flags: number): boolean =>
  (flags & (ROWS_FLAG.NO_FOREIGN_KEY_CHECKS | ROWS_FLAG.USE_SQL_FOREIGN_KEY)) === 0;

/**
 * Memory for images, handed out piece by piece so that a small rows event doesn't cost an allocation of its own.
 * Pieces share their ArrayBuffer: copy before transferring one to another thread.
 */
export class ImageSlab {
  private bytes = new Uint8Array(0);
  private used = 0;
  private numbers = new Int32Array(0);
  private numbersUsed = 0;

  copy(source: Buffer, start: number, end: number): Uint8Array {
    const length = end - start;
    const view = new Uint8Array(source.buffer, source.byteOffset + start, length);
    if (length > 65_536) return view.slice();
    if (this.used + length > this.bytes.length) {
      this.bytes = new Uint8Array(262_144);
      this.used = 0;
    }
    const piece = this.bytes.subarray(this.used, this.used + length);
    piece.set(view);
    this.used += length;
    return piece;
  }
  copyNumbers(source: Int32Array, length: number): Int32Array {
    if (length > 16_384) return source.slice(0, length);
    if (this.numbersUsed + length > this.numbers.length) {
      this.numbers = new Int32Array(32_768);
      this.numbersUsed = 0;
    }
    const piece = this.numbers.subarray(this.numbersUsed, this.numbersUsed + length);
    for (let i = 0; i < length; i++) piece[i] = source[i] as number;
    this.numbersUsed += length;
    return piece;
  }
}

let scratch = new Int32Array(4096);

/**
 * `bytes[at, end)`: behind table id and flags. Throws `source-preflight` for images that aren't FULL, RangeError when rows
 * don't end where the event does (the caller tells where).
 */
export function readRows(bytes: Buffer, at: number, end: number, event: RowsEventKind, map: TableMap, slab: ImageSlab): RowImages {
  let p = at;
  if (event.extra) p += bytes.readUInt16LE(p);
  const width = readPackedInteger(bytes, p);
  p = width.next;
  if (width.value !== map.columnCount) throw new RangeError(`rows of ${width.value} columns for a table map of ${map.columnCount}`);
  const bitmap = (map.columnCount + 7) >> 3;
  for (let i = 0; i < (event.operation === 'update' ? 2 : 1); i++) {
    if (!allPresent(bytes, p, map.columnCount))
      throw new SrdfError('source-preflight', {
        tried: `reading rows of ${map.database}.${map.table}`,
        found: 'a row image that lacks columns (binlog_row_image was not FULL in that session)',
        action:
          'On the source: SET GLOBAL binlog_row_image=FULL, and in every session and account that sets its own; then establish the stream again',
      });
    p += bitmap;
  }
  let rows = bytes;
  let rowsEnd = end;
  if (event.compressed) {
    rows = uncompress(bytes.subarray(p, end));
    p = 0;
    rowsEnd = rows.length;
  }
  const first = p;
  let count = 0;
  while (p < rowsEnd) {
    if (count + 1 >= scratch.length) {
      const larger = new Int32Array(scratch.length * 2);
      larger.set(scratch);
      scratch = larger;
    }
    scratch[count++] = p - first;
    p = endOfImage(rows, p, map);
  }
  if (p !== rowsEnd) throw new RangeError(`the last row ends at ${p - first}, the event at ${rowsEnd - first}`);
  if (event.operation === 'update' && count % 2 !== 0) throw new RangeError('an update with a before image and no after image');
  scratch[count] = p - first;
  return { bytes: slab.copy(rows, first, rowsEnd), offsets: slab.copyNumbers(scratch, count + 1) };
}

function allPresent(bytes: Buffer, at: number, columns: number): boolean {
  const whole = columns >> 3;
  for (let i = 0; i < whole; i++) if (bytes[at + i] !== 0xff) return false;
  const rest = (1 << (columns & 7)) - 1;
  return rest === 0 || ((bytes[at + whole] ?? 0) & rest) === rest;
}
