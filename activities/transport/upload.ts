/** A wagon on its way into the inbox: appended to a file, hashed as it comes. One writer at a time; a fenced one can't write. */
import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { WagonHash } from '../vocabulary.js';
import { writeFully } from './atomic-file.js';

/** A wagon as the source announces it. */
export interface Announcement {
  readonly hash: WagonHash;
  readonly bytes: number;
}

/** Thrown to whoever writes to an upload that a newer one has taken over. */
export class UploadFenced extends Error {
  override readonly name = 'UploadFenced';
}

export class Upload {
  private handle: FileHandle | null = null;
  private hasher: Hash = createHash('sha256');
  private size = 0;
  private fenced = false;
  private readonly aborter = new AbortController();
  private readonly closed: Promise<void>;
  private markClosed: () => void = () => undefined;

  constructor(
    readonly announced: Announcement,
    private readonly onClose: () => void,
  ) {
    this.closed = new Promise((resolve) => {
      this.markClosed = resolve;
    });
  }

  /** Bytes on disk. */
  get offset(): number {
    return this.size;
  }
  /** Fires when a newer upload wants the address. */
  get signal(): AbortSignal {
    return this.aborter.signal;
  }

  /** Opens the file and hashes what is there, so that the final hash is that of the bytes on the disk. */
  async start(path: string): Promise<void> {
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    this.handle = handle;
    const there = Math.min((await handle.stat()).size, this.announced.bytes);
    await handle.truncate(there);
    const buffer = Buffer.allocUnsafe(Math.min(1024 * 1024, Math.max(there, 1)));
    while (this.size < there) {
      this.stopIfFenced();
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, there - this.size), this.size);
      if (bytesRead === 0) break;
      this.hasher.update(buffer.subarray(0, bytesRead));
      this.size += bytesRead;
    }
    this.stopIfFenced();
  }

  /** Appends. Throws `UploadFenced` once a newer upload has taken over. */
  async write(chunk: Uint8Array): Promise<void> {
    this.stopIfFenced();
    const { handle } = this;
    if (handle === null) throw new UploadFenced('the upload is closed');
    await writeFully(handle, chunk, this.size);
    this.hasher.update(chunk);
    this.size += chunk.length;
  }

  /** Whether all bytes are here, and are those announced. */
  check(): 'partial' | 'whole' | 'corrupt' {
    this.stopIfFenced();
    if (this.size < this.announced.bytes) return 'partial';
    return this.hasher.copy().digest('hex') === this.announced.hash ? 'whole' : 'corrupt';
  }

  /** Takes the right to write away and waits until the write or the acceptance under way has ended. */
  async fence(): Promise<void> {
    this.fenced = true;
    this.aborter.abort();
    await this.closed;
  }

  /** Must be called by whoever began the upload, however it ended. */
  async close(): Promise<void> {
    const { handle } = this;
    this.handle = null;
    try {
      await handle?.close();
    } finally {
      this.onClose();
      this.markClosed();
    }
  }

  private stopIfFenced(): void {
    if (this.fenced) throw new UploadFenced('a newer upload of this wagon has taken over');
  }
}
