/** Reads what `ByteWriter` writes, strictly: every length checked before use, unknown values refused, nothing after the end. Pure. */
import { type ErrorCode, SrdfError } from '../../temporal/error-catalogue.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  /** `code` and `tried` go into every error this reader throws. */
  constructor(
    bytes: Uint8Array,
    private readonly code: ErrorCode,
    private readonly tried: string,
    start = 0,
  ) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
  }

  get offset(): number {
    return this.#at;
  }
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }
  u53(): number {
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.refuse(`the number ${value} is larger than 2^53-1`);
    return Number(value);
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }
  /** Finite, and never -0 or NaN, which have several encodings or none that compares. */
  f64(): number {
    const value = this.#view.getFloat64(this.#take(8), true);
    if (!Number.isFinite(value) || Object.is(value, -0)) this.refuse(`${value} is no usable number`);
    return value;
  }
  bool(): boolean {
    const value = this.u8();
    if (value > 1) this.refuse(`a switch holds ${value}, neither 0 nor 1`);
    return value === 1;
  }
  /** A view, not a copy. */
  raw(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }
  bytes(limit: number): Uint8Array {
    const length = this.u32();
    if (length > limit) this.refuse(`a field of ${length} bytes where at most ${limit} are allowed`);
    return this.raw(length);
  }
  text(limit: number): string {
    const bytes = this.bytes(limit);
    try {
      return decoder.decode(bytes);
    } catch {
      return this.refuse('a text is not UTF-8');
    }
  }
  optional<T>(read: () => T): T | null {
    return this.bool() ? read() : null;
  }
  /** A number of things of which each takes at least `leastBytes` of what remains: a huge count is refused before anything is allocated. */
  count(leastBytes: number): number {
    const count = this.u32();
    if (count * leastBytes > this.remaining) this.refuse(`${count} entries declared, ${this.remaining} bytes left`);
    return count;
  }
  oneOf<const T>(values: readonly T[], what: string): T {
    const index = this.u8();
    const value = values[index];
    if (value === undefined) return this.refuse(`unknown ${what} ${index}`);
    return value;
  }
  end(): void {
    if (this.remaining !== 0) this.refuse(`${this.remaining} bytes after the end`);
  }
  refuse(found: string): never {
    throw new SrdfError(this.code, {
      tried: this.tried,
      found: `${found} (at byte ${this.#at})`,
      action: 'It is damaged, forged or of another version of SRDF: nothing was applied. Check that both sites run the same version',
    });
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.remaining) this.refuse(`it ends ${length - this.remaining} bytes too early`);
    this.#at = at + length;
    return at;
  }
}
