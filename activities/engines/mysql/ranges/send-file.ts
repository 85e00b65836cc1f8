/** The edge: runs a LOAD DATA LOCAL statement and sends it its file out of two buffers that are filled in turn, so that nothing piles up. */
import type { Connection } from 'mysql2/promise';
import { type Packet, sendStatement, type Wire, type WireCommand, wireOf } from './driver-wire.js';

/** What is sent: fills a buffer from a place on and returns where it ended, 0 at the end. */
export interface SentFile {
  next(out: Uint8Array, from: number): number;
}
export interface LoadedFile {
  readonly warnings: number;
  /** As the server counts: `Records: 1  Deleted: 0  Skipped: 0  Warnings: 0`. */
  readonly info: string;
}

const HEAD_BYTES = 4;
const CHUNK_BYTES = 256 * 1024;
/** The server's request for the file (https://mariadb.com/kb/en/packet_local_infile/). */
const LOCAL_INFILE = 0xfb;

/** Throws what `file` throws, after the server has been told that it ends: what it was sent is the transaction's to undo. */
export async function sendFile(connection: Connection, sql: string, file: SentFile): Promise<LoadedFile> {
  return await new Promise<LoadedFile>((resolve, reject) => {
    wireOf(connection).addCommand(new FileCommand(sql, file, resolve, reject));
  });
}

class FileCommand implements WireCommand {
  private begun = false;
  private failure: unknown = null;

  constructor(
    private readonly sql: string,
    private readonly file: SentFile,
    private readonly resolve: (loaded: LoadedFile) => void,
    private readonly reject: (error: unknown) => void,
  ) {}

  execute(packet: Packet | undefined, wire: Wire): boolean {
    if (packet === undefined) {
      sendStatement(wire, this.sql);
      return false;
    }
    if (packet.isError()) this.reject(this.failure ?? packet.asError(wire.clientEncoding));
    else if (!this.begun && packet.buffer[packet.offset] === LOCAL_INFILE) {
      this.begun = true;
      void this.send(wire, packet.sequenceId + 1).catch(this.reject);
      return false;
    } else if (this.failure !== null) this.reject(this.failure);
    else this.resolve(loadedFile(packet.buffer.subarray(packet.offset, packet.end)));
    return true;
  }

  onResult(error: Error | null): void {
    this.reject(error);
  }

  private async send(wire: Wire, firstSequence: number): Promise<void> {
    const free = [0, 1].map(() => ({ buffer: Buffer.allocUnsafeSlow(CHUNK_BYTES), sent: Promise.resolve() }));
    let sequence = firstSequence;
    const packet = (buffer: Buffer, end: number): Promise<void> => {
      buffer.writeUIntLE(end - HEAD_BYTES, 0, 3);
      buffer.writeUInt8(sequence++ & 0xff, 3);
      wire._bumpSequenceId(1);
      return new Promise((resolve, reject) => {
        wire.stream.write(buffer.subarray(0, end), (error) => (error == null ? resolve() : reject(error)));
      });
    };
    try {
      for (let index = 0; ; index ^= 1) {
        const chunk = free[index];
        if (chunk === undefined) break;
        await chunk.sent;
        const end = this.file.next(chunk.buffer, HEAD_BYTES);
        if (end === 0) break;
        chunk.sent = packet(chunk.buffer, end);
        // A failure is told by whoever waits for it next, or by the connection that is lost.
        chunk.sent.catch(() => undefined);
      }
    } catch (error) {
      this.failure = error;
    }
    await packet(Buffer.alloc(HEAD_BYTES), HEAD_BYTES);
  }
}

/** An OK packet (https://mariadb.com/kb/en/ok_packet/): affected rows and the last id, length-encoded; status, warnings, and what the server says. */
function loadedFile(packet: Buffer): LoadedFile {
  let at = 1;
  for (let number = 0; number < 2; number++) {
    const first = packet[at] ?? 0;
    at += first < 0xfb ? 1 : first === 0xfc ? 3 : first === 0xfd ? 4 : 9;
  }
  return { warnings: packet.readUInt16LE(at + 2), info: packet.toString('latin1', at + 4) };
}
