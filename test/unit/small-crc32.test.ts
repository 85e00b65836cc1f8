import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { smallCrc32 } from '../../activities/engines/mysql/binlog/small-crc32.js';

describe('the checksum of small events', () => {
  it("is zlib's, of any bytes anywhere in a buffer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20), (content, before) => {
        const bytes = Buffer.concat([Buffer.alloc(before, 7), content, Buffer.alloc(3, 9)]);
        expect(smallCrc32(bytes, before, before + content.length)).toBe(crc32(content));
      }),
    );
  });
});
