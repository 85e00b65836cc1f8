/**
 * CRC-32 of a few bytes without leaving JavaScript: below some 400 bytes the call of zlib's costs more than the sum itself.
 * Sixteen bytes a step, four words at a time (slicing-by-16; polynomial of zlib and IEEE 802.3, reflected: 0xEDB88320). Pure.
 */
const SLICES = 16;

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

/** A CRC's register behind one more byte that is zero. */
export const behindZero = (register: number): number => (TABLE[register & 0xff] as number) ^ (register >>> 8);

/** The memory that events lie in is shared by many: one array of words over it serves them all. In the machine's byte order: little-endian. */
let memory: ArrayBufferLike = new ArrayBuffer(0);
let words: Int32Array = new Int32Array(memory);

/** Of `bytes[start, end)`. */
export function smallCrc32(bytes: Uint8Array, start: number, end: number): number {
  if (bytes.buffer !== memory) {
    memory = bytes.buffer;
    words = new Int32Array(memory, 0, memory.byteLength >> 2);
  }
  let sum = -1;
  let p = start;
  const shift = bytes.byteOffset;
  const aligned = Math.min(end, start + (-(shift + start) & 3));
  for (; p < aligned; p++) sum = at(TABLE, (sum ^ at(bytes, p)) & 0xff) ^ (sum >>> 8);
  let w = (shift + p) >> 2;
  for (; p + SLICES <= end; p += SLICES) {
    sum = slice(768, at(words, w + 3)) ^ slice(1792, at(words, w + 2)) ^ slice(2816, at(words, w + 1)) ^ slice(3840, sum ^ at(words, w));
    w += 4;
  }
  for (; p + 4 <= end; p += 4) sum = slice(768, sum ^ at(words, w++));
  for (; p < end; p++) sum = at(TABLE, (sum ^ at(bytes, p)) & 0xff) ^ (sum >>> 8);
  return ~sum >>> 0;
}

/** An index that the loop's bounds have checked. */
const at = (of: Uint8Array | Int32Array, index: number): number => of[index] as number;
/** A word's four bytes; `first`: the table of the lowest, which has the most behind it. */
const slice = (first: number, word: number): number =>
  at(TABLE, first + (word & 0xff)) ^
  at(TABLE, first - 256 + ((word >>> 8) & 0xff)) ^
  at(TABLE, first - 512 + ((word >>> 16) & 0xff)) ^
  at(TABLE, first - 768 + (word >>> 24));
