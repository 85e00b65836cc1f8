/**
 * Cuts a byte stream into the packets of the MySQL protocol: length 3 bytes, sequence 1 byte, payload. A payload of
 * 0xFFFFFF bytes goes on in the next packet
 * (https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html). Pure.
 */
const LARGEST = 0xffffff;
const NOTHING = Buffer.alloc(0);
/** Payloads told of in one go at most. */
const STRETCH = 4096;

/** Payloads that lie in one buffer, in order: payload i is `bytes[starts[i], ends[i])`. */
export interface Stretch {
  readonly bytes: Buffer;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly count: number;
}

export class PacketFramer implements Stretch {
  /** What the last `next()` found. Overwritten by the following one. */
  bytes: Buffer = NOTHING;
  readonly starts = new Int32Array(STRETCH);
  readonly ends = new Int32Array(STRETCH);
  count = 0;

  private buffer: Buffer = NOTHING;
  private at = 0;
  /** The beginning of a packet whose rest hasn't come, and how many bytes it needs at least. */
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  private needed = 4;
  /** What came behind the packet that is put together. */
  private behind: Buffer = NOTHING;
  private large: Buffer[] = [];

  /** Takes the next bytes of the stream; `next` must have returned false before. */
  push(chunk: Buffer): void {
    if (this.waitingBytes === 0) {
      this.buffer = chunk;
      this.at = 0;
      return;
    }
    let taken = 0;
    if (this.waitingBytes < 4) {
      // Not even the length is there.
      taken = Math.min(4 - this.waitingBytes, chunk.length);
      this.wait(chunk.subarray(0, taken));
      if (this.waitingBytes < 4) return;
      const head = Buffer.concat(this.waiting, this.waitingBytes);
      this.waiting = [head];
      this.needed = 4 + head.readUIntLE(0, 3);
    }
    // Joined once the packet is whole, so that one of 16 MiB isn't copied for each chunk it comes in, and nothing but it is copied.
    const rest = chunk.subarray(taken, taken + this.needed - this.waitingBytes);
    this.wait(rest);
    if (this.waitingBytes < this.needed) return;
    this.buffer = Buffer.concat(this.waiting, this.waitingBytes);
    this.at = 0;
    this.behind = chunk.subarray(taken + rest.length);
    this.waiting = [];
    this.waitingBytes = 0;
  }

  /** Whether another stretch of whole payloads was found. */
  next(): boolean {
    if (this.waitingBytes > 0) return false;
    this.count = 0;
    for (;;) {
      if (this.at === this.buffer.length && this.behind.length > 0) {
        this.buffer = this.behind;
        this.at = 0;
        this.behind = NOTHING;
      }
      if (this.large.length === 0) {
        this.takeWhole();
        if (this.count > 0) return true;
      }
      const { buffer, at } = this;
      const left = buffer.length - at;
      const length = left < 4 ? 0 : buffer.readUIntLE(at, 3);
      if (left < 4 + length) {
        this.needed = 4 + length;
        this.buffer = NOTHING;
        this.at = 0;
        this.wait(buffer.subarray(at));
        return false;
      }
      this.at = at + 4 + length;
      this.large.push(buffer.subarray(at + 4, this.at));
      if (length === LARGEST) continue;
      this.bytes = Buffer.concat(this.large);
      this.large = [];
      this.starts[0] = 0;
      this.ends[0] = this.bytes.length;
      this.count = 1;
      return true;
    }
  }

  /** Every payload from here on that is whole in this buffer and one packet long. */
  private takeWhole(): void {
    const { buffer, starts, ends } = this;
    const { length: size } = buffer;
    let { at } = this;
    let count = 0;
    while (count < STRETCH && at + 4 <= size) {
      const length = (buffer[at] as number) | ((buffer[at + 1] as number) << 8) | ((buffer[at + 2] as number) << 16);
      const end = at + 4 + length;
      if (end > size || length === LARGEST) break;
      starts[count] = at + 4;
      ends[count++] = end;
      at = end;
    }
    this.bytes = buffer;
    this.at = at;
    this.count = count;
  }

  private wait(piece: Buffer): void {
    if (piece.length === 0) return;
    this.waiting.push(piece);
    this.waitingBytes += piece.length;
  }
}
