/** Small pure operations on runs of row images. */
import type { Operation, RowImages } from './changes.js';

/** `offsets`: where each image starts in `bytes`, and where the last ends. */
export const rowImages = (bytes: Uint8Array, offsets: Int32Array): RowImages => ({ bytes, offsets, first: 0, images: offsets.length - 1 });
const NO_ROWS = rowImages(new Uint8Array(0), new Int32Array(1));

/** Images, not rows: an update has two of them. */
export function imagesPerRow(operation: Operation): number {
  return operation === 'update' ? 2 : 1;
}
/** Bytes of all images together. */
export function imageBytes(rows: RowImages): number {
  return offsetAt(rows, rows.images) - offsetAt(rows, 0);
}
/** Where image `index` starts; of the count itself: where the last ends. Checked: an offset that isn't there is a defect, never a zero. */
export function offsetAt(rows: RowImages, index: number): number {
  const offset = index <= rows.images ? rows.offsets[rows.first + index] : undefined;
  if (offset === undefined) throw new RangeError(`row image ${index} of ${rows.images}`);
  return offset;
}
/** The bytes of image `index`, shared. */
export function imageAt(rows: RowImages, index: number): Uint8Array {
  return rows.bytes.subarray(offsetAt(rows, index), offsetAt(rows, index + 1));
}
/** Images `from` (included) to `to` (excluded), sharing the bytes. */
export function sliceImages(rows: RowImages, from: number, to: number): RowImages {
  return { ...rows, first: rows.first + from, images: to - from };
}
/** One run out of several, in order. Copies the bytes. */
export function concatImages(parts: readonly RowImages[]): RowImages {
  const [first] = parts;
  if (first === undefined) return NO_ROWS;
  if (parts.length === 1) return first;
  let images = 0;
  let size = 0;
  for (const part of parts) {
    images += part.images;
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
    for (let index = 1; index <= part.images; index++) offsets[++image] = offsetAt(part, index) + shift;
    at += imageBytes(part);
  }
  return { bytes, offsets, first: 0, images };
}
