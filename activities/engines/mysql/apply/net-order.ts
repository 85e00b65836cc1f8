/** Whether net changes of a table could meet on a secondary unique key, and how updates are then taken apart. Pure. */
import type { NetChanges, RowReader } from '../../../wagon/body.js';
import type { RowImages } from '../../engine.js';
import { imageAt, offsetAt, rowImages, sliceImages } from '../../row-images.js';
import type { OpenTable } from './table-facts.js';

const some = (rows: RowImages): boolean => rows.images > 0;

/** An update that leaves every secondary unique key as it is. A key whose values images don't tell counts as touched. */
function keepsUniqueKeys(table: OpenTable, bytes: Uint8Array, before: number, after: number): boolean {
  return table.facts.uniqueKeys.every((key) => key.plain && table.reader.equalIn(key.columns, bytes, before, bytes, after));
}

export function collides(net: NetChanges, table: OpenTable): boolean {
  if (table.facts.uniqueKeys.length === 0) return false;
  const { updates } = net;
  let touching = false;
  for (let i = 0; i < updates.images && !touching; i += 2)
    touching = !keepsUniqueKeys(table, updates.bytes, offsetAt(updates, i), offsetAt(updates, i + 1));
  return (some(net.deletes) || touching) && (some(net.inserts) || touching);
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
  for (let i = 0; i < updates.images; i += 2) {
    if (keepsUniqueKeys(table, updates.bytes, offsetAt(updates, i), offsetAt(updates, i + 1))) {
      plain.add(imageAt(updates, i));
      plain.add(imageAt(updates, i + 1));
    } else {
      before.add(imageAt(updates, i));
      after.add(imageAt(updates, i + 1));
    }
  }
  return { plain: plain.rows(), before: before.rows(), after: after.rows() };
}

/** Every second image: the before images of updates (`side` 0) or the after images (1). */
export function oneSide(updates: RowImages, side: 0 | 1): RowImages {
  const list = new ImageList();
  for (let i = side; i < updates.images; i += 2) list.add(imageAt(updates, i));
  return list.rows();
}

/** Cuts updates where a row comes again that the same batch has written: within a batch, all can be done at once. */
export function* batchesWithoutRepeat(updates: RowImages, reader: RowReader): Generator<RowImages> {
  const { bytes } = updates;
  let written = new Set<string>();
  let from = 0;
  for (let i = 0; i < updates.images; i += 2) {
    const before = reader.keyOf(bytes, offsetAt(updates, i));
    if (written.has(before)) {
      yield sliceImages(updates, from, i);
      written = new Set();
      from = i;
    }
    written.add(reader.keyOf(bytes, offsetAt(updates, i + 1)));
  }
  if (from < updates.images) yield sliceImages(updates, from, updates.images);
}

/**
 * Updates of rows without a primary key, cut into events whose rows may be written in any order. MySQL looks for all rows of an event at once, in the
 * order in which they lie in the table or an index (`do_hash_scan_and_update` in sql/log_event.cc; seen with 9.7): it may pass by what a row has
 * become before that is to change again, and write a unique value before it is free.
 */
export function* inAnyOrder(updates: RowImages, table: OpenTable): Generator<RowImages> {
  const { bytes } = updates;
  let written = new Set<string>();
  let from = 0;
  for (let i = 0; i < updates.images; i += 2) {
    const keeps = keepsUniqueKeys(table, bytes, offsetAt(updates, i), offsetAt(updates, i + 1));
    if (i > from && (!keeps || written.has(textOf(updates, i)))) {
      yield sliceImages(updates, from, i);
      written = new Set();
      from = i;
    }
    if (keeps) {
      written.add(textOf(updates, i + 1));
      continue;
    }
    yield sliceImages(updates, from, i + 2);
    from = i + 2;
  }
  if (from < updates.images) yield sliceImages(updates, from, updates.images);
}

function textOf(rows: RowImages, image: number): string {
  const { buffer, byteOffset, byteLength } = imageAt(rows, image);
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}

class ImageList {
  private readonly images: Uint8Array[] = [];
  add(image: Uint8Array): void {
    this.images.push(image);
  }
  rows(): RowImages {
    const offsets = new Int32Array(this.images.length + 1);
    for (const [i, image] of this.images.entries()) offsets[i + 1] = (offsets[i] ?? 0) + image.length;
    return rowImages(Buffer.concat(this.images), offsets);
  }
}
