import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketFramer } from '../../activities/engines/mysql/binlog/packet-framer.js';

/** The packets a server sends for a payload: pieces of at most 0xFFFFFF bytes, the last one shorter. */
function packets(payload: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0, sequence = 0; ; at += 0xffffff, sequence++) {
    const piece = payload.subarray(at, at + 0xffffff);
    const head = Buffer.alloc(4);
    head.writeUIntLE(piece.length, 0, 3);
    head.writeUInt8(sequence & 0xff, 3);
    parts.push(head, piece);
    if (piece.length < 0xffffff) return Buffer.concat(parts);
  }
}
function frame(chunks: Iterable<Buffer>): Buffer[] {
  const framer = new PacketFramer();
  const found: Buffer[] = [];
  for (const chunk of chunks) {
    framer.push(chunk);
    while (framer.next())
      for (let i = 0; i < framer.count; i++) found.push(Buffer.from(framer.bytes.subarray(framer.starts[i], framer.ends[i])));
  }
  return found;
}

describe('packets', () => {
  it('come out whole however the stream is torn, byte by byte too', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
        (payloads, sizes) => {
          const stream = Buffer.concat(payloads.map((it) => packets(Buffer.from(it))));
          const chunks: Buffer[] = [];
          for (let at = 0, i = 0; at < stream.length; i++) {
            const size = sizes[i % sizes.length] ?? 1;
            chunks.push(stream.subarray(at, at + size));
            at += size;
          }
          const bytes = Array.from(stream, (byte) => Buffer.from([byte]));
          const wanted = payloads.map((it) => Buffer.from(it).toString('hex'));
          expect(frame(chunks).map((it) => it.toString('hex'))).toEqual(wanted);
          expect(frame(bytes).map((it) => it.toString('hex'))).toEqual(wanted);
        },
      ),
    );
  });

  it.each([0xfffffe, 0xffffff, 0x1000000, 2 * 0xffffff, 2 * 0xffffff + 5])('of %i bytes go on in the next packet', (length) => {
    const payload = Buffer.alloc(length);
    for (let i = 0; i < length; i += 4099) payload[i] = i & 0xff;
    payload[length - 1] = 0x7f;
    const stream = Buffer.concat([packets(payload), packets(Buffer.from('next'))]);
    const chunks: Buffer[] = [];
    for (let at = 0; at < stream.length; at += 65_536) chunks.push(stream.subarray(at, at + 65_536));
    const found = frame(chunks);
    expect(found).toHaveLength(2);
    expect(found[0]?.equals(payload)).toBe(true);
    expect(found[1]?.toString()).toBe('next');
  });
});
