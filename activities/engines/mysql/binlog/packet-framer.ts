/**
 * Cuts a byte stream into the packets of the MySQL protocol: length 3 bytes, sequence 1 byte, payload. A payload of
 * 0xFFFFFF bytes goes on in the next packet
 * (https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html). Pure.
 */
const LARGEST = 0xffffff;
const NOTHING = Buffer.alloc(0);

export class PacketFramer {
  /** The payload found by the last `next()`: `bytes[start, end)`. Valid until the next `push`. */
  bytes: Buffer = NOTHING;
  start = 0;
  end = 0;

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

  /** Whether another whole payload was found. */
  next(): boolean {
    if (this.waitingBytes > 0) return false;
    for (;;) {
      if (this.at === this.buffer.length && this.behind.length > 0) {
        this.buffer = this.behind;
        this.at = 0;
        this.behind = NOTHING;
      }
      const { buffer, at } = this;
      const left = buffer.length - at;
      const length = left < 4 ? 0 : (buffer[at] as number) | ((buffer[at + 1] as number) << 8) | ((buffer[at + 2] as number) << 16);
      if (left < 4 + length) {
        this.needed = 4 + length;
        this.buffer = NOTHING;
        this.at = 0;
        this.wait(buffer.subarray(at));
        return false;
      }
      this.at = at + 4 + length;
      if (length < LARGEST && this.large.length === 0) {
        this.bytes = buffer;
        this.start = at + 4;
        this.end = this.at;
        return true;
      }
      this.large.push(buffer.subarray(at + 4, this.at));
      if (length === LARGEST) continue;
      this.bytes = Buffer.concat(this.large);
      this.large = [];
      this.start = 0;
      this.end = this.bytes.length;
      return true;
    }
  }

  private wait(piece: Buffer): void {
    if (piece.length === 0) return;
    this.waiting.push(piece);
    this.waitingBytes += piece.length;
  }
}
