/**
 * Cuts a byte stream into the packets of the MySQL protocol: length 3 bytes, sequence 1 byte, payload. A payload of
 * 0xFFFFFF bytes goes on in the next packet
 * (https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html). Pure.
 */
const LARGEST = 0xffffff;

export class PacketFramer {
  /** The payload found by the last `next()`: `bytes[start, end)`. Valid until the next `push`. */
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;

  private buffer: Buffer = Buffer.alloc(0);
  private at = 0;
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  private needed = 4;
  private large: Buffer[] = [];

  /** Takes the next bytes of the stream; `next` must have returned false before. */
  push(chunk: Buffer): void {
    if (this.waitingBytes === 0) {
      this.buffer = chunk;
      this.at = 0;
      return;
    }
    this.waiting.push(chunk);
    this.waitingBytes += chunk.length;
    // Joined once there is enough for the packet, so that a 16 MiB packet isn't copied for each chunk it comes in.
    if (this.waitingBytes < this.needed) return;
    this.buffer = Buffer.concat(this.waiting, this.waitingBytes);
    this.at = 0;
    this.waiting = [];
    this.waitingBytes = 0;
  }

  /** Whether another whole payload was found. */
  next(): boolean {
    if (this.waitingBytes > 0) return false;
    for (;;) {
      const { buffer, at } = this;
      const left = buffer.length - at;
      if (left < 4) return this.wait(4);
      const length = buffer.readUIntLE(at, 3);
      if (left < 4 + length) return this.wait(4 + length);
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

  private wait(needed: number): false {
    const rest = this.buffer.subarray(this.at);
    this.needed = needed;
    this.waiting = rest.length === 0 ? [] : [rest];
    this.waitingBytes = rest.length;
    this.buffer = Buffer.alloc(0);
    this.at = 0;
    return false;
  }
}
