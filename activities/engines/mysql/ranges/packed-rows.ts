/** Rows of the text protocol turned into values of range bodies: lengths are rewritten, values copied as they are, nothing is decoded. Pure. */
import { giveBack } from '../../../wagon/give-back.js';

/** Where a body begins to grow from; a body behind a full one has its full size at once. */
const FIRST_BYTES = 2 ** 20;
/** Shorter values are copied byte by byte, which costs less than a call. */
const SHORT = 24;
const NULL_LENGTH = 0xffff_ffff;

export interface PackedRows {
  readonly values: Uint8Array;
  readonly rows: number;
}

/** A row of the text protocol is one length-encoded string a column, 0xFB for NULL (https://mariadb.com/kb/en/result-set-packets/). */
export class RowPacker {
  private buffer = Buffer.allocUnsafe(0);
  private at = 0;
  private rows = 0;
  private firstBytes = FIRST_BYTES;

  constructor(
    private readonly columns: number,
    private readonly maxBytes: number,
  ) {}

  /** Takes the row that is `packet[start, end)`. Returns the rows before it when it doesn't fit beside them. Throws RangeError for what isn't such a row. */
  add(packet: Buffer, start: number, end: number): PackedRows | null {
    const most = end - start + 3 * this.columns;
    const full = this.rows > 0 && this.at + most > this.maxBytes ? this.take() : null;
    if (full !== null) this.firstBytes = this.maxBytes;
    if (this.buffer.length - this.at < most) this.grow(most);
    this.pack(packet, start, end);
    this.rows++;
    return full;
  }

  take(): PackedRows {
    const taken = { values: this.buffer.subarray(0, this.at), rows: this.rows };
    this.buffer = Buffer.allocUnsafe(0);
    this.at = 0;
    this.rows = 0;
    return taken;
  }

  private grow(most: number): void {
    const bytes = Math.max(this.firstBytes, this.at + most, Math.min(this.maxBytes, 4 * this.buffer.length));
    const buffer = Buffer.allocUnsafeSlow(bytes);
    buffer.set(this.buffer.subarray(0, this.at), 0);
    giveBack(this.buffer);
    this.buffer = buffer;
  }

  private pack(packet: Buffer, start: number, end: number): void {
    const { buffer, columns } = this;
    let from = start;
    let at = this.at;
    for (let column = 0; column < columns; column++) {
      let length = packet[from++] ?? malformed();
      if (length >= 0xfb) {
        if (length === 0xfb) {
          buffer.writeUInt32LE(NULL_LENGTH, at);
          at += 4;
          continue;
        }
        const bytes = length === 0xfc ? 2 : length === 0xfd ? 3 : 8;
        if (from + bytes > end) malformed();
        length = 0;
        for (let index = bytes - 1; index >= 0; index--) length = length * 256 + (packet[from + index] ?? 0);
        from += bytes;
      }
      const next = from + length;
      if (next > end) malformed();
      buffer[at] = length & 0xff;
      buffer[at + 1] = (length >>> 8) & 0xff;
      buffer[at + 2] = (length >>> 16) & 0xff;
      buffer[at + 3] = length >>> 24;
      at += 4;
      if (length <= SHORT) while (from < next) buffer[at++] = packet[from++] ?? 0;
      else {
        packet.copy(buffer, at, from, next);
        at += length;
        from = next;
      }
    }
    if (from !== end) malformed();
    this.at = at;
  }
}

function malformed(): never {
  throw new RangeError('a row of the server doesn’t hold one value a column');
}
