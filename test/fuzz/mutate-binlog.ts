/** Changes of a binary log file that know its events: an attacker on the source's disk, who can compute checksums. Pure. */
import { deflateSync, inflateSync } from 'node:zlib';
import zstd from 'zstd-napi/binding.js';
import { END_AT, eventsOf, FLAGS_AT, HEADER, LENGTH_AT, MAGIC, sealEvent, TYPE_AT } from './binlog-file.js';
import { mutateBytes, splice } from './mutate-bytes.js';
import type { Random } from './random.js';

const PAYLOAD = 40;
const TYPES = [2, 3, 4, 5, 13, 14, 15, 16, 17, 18, 19, 23, 24, 25, 26, 27, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42] as const;
const MARIADB_TYPES = [160, 161, 162, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 200] as const;
const COMPRESSED = new Set([165, 166, 167, 168, 169, 170, 171]);

export function mutateBinlog(file: Uint8Array, others: readonly Uint8Array[], random: Random): Buffer {
  const events: Buffer[] = eventsOf(file).map((event) => Buffer.from(event));
  do {
    const at = random.below(events.length);
    const event = events[at] ?? Buffer.alloc(HEADER + 4);
    switch (random.below(12)) {
      case 0:
        events.splice(at, 1);
        break;
      case 1:
        events.splice(random.below(events.length + 1), 0, Buffer.from(event));
        break;
      case 2: {
        const other = random.below(events.length);
        events[at] = events[other] ?? event;
        events[other] = event;
        break;
      }
      case 3:
        events[at] = random.pick(eventsOf(random.pick(others)));
        break;
      case 4:
        event[TYPE_AT] = random.chance(3) ? random.pick(MARIADB_TYPES) : random.pick(TYPES);
        break;
      case 5:
        event.writeUInt16LE(event.readUInt16LE(FLAGS_AT) ^ (1 << random.below(16)), FLAGS_AT);
        break;
      default:
        events[at] = withBody(event, (body) => mutateBody(event[TYPE_AT] ?? 0, body, random));
    }
  } while (random.chance(3));
  let end = MAGIC.length;
  const followed = random.chance(8) === false;
  const sealed = events.map((it) => {
    const event = Buffer.from(it);
    if (event.length < HEADER + 4) return event;
    end += event.length;
    if (followed && event.readUInt32LE(END_AT) !== 0) event.writeUInt32LE(end, END_AT);
    return sealEvent(event);
  });
  return Buffer.concat([MAGIC, ...sealed]);
}

function withBody(event: Buffer, change: (body: Buffer) => Uint8Array): Buffer {
  if (event.length < HEADER + 4) return event;
  return Buffer.concat([event.subarray(0, HEADER), change(event.subarray(HEADER, -4)), Buffer.alloc(4)]);
}

function mutateBody(type: number, body: Buffer, random: Random): Uint8Array {
  if (type === PAYLOAD && !random.chance(8)) return mutatePayload(body, random) ?? mutateBytes(body, random);
  if (COMPRESSED.has(type) && !random.chance(4)) return mutateDeflated(body, random) ?? mutateBytes(body, random);
  return random.chance(10) ? splice(body, body.length === 0 ? Buffer.alloc(1) : body, random) : mutateBytes(body, random);
}

const integer = (value: number): Buffer => {
  const bytes = Buffer.alloc(9);
  bytes[0] = 254;
  bytes.writeBigUInt64LE(BigInt(value), 1);
  return bytes;
};
const zstdOf = (plain: Uint8Array): Uint8Array => {
  const into = new Uint8Array(zstd.compressBound(plain.length));
  return into.subarray(0, zstd.compress(into, plain, 1));
};

/** A payload's inner events changed and packed again. null: not found in it. */
function mutatePayload(body: Buffer, random: Random): Buffer | null {
  const start = body.indexOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
  if (start < 0) return null;
  const plain = new Uint8Array(1 << 20);
  let length: number;
  try {
    length = zstd.decompress(plain, body.subarray(start));
  } catch {
    return null;
  }
  const inner: Buffer[] = eventsOf(Buffer.concat([MAGIC, plain.subarray(0, length)])).map((it) => Buffer.from(it));
  const at = random.below(inner.length);
  const event = inner[at] ?? Buffer.alloc(HEADER);
  const kind = random.below(6);
  if (kind === 0) inner.splice(at, 1);
  else if (kind === 1) inner.splice(at, 0, event);
  else if (kind === 2) inner[at] = mutateBytes(event, random);
  else {
    const changed = Buffer.concat([event.subarray(0, HEADER), mutateBytes(event.subarray(HEADER), random)]);
    if (changed.length >= HEADER) changed.writeUInt32LE(changed.length, LENGTH_AT);
    inner[at] = changed;
  }
  const again = random.chance(40) ? Buffer.alloc(24 << 20, 7) : Buffer.concat(inner);
  const packed = zstdOf(again);
  const field = (type: number, value: number): Buffer => Buffer.concat([Buffer.from([type, 9]), integer(value)]);
  return Buffer.concat([
    field(2, random.chance(30) ? 255 : 0),
    field(3, random.chance(20) ? random.next() : again.length),
    field(1, random.chance(20) ? random.next() : packed.length),
    Buffer.from([0]),
    packed,
  ]);
}

/** MariaDB's compressed events: 0x80 | n, the length in n bytes, zlib data. null: not found in it. */
function mutateDeflated(body: Buffer, random: Random): Buffer | null {
  for (let at = 1; at + 8 < body.length; at++) {
    const head = body[at] ?? 0;
    const width = head & 7;
    if ((head & 0xf8) !== 0x80 || width < 1 || width > 4 || body[at + 1 + width] !== 0x78) continue;
    try {
      const plain = inflateSync(body.subarray(at + 1 + width));
      const again = random.chance(40) ? Buffer.alloc(16 << 20) : mutateBytes(plain, random);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(random.chance(20) ? random.next() : again.length);
      return Buffer.concat([body.subarray(0, at), Buffer.from([0x84]), length, deflateSync(again)]);
    } catch {
      // another byte that looks like it
    }
  }
  return null;
}
