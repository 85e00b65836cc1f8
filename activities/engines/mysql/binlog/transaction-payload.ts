/**
 * MySQL's TRANSACTION_PAYLOAD: a whole transaction's events in one, compressed with zstd
 * (https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Transaction__payload__event.html).
 * Inner events have no checksum; the outer event's covers them. Uncompressed piece by piece: a transaction is not held whole.
 */
import zstd from 'zstd-napi/binding.js';
import { HEADER_LENGTH } from './event-types.js';
import { readPackedInteger } from './packed-integer.js';

const FIELD = { END: 0, SIZE: 1, COMPRESSION: 2, UNCOMPRESSED_SIZE: 3 } as const;
const COMPRESSION = { ZSTD: 0, NONE: 255 } as const;
const PIECE = 1 << 20;
/** The server's own limit of an event (max_allowed_packet), and a header. */
const LARGEST_EVENT = 2 ** 30 + 4096;

/** `bytes[start, end)`: the body without checksum. Yields whole events; each is valid until the next is asked for. RangeError when malformed. */
export function* payloadEvents(bytes: Buffer, start: number, end: number): Generator<Buffer> {
  let p = start;
  let compression: number = COMPRESSION.ZSTD;
  let size: number | null = null;
  let uncompressed: number | null = null;
  for (;;) {
    const type = readPackedInteger(bytes, p);
    p = type.next;
    if (type.value === FIELD.END) break;
    const length = readPackedInteger(bytes, p);
    p = length.next;
    if (type.value === FIELD.SIZE) size = readPackedInteger(bytes, p).value;
    else if (type.value === FIELD.COMPRESSION) compression = readPackedInteger(bytes, p).value;
    else if (type.value === FIELD.UNCOMPRESSED_SIZE) uncompressed = readPackedInteger(bytes, p).value;
    else throw new RangeError(`a transaction payload with the unknown field ${type.value}`);
    p += length.value;
    if (p > end) throw new RangeError('a transaction payload that ends in its header');
  }
  if (size !== null && p + size !== end) throw new RangeError(`a transaction payload of ${end - p} bytes that announces ${size}`);
  if (compression !== COMPRESSION.ZSTD && compression !== COMPRESSION.NONE)
    throw new RangeError(`a transaction payload with the unknown compression ${compression}`);

  let total = 0;
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let needed: number = HEADER_LENGTH;
  const pieces = compression === COMPRESSION.ZSTD ? inflate(bytes.subarray(p, end)) : [bytes.subarray(p, end)];
  for (const piece of pieces) {
    total += piece.length;
    if (uncompressed !== null && total > uncompressed)
      throw new RangeError(`more than the ${uncompressed} bytes a transaction payload announces`);
    waiting.push(piece);
    waitingBytes += piece.length;
    // Joined once an event is whole, so that a large one isn't copied for each piece it comes in.
    if (waitingBytes < needed) continue;
    const carry = waiting.length === 1 ? piece : Buffer.concat(waiting, waitingBytes);
    let at = 0;
    needed = HEADER_LENGTH;
    while (carry.length - at >= HEADER_LENGTH) {
      const length = carry.readUInt32LE(at + 9);
      if (length < HEADER_LENGTH || length > Math.min(LARGEST_EVENT, uncompressed ?? LARGEST_EVENT))
        throw new RangeError(`an event of ${length} bytes in a transaction payload`);
      if (carry.length - at < length) {
        needed = length;
        break;
      }
      yield carry.subarray(at, at + length);
      at += length;
    }
    waitingBytes = carry.length - at;
    waiting = waitingBytes === 0 ? [] : [carry.subarray(at)];
  }
  if (waitingBytes > 0) throw new RangeError('a transaction payload that ends in the middle of an event');
  if (uncompressed !== null && total !== uncompressed)
    throw new RangeError(`a transaction payload of ${total} bytes that announces ${uncompressed}`);
}

function* inflate(source: Buffer): Generator<Buffer> {
  const context = new zstd.DCtx();
  let rest: Buffer = source;
  for (;;) {
    const piece = Buffer.allocUnsafeSlow(PIECE);
    const [toFlush, written, consumed] = decompressed(context, piece, rest);
    rest = rest.subarray(consumed);
    if (written > 0) yield piece.subarray(0, written);
    if (toFlush === 0 && rest.length === 0) return;
    if (written === 0 && consumed === 0) throw new RangeError('compressed data that ends too early');
  }
}

function decompressed(context: InstanceType<typeof zstd.DCtx>, into: Buffer, from: Buffer): [number, number, number] {
  try {
    return context.decompressStream(into, from);
  } catch (error) {
    throw new RangeError(`compressed data that can't be uncompressed (${error instanceof Error ? error.message : error})`);
  }
}
