/**
 * Checksums of events. Each file says in its format description whether its events carry a CRC32; the server's present
 * setting says nothing about older files. Pure.
 */
import { crc32 } from 'node:zlib';
import { EVENT, HEADER_FLAG } from './event-types.js';
import { smallCrc32 } from './small-crc32.js';

export type ChecksumAlgorithm = 'none' | 'crc32';

/** Up to so many bytes the call of zlib's costs more than the sum. */
const SMALL = 448;

export function crcMatches(bytes: Buffer, start: number, end: number): boolean {
  const length = end - 4 - start;
  if (length <= 0) return false;
  const sum =
    // A plain Uint8Array: making a Buffer of it costs more than the checksum of a small event.
    length <= SMALL ? smallCrc32(bytes, start, end - 4) : crc32(new Uint8Array(bytes.buffer, bytes.byteOffset + start, length));
  return sum === bytes.readUInt32LE(end - 4);
}

/**
 * The algorithm a FORMAT_DESCRIPTION event announces: the byte before its own CRC.
 * null: unknown to us. Servers before 5.6 / 5.3 had none; they are not supported.
 */
export function announcedAlgorithm(bytes: Buffer, end: number): ChecksumAlgorithm | null {
  const code = bytes.readUInt8(end - 5);
  return code === 0 ? 'none' : code === 1 ? 'crc32' : null;
}

/** A format description's own CRC is computed with the in-use flag clear; the flag is set while the file is written to. */
export function formatDescriptionMatches(bytes: Buffer, start: number, end: number): boolean {
  if (crcMatches(bytes, start, end)) return true;
  const copy = Buffer.from(bytes.subarray(start, end));
  copy.writeUInt16LE(copy.readUInt16LE(17) & ~HEADER_FLAG.IN_USE, 17);
  return crcMatches(copy, 0, copy.length);
}

/**
 * Events the dump thread makes up itself (ROTATE at the beginning of a file, HEARTBEAT) carry a CRC or not as the *connection*
 * has it, not the file: told by whether it fits. Their time is 0, which no event of a file has ("so that slave could distinguish between
 * real and fake events", send_heartbeat_event in sql/sql_repl.cc): another event whose type was damaged isn't taken for one.
 */
export const isMadeUp = (type: number, flags: number, endPosition: number, time: number): boolean =>
  time === 0 &&
  (type === EVENT.HEARTBEAT ||
    type === EVENT.HEARTBEAT_V2 ||
    (type === EVENT.ROTATE && ((flags & HEADER_FLAG.ARTIFICIAL) !== 0 || endPosition === 0)));
