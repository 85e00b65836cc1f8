import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketFramer } from '../../activities/engines/mysql/binlog/packet-framer.js';
import { allMatch } from '../../activities/engines/mysql/binlog/stretch-checksum.js';

/** A packet with an event: status 0, then bytes that end with their checksum. */
function packet(content: Uint8Array, status = 0): Buffer {
  const bytes = Buffer.alloc(4 + 1 + content.length + 4);
  bytes.writeUIntLE(bytes.length - 4, 0, 3);
  bytes.writeUInt8(content.length & 0xff, 3);
  bytes.writeUInt8(status, 4);
  bytes.set(content, 5);
  bytes.writeUInt32LE(crc32(content), 5 + content.length);
  return bytes;
}
function matches(stream: Buffer): boolean {
  const framer = new PacketFramer();
  framer.push(Buffer.from(stream));
  expect(framer.next()).toBe(true);
  return allMatch(framer);
}
const events = fc.array(fc.uint8Array({ minLength: 19, maxLength: 400 }), { minLength: 1, maxLength: 12 });

describe('the checksums of a stretch of events', () => {
  it('are right together when each is right', () => {
    fc.assert(
      fc.property(events, (contents) => {
        expect(matches(Buffer.concat(contents.map((it) => packet(it))))).toBe(true);
      }),
    );
  });
  it('are wrong together when a bit of any event is wrong, its checksum included', () => {
    fc.assert(
      fc.property(events, fc.nat(), fc.nat(), fc.nat(7), (contents, which, where, bit) => {
        const packets = contents.map((it) => packet(it));
        const chosen = packets[which % packets.length] ?? Buffer.alloc(0);
        const at = 5 + (where % (chosen.length - 5));
        chosen[at] = (chosen[at] ?? 0) ^ (1 << bit);
        expect(matches(Buffer.concat(packets))).toBe(false);
      }),
    );
  });
  it('are right over more than is summed up in one go, and with events larger than that', () => {
    const sizes = [40, 70_000, 30, 65_000, 600, 65_500, 19, 131_072, 25];
    const packets = sizes.map((size, i) => packet(Buffer.alloc(size, i + 1)));
    expect(matches(Buffer.concat(packets))).toBe(true);
    for (const damaged of packets) {
      const last = damaged.length - 1;
      damaged[last] = (damaged[last] ?? 0) ^ 1;
      expect(matches(Buffer.concat(packets))).toBe(false);
      damaged[last] = (damaged[last] ?? 0) ^ 1;
    }
  });
  it('say nothing of payloads that are no events', () => {
    const event = packet(Buffer.alloc(60, 3));
    expect(matches(Buffer.concat([event, packet(Buffer.alloc(60, 4), 0xff)]))).toBe(false);
    expect(matches(Buffer.concat([event, packet(Buffer.alloc(5, 4))]))).toBe(false);
    expect(matches(Buffer.concat([event, Buffer.from([5, 0, 0, 1, 0xfe, 0, 0, 2, 0])]))).toBe(false);
  });
  it('leave what lies in the events as it is', () => {
    const stream = Buffer.concat([packet(Buffer.alloc(60, 3)), packet(Buffer.alloc(90, 4))]);
    const framer = new PacketFramer();
    framer.push(Buffer.from(stream));
    framer.next();
    allMatch(framer);
    for (let i = 0; i < framer.count; i++)
      expect(framer.bytes.subarray(framer.starts[i], framer.ends[i])).toEqual(stream.subarray(framer.starts[i], framer.ends[i]));
  });
});
