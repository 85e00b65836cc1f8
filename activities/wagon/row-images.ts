/** Small pure operations on runs of row images. */
import type { Operation, RowImages } from '../engines/engine.js';

const NO_ROWS: RowImages = { bytes: new Uint8Array(0), offsets: new Int32Array(1) };

/** Images, not rows: an update has two of them. */
export function imageCount(rows: RowImages): number {
  return rows.offsets.length - 1;
}
export function imagesPerRow(operation: Operation): number {
  return operation === 'update' ? 2 : 1;
}
/** Bytes of all images together. */
export function imageBytes(rows: RowImages): number {
  return offsetAt(rows, rows.offsets.length - 1) - offsetAt(rows, 0);
}
/** The offset of image `index`, checked: an offset that isn't there is a defect, never a zero. */
export function offsetAt(rows: RowImages, index: number): number {
  const offset = rows.offsets[index];
  if (offset === undefined) throw new RangeError(`row image ${index} of ${rows.offsets.length - 1}`);
  return offset;
}
/** Images `from` (included) to `to` (excluded), sharing the bytes. */
export function sliceImages(rows: RowImages, from: number, to: number): RowImages {
  return { bytes: rows.bytes, offsets: rows.offsets.subarray(from, to + 1) };
}
/** One run out of several, in order. Copies the bytes. */
export function concatImages(parts: readonly RowImages[]): RowImages {
  const [first] = parts;
  if (first === undefined) return NO_ROWS;
  if (parts.length === 1) return first;
  let images = 0;
  let size = 0;
  for (const part of parts) {
    images += imageCount(part);
    size += imageBytes(part);
  }
  const bytes = new Uint8Array(size);
  const offsets = new Int32Array(images + 1);
  let at = 0;
  let image = 0;
  for (const part of parts) {
    const start = offsetAt(part, 0);
    bytes.set(part.bytes.subarray(start, start + imageBytes(part)), at);
    const shift = at - start;
    for (let index = 1; index < part.offsets.length; index++) offsets[++image] = offsetAt(part, index) + shift;
    at += imageBytes(part);
  }
  return { bytes, offsets };
}
