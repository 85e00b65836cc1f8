/** Whether net changes of a table could meet on a secondary unique key, and how updates are then taken apart. Pure. */
import type { NetChanges, RowReader } from '../../../wagon/body.js';
import type { RowImages } from '../../engine.js';
import type { OpenTable } from './table-facts.js';

const some = (rows: RowImages): boolean => rows.offsets.length > 1;

/** An update that leaves every secondary unique key as it is. A key whose values images don't tell counts as touched. */
function keepsUniqueKeys(table: OpenTable, bytes: Uint8Array, before: number, after: number): boolean {
  return table.facts.uniqueKeys.every((key) => key.plain && table.reader.equalIn(key.columns, bytes, before, bytes, after));
}

export function collides(net: NetChanges, table: OpenTable): boolean {
  if (table.facts.uniqueKeys.length === 0) return false;
  const { bytes, offsets } = net.updates;
  let touching = 0;
  for (let i = 0; i + 2 < offsets.length && touching < 1; i += 2)
    if (!keepsUniqueKeys(table, bytes, offsets[i] ?? 0, offsets[i + 1] ?? 0)) touching++;
  return (some(net.deletes) || touching > 0) && (some(net.inserts) || touching > 0);
}

export interface SplitUpdates {
  readonly plain: RowImages;
  readonly before: RowImages;
  readonly after: RowImages;
}
export function splitUpdates(updates: RowImages, table: OpenTable): SplitUpdates {
  const plain = new ImageList();
  const before = new ImageList();
  const after = new ImageList();
  const { bytes, offsets } = updates;
  for (let i = 0; i + 2 < offsets.length; i += 2) {
    const [start = 0, middle = 0, end = 0] = [offsets[i], offsets[i + 1], offsets[i + 2]];
    if (keepsUniqueKeys(table, bytes, start, middle)) {
      plain.add(bytes.subarray(start, middle));
      plain.add(bytes.subarray(middle, end));
    } else {
      before.add(bytes.subarray(start, middle));
      after.add(bytes.subarray(middle, end));
    }
  }
  return { plain: plain.rows(), before: before.rows(), after: after.rows() };
}

/** Every second image: the before images of updates (`side` 0) or the after images (1). */
export function oneSide(updates: RowImages, side: 0 | 1): RowImages {
  const list = new ImageList();
  for (let i = side; i + 1 < updates.offsets.length; i += 2)
    list.add(updates.bytes.subarray(updates.offsets[i] ?? 0, updates.offsets[i + 1] ?? 0));
  return list.rows();
}

/** Cuts updates where a row comes again that the same batch has written: within a batch, all can be done at once. */
export function* batchesWithoutRepeat(updates: RowImages, reader: RowReader): Generator<RowImages> {
  const { bytes, offsets } = updates;
  let written = new Set<string>();
  let from = 0;
  for (let i = 0; i + 2 < offsets.length; i += 2) {
    const before = reader.keyOf(bytes, offsets[i] ?? 0);
    if (written.has(before)) {
      yield { bytes, offsets: offsets.subarray(from, i + 1) };
      written = new Set();
      from = i;
    }
    written.add(reader.keyOf(bytes, offsets[i + 1] ?? 0));
  }
  if (from < offsets.length - 1) yield { bytes, offsets: offsets.subarray(from) };
}

class ImageList {
  private readonly images: Uint8Array[] = [];
  add(image: Uint8Array): void {
    this.images.push(image);
  }
  rows(): RowImages {
    const offsets = new Int32Array(this.images.length + 1);
    for (const [i, image] of this.images.entries()) offsets[i + 1] = (offsets[i] ?? 0) + image.length;
    return { bytes: Buffer.concat(this.images), offsets };
  }
}
