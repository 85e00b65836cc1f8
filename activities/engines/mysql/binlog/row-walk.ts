/** Walks row images without decoding or allocating: where a row ends, where a column lies. Pure, on the hot path. */
import type { TableMap } from './table-map.js';

/** Where the image that starts at `start` ends. All columns are present (binlog_row_image=FULL). */
export function endOfImage(bytes: Uint8Array, start: number, map: TableMap): number {
  const { kinds, widths, columnCount } = map;
  let p = start + ((columnCount + 7) >> 3);
  for (let i = 0; i < columnCount; i++) {
    if (((bytes[start + (i >> 3)] as number) & (1 << (i & 7))) !== 0) continue;
    const width = widths[i] as number;
    p += kinds[i] === 0 ? width : width + prefixLength(bytes, p, width);
  }
  return p;
}

export function prefixLength(bytes: Uint8Array, at: number, width: number): number {
  let length = bytes[at] as number;
  if (width > 1) length += (bytes[at + 1] as number) * 0x100;
  if (width > 2) length += (bytes[at + 2] as number) * 0x10000;
  if (width > 3) length += (bytes[at + 3] as number) * 0x1000000;
  return length;
}

/**
 * Writes for each column where its value (length prefix included) starts and ends: `spans[2i]`, `spans[2i+1]`; both -1 when NULL.
 * Stops after column `through`.
 */
export function columnSpans(bytes: Uint8Array, start: number, map: TableMap, spans: Int32Array, through = map.columnCount - 1): void {
  const { kinds, widths, columnCount } = map;
  let p = start + ((columnCount + 7) >> 3);
  for (let i = 0; i <= through; i++) {
    if (((bytes[start + (i >> 3)] as number) & (1 << (i & 7))) !== 0) {
      spans[2 * i] = -1;
      spans[2 * i + 1] = -1;
      continue;
    }
    const width = widths[i] as number;
    const end = p + (kinds[i] === 0 ? width : width + prefixLength(bytes, p, width));
    spans[2 * i] = p;
    spans[2 * i + 1] = end;
    p = end;
  }
}
