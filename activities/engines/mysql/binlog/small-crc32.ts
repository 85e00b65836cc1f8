/**
 * CRC-32 of a few bytes without leaving JavaScript: below some 256 bytes the call of zlib's costs more than the sum itself.
 * Eight bytes a step (slicing-by-8; polynomial of zlib and IEEE 802.3, reflected: 0xEDB88320). Pure.
 */
const SLICES = 8;

const TABLE = new Int32Array(256 * SLICES);
for (let byte = 0; byte < 256; byte++) {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 1 ? 0xedb88320 ^ (sum >>> 1) : sum >>> 1;
  TABLE[byte] = sum;
}
for (let at = 256; at < TABLE.length; at++) {
  const before = TABLE[at - 256] as number;
  TABLE[at] = (before >>> 8) ^ (TABLE[before & 0xff] as number);
}

/** Of `bytes[start, end)`. */
export function smallCrc32(bytes: Uint8Array, start: number, end: number): number {
  let sum = -1;
  let p = start;
  for (; p + SLICES <= end; p += SLICES) {
    sum ^= word(bytes, p);
    sum = step(sum, bytes, p);
  }
  for (; p < end; p++) sum = at(TABLE, (sum ^ at(bytes, p)) & 0xff) ^ (sum >>> 8);
  return ~sum >>> 0;
}

/** An index that the loop's bounds have checked. */
const at = (of: Uint8Array | Int32Array, index: number): number => of[index] as number;
const word = (b: Uint8Array, p: number): number => at(b, p) | (at(b, p + 1) << 8) | (at(b, p + 2) << 16) | (at(b, p + 3) << 24);
const step = (sum: number, b: Uint8Array, p: number): number =>
  at(TABLE, 1792 + (sum & 0xff)) ^
  at(TABLE, 1536 + ((sum >>> 8) & 0xff)) ^
  at(TABLE, 1280 + ((sum >>> 16) & 0xff)) ^
  at(TABLE, 1024 + (sum >>> 24)) ^
  at(TABLE, 768 + at(b, p + 4)) ^
  at(TABLE, 512 + at(b, p + 5)) ^
  at(TABLE, 256 + at(b, p + 6)) ^
  at(TABLE, at(b, p + 7));
