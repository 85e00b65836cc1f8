/** A body on its way to its file, in few large writes. */
import type { Upload } from './upload.js';

/** At most so much of it waits for its turn. */
const GATHERED_BYTES = 512 * 1024;

/**
 * TLS brings 16 KiB at a time, and writing that one by one is most of a receiver's work: what comes while something is written is written with what
 * comes after it, at one go.
 */
export class GatheringWriter {
  private gathered: Uint8Array[] = [];
  private bytes = 0;
  private under: Promise<void> | null = null;
  private failure: { readonly error: unknown } | null = null;

  constructor(private readonly upload: Upload) {}

  get writing(): boolean {
    return this.under !== null;
  }

  /** Waits where more has been gathered than is good for the memory. Throws what a write before has thrown. */
  async add(chunk: Uint8Array): Promise<void> {
    this.gathered.push(chunk);
    this.bytes += chunk.length;
    this.under ??= this.write();
    if (this.bytes >= GATHERED_BYTES) await this.under;
    if (this.failure !== null) throw this.failure.error;
  }

  /** Once all of it is written. */
  async finish(): Promise<void> {
    await this.under;
    if (this.failure !== null) throw this.failure.error;
  }

  private async write(): Promise<void> {
    try {
      while (this.gathered.length > 0) {
        const [first = new Uint8Array(), ...others] = this.gathered;
        const whole = others.length === 0 ? first : Buffer.concat(this.gathered);
        this.gathered = [];
        this.bytes = 0;
        await this.upload.write(whole);
      }
    } catch (error) {
      this.failure = { error };
    } finally {
      this.under = null;
    }
  }
}
