/** Items gathered out of the log until they are handed on together. Pure. */
import type { LogBatch, LogItem, RowImages } from '../../engine.js';
import { imageBytes, rowImages } from '../../row-images.js';

const BEGIN: LogItem = { kind: 'begin' };

export class ItemBatch {
  items: LogItem[] = [];
  /** Bytes of row images in `items`. */
  bytes = 0;

  begin(): void {
    this.items.push(BEGIN);
  }
  push(item: Exclude<LogItem, { kind: 'begin' | 'rows' }>): void {
    this.items.push(item);
  }
  rows(item: Extract<LogItem, { kind: 'rows' }>): void {
    this.bytes += imageBytes(item.rows);
    this.items.push(item);
  }

  /** What was gathered; empty from then on. */
  take(): LogBatch {
    const items = this.bytes === 0 ? this.items : owned(this.items, this.bytes);
    this.items = [];
    this.bytes = 0;
    return { items };
  }
}

/**
 * Images lie in the memory that came from the server, and keep all of it for as long as they live. Where most of it is something else,
 * of tables out of scope, they get memory of their own: a wagon would otherwise hold a multiple of its size.
 */
function owned(items: LogItem[], used: number): LogItem[] {
  let held = 0;
  let last: ArrayBufferLike | null = null;
  for (const item of items) {
    if (item.kind !== 'rows' || item.rows.bytes.buffer === last) continue;
    last = item.rows.bytes.buffer;
    held += last.byteLength;
  }
  if (held <= 2 * used) return items;
  const memory = new Uint8Array(used);
  let at = 0;
  return items.map((item) => {
    if (item.kind !== 'rows') return item;
    const rows = copied(item.rows, memory.subarray(at, at + imageBytes(item.rows)));
    at += imageBytes(item.rows);
    return { ...item, rows };
  });
}

function copied({ bytes, offsets, first, images }: RowImages, into: Uint8Array): RowImages {
  const start = offsets[first] ?? 0;
  into.set(bytes.subarray(start, start + into.length));
  return rowImages(
    into,
    offsets.slice(first, first + images + 1).map((offset) => offset - start),
  );
}
