/** Changes of bytes that know nothing of what they mean. Pure. */
import type { Random } from './random.js';

const EDGES = [0, 1, 2, 4, 0x0f, 0x10, 0x20, 0x7f, 0x80, 0xc0, 250, 251, 252, 253, 254, 255] as const;
const LARGE = [0x7fff, 0x8000, 0xffff, 0x10000, 0xffffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff] as const;

type Change = (bytes: Buffer, at: number, random: Random) => Buffer;

const without = (bytes: Buffer, from: number, to: number): Buffer => Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
const put = (bytes: Buffer, at: number, more: Uint8Array): Buffer => Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
/** Short pieces mostly. */
const length = (random: Random, most: number): number => 1 + random.below(Math.min(most, random.chance(4) ? 4096 : 9));

function setByte(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value & 0xff;
  return copy;
}
function setNumber(bytes: Buffer, at: number, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const width = random.pick([2, 3, 4] as const);
  if (at + width > copy.length) return setByte(bytes, at, random.next());
  const little = random.chance(4) === false;
  const old = little ? copy.readUIntLE(at, width) : copy.readUIntBE(at, width);
  const value = random.chance(2) ? random.pick(LARGE) : old + random.below(71) - 35;
  const wrapped = ((value % 2 ** (8 * width)) + 2 ** (8 * width)) % 2 ** (8 * width);
  if (little) copy.writeUIntLE(wrapped, at, width);
  else copy.writeUIntBE(wrapped, at, width);
  return copy;
}

const CHANGES: readonly Change[] = [
  (bytes, at, random) => setByte(bytes, at, (bytes[at] ?? 0) ^ (1 << random.below(8))),
  (bytes, at, random) => setByte(bytes, at, (bytes[at] ?? 0) ^ (1 << random.below(8))),
  (bytes, at, random) => setByte(bytes, at, random.next()),
  (bytes, at, random) => setByte(bytes, at, random.pick(EDGES)),
  (bytes, at, random) => setByte(bytes, at, (bytes[at] ?? 0) + random.below(9) - 4),
  setNumber,
  setNumber,
  (bytes, at, random) => put(bytes, at, random.bytes(length(random, 64))),
  (bytes, at, random) => put(bytes, at, Buffer.alloc(length(random, 512), random.pick(EDGES))),
  (bytes, at, random) => without(bytes, at, at + length(random, bytes.length)),
  (bytes, at, random) => {
    const piece = bytes.subarray(at, at + length(random, bytes.length));
    return put(bytes, random.below(bytes.length + 1), piece);
  },
  (bytes, at, random) => {
    const copy = Buffer.from(bytes);
    const from = random.below(bytes.length);
    bytes.copy(copy, at, from, from + length(random, bytes.length));
    return copy;
  },
  (bytes, at, random) => (random.chance(3) ? bytes.subarray(0, at) : setByte(bytes, at, random.pick(EDGES))),
];

/** One change mostly, now and then several. */
export function mutateBytes(input: Uint8Array, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(input);
  do {
    if (bytes.length === 0) return random.bytes(1 + random.below(16));
    bytes = random.pick(CHANGES)(bytes, random.below(bytes.length), random);
  } while (random.chance(3));
  return Buffer.from(bytes);
}

/** A piece of `other` in the place of a piece of `input`. */
export function splice(input: Uint8Array, other: Uint8Array, random: Random): Buffer {
  const from = random.below(other.length);
  const piece = Buffer.from(other).subarray(from, from + length(random, other.length));
  const at = random.below(input.length + 1);
  return Buffer.concat([
    Buffer.from(input).subarray(0, at),
    piece,
    Buffer.from(input).subarray(at + (random.chance(2) ? piece.length : 0)),
  ]);
}

/** Of words that mean something: one is put in, taken out, doubled, or its bytes are changed. */
export function mutateText(input: Uint8Array, words: readonly string[], random: Random): Buffer {
  let bytes: Buffer = Buffer.from(input);
  do {
    const at = random.below(bytes.length + 1);
    switch (random.below(5)) {
      case 0:
        bytes = mutateBytes(bytes, random);
        break;
      case 1:
        bytes = put(bytes, at, Buffer.from(` ${random.pick(words)} `));
        break;
      case 2:
        bytes = put(bytes, at, Buffer.from(random.pick(words)));
        break;
      case 3: {
        const parts = bytes.toString('latin1').split(/(\b|\s+)/);
        parts[random.below(parts.length)] = random.chance(2) ? random.pick(words) : '';
        bytes = Buffer.from(parts.join(''), 'latin1');
        break;
      }
      default:
        bytes = splice(bytes, bytes.length === 0 ? Buffer.from(' ') : bytes, random);
    }
  } while (random.chance(2));
  return bytes;
}
