/**
 * The CRC-32 of many events at once: one call of zlib's over all the bytes of a stretch, packets' heads between the events included,
 * instead of a call or a loop for each event. Pure, but for the heads: they are blanked.
 *
 * An event followed by its own checksum brings the register of a CRC from its beginning to one and the same value, whatever the event
 * says (the residue; Ross Williams, "A Painless Guide to CRC Error Detection Algorithms", 1993). Gone over in one go, the register
 * doesn't begin anew at an event: it comes from the residue of the event before and through a head of zeros, so it is off by a constant;
 * and since a CRC is linear, it is off by that constant moved on by as many bytes as follow. The sum of those is what the whole must show.
 */
import { crc32 } from 'node:zlib';
import type { Stretch } from './packet-framer.js';
import { behindZero } from './small-crc32.js';

/** Between the end of an event and the beginning of the next: the packet's head and the status byte. */
const HEAD = 5;
/** The shortest event: a header and a checksum. */
const SHORTEST = 19 + 4;
/** Events summed up in one go, bytes. */
const LONGEST = 1 << 16;
/** What zlib's crc32 gives for anything followed by its own checksum. */
const RESIDUE = 0x2144df1c;

/** `MOVED_ON[n]`: the constant, moved on by n bytes. */
const MOVED_ON = movedOn();

function movedOn(): Int32Array {
  let off = ~RESIDUE;
  for (let i = 0; i < HEAD; i++) off = behindZero(off);
  off = ~off;
  const table = new Int32Array(LONGEST + 1);
  for (let i = 0; i <= LONGEST; i++) {
    table[i] = off;
    off = behindZero(off);
  }
  return table;
}

/**
 * Whether all payloads of a stretch are events that end with their own CRC-32. false says nothing of a single one: a payload may be
 * no event at all, or an event that has no checksum.
 */
export function allMatch({ bytes, starts, ends, count }: Stretch): boolean {
  for (let first = 0; first < count; ) {
    const from = (starts[first] as number) + 1;
    let last = first;
    while (last + 1 < count && (ends[last + 1] as number) - from <= LONGEST) last++;
    const end = ends[last] as number;
    let wanted = RESIDUE;
    for (let i = first; i <= last; i++) {
      const start = starts[i] as number;
      if (bytes[start] !== 0 || (ends[i] as number) - start <= SHORTEST) return false;
      if (i === first) continue;
      for (let head = start - 4; head < start; head++) bytes[head] = 0;
      wanted ^= MOVED_ON[end - start - 1] as number;
    }
    if (crc32(bytes.subarray(from, end)) !== wanted >>> 0) return false;
    first = last + 1;
  }
  return true;
}
