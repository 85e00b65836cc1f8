/** A binary log file as events and back, written without the product's reader: what judges it must not be it. Pure. */
import { crc32 } from 'node:zlib';

export const MAGIC = Buffer.from([0xfe, 0x62, 0x69, 0x6e]);
export const HEADER = 19;
export const TYPE_AT = 4;
export const LENGTH_AT = 9;
export const END_AT = 13;
export const FLAGS_AT = 17;
export const FORMAT_DESCRIPTION = 15;

/** Cut by the lengths in their headers, as a server sends them; the rest that isn't a whole event comes last. */
export function eventsOf(file: Uint8Array): Buffer[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const events: Buffer[] = [];
  for (let at = MAGIC.length; at < bytes.length; ) {
    const length = bytes.length - at < HEADER ? 0 : bytes.readUInt32LE(at + LENGTH_AT);
    const end = length < HEADER || at + length > bytes.length ? bytes.length : at + length;
    events.push(bytes.subarray(at, end));
    at = end;
  }
  return events;
}

/** Length and checksum as they must be; the last four bytes are the checksum's place. */
export function sealEvent(event: Buffer): Buffer {
  if (event.length < HEADER + 4) return event;
  event.writeUInt32LE(event.length, LENGTH_AT);
  const body = event.subarray(0, -4);
  if (event[TYPE_AT] === FORMAT_DESCRIPTION) {
    const clear = Buffer.from(body);
    clear.writeUInt16LE(clear.readUInt16LE(FLAGS_AT) & ~1, FLAGS_AT);
    event.writeUInt32LE(crc32(clear), event.length - 4);
  } else event.writeUInt32LE(crc32(body), event.length - 4);
  return event;
}

/** Whether every byte of the file is vouched for: cut exactly, each checksum right. */
export function isUndamaged(file: Uint8Array): boolean {
  return eventsOf(file).every((event) => {
    if (event.length < HEADER + 4 || event.readUInt32LE(LENGTH_AT) !== event.length) return false;
    const sealed = sealEvent(Buffer.from(event));
    return sealed.equals(event);
  });
}
