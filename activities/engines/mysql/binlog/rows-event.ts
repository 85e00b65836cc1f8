/** Rows events, every version: from the event to the offsets of whole row images in it. Pure. */
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
function byNumber<T>(entries: readonly (readonly [number, T])[]): readonly (T | undefined)[] {
  const list = new Array<T | undefined>(256).fill(undefined);
  for (const [number, value] of entries) list[number] = value;
  return list;
}
const kind = (operation: Operation, extra: boolean, compressed: boolean): RowsEventKind => ({ operation, extra, compressed });
/** By event type; nothing for the other events. */
export const ROWS_EVENTS: readonly (RowsEventKind | undefined)[] = byNumber([
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
  /** MariaDB, check_constraint_checks=0. */
  NO_CHECK_CONSTRAINTS: 0x80,
} as const;
export const KNOWN_ROWS_FLAGS = 0x9f;

/**
 * Whether the target has to enforce foreign keys, and to run their cascades itself. Not when the source's session didn't; and
 * not with MySQL 9.6 and later, whose SQL layer runs cascades and logs the children's rows, before the parent's
 * (https://dev.mysql.com/doc/refman/9.7/en/replication-features-foreign-keys.html).
 */
export const foreignKeysApply = (flags: number): boolean =>
  (flags & (ROWS_FLAG.NO_FOREIGN_KEY_CHECKS | ROWS_FLAG.USE_SQL_FOREIGN_KEY)) === 0;

/** Whether it ends where its rows would begin. `at` and `end` as in `readRows`. */
export function isWithoutRows(bytes: Buffer, at: number, end: number, event: RowsEventKind): boolean {
  if (at === end) return true;
  const width = readPackedInteger(bytes, event.extra ? at + bytes.readUInt16LE(at) : at);
  return width.next + ((width.value + 7) >> 3) * (event.operation === 'update' ? 2 : 1) === end;
}

const SPACE = 16_384;

/** Room for offsets of images, shared by many runs so that a small rows event doesn't cost an allocation of its own. */
export class OffsetSpace {
  numbers = new Int32Array(SPACE);
  /** Behind the offsets of the last whole run. */
  used = 0;

  /** Another array, in which the `begun` offsets of the run that is being read stand first. */
  renew(begun: number): void {
    const larger = new Int32Array(Math.max(SPACE, 2 * begun));
    larger.set(this.numbers.subarray(this.used, this.used + begun));
    this.numbers = larger;
    this.used = 0;
  }
}

/**
 * `bytes[at, end)`: behind table id and flags. The images stay where they are, but those of a compressed event. Throws
 * `source-preflight` for images that aren't FULL, RangeError when rows don't end where the event does (the caller tells where).
 */
export function readRows(bytes: Buffer, at: number, end: number, event: RowsEventKind, map: TableMap, space: OffsetSpace): RowImages {
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
  let { numbers, used } = space;
  let images = 0;
  while (p < rowsEnd) {
    // One more than this image's: the end behind the last.
    if (used + images + 1 >= numbers.length) {
      space.renew(images);
      ({ numbers, used } = space);
    }
    numbers[used + images++] = p;
    p = endOfImage(rows, p, map);
  }
  if (p !== rowsEnd) throw new RangeError(`the last row ends ${p - rowsEnd} bytes behind its event`);
  if (event.operation === 'update' && images % 2 !== 0) throw new RangeError('an update with a before image and no after image');
  numbers[used + images] = p;
  space.used = used + images + 1;
  return { bytes: rows, offsets: numbers, first: used, images };
}

function allPresent(bytes: Buffer, at: number, columns: number): boolean {
  const whole = columns >> 3;
  for (let i = 0; i < whole; i++) if (bytes[at + i] !== 0xff) return false;
  const rest = (1 << (columns & 7)) - 1;
  return rest === 0 || ((bytes[at + whole] ?? 0) & rest) === rest;
}
