/** Writes the one fixed-width little-endian encoding that headers, bodies, receipts and key bundles share. Pure. */
import { SrdfError } from '../../temporal/error-catalogue.js';

const encoder = new TextEncoder();

export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length: number;

  /** `reserve` bytes at the front stay zero for the caller to fill. */
  constructor(capacity: number, reserve = 0) {
    this.#bytes = new Uint8Array(new ArrayBuffer(Math.max(capacity, reserve, 64)));
    this.#view = new DataView(this.#bytes.buffer);
    this.#length = reserve;
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
  }
  u16(value: number): void {
    const at = this.#room(2);
    this.#view.setUint16(at, value, true);
  }
  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }
  /** A whole number from 0 to 2^53-1 in 8 bytes. */
  u53(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw unwritable(`the number ${value} is not a whole number from 0 to 2^53-1`);
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt(value), true);
  }
  u64(value: bigint): void {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw unwritable(`the number ${value} does not fit 64 bits`);
    const at = this.#room(8);
    this.#view.setBigUint64(at, value, true);
  }
  f64(value: number): void {
    const at = this.#room(8);
    this.#view.setFloat64(at, value, true);
  }
  bool(value: boolean): void {
    this.u8(value ? 1 : 0);
  }
  /** Bytes whose length the reader knows. */
  raw(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }
  /** A 32-bit length and the bytes. */
  bytes(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.raw(bytes);
  }
  /** A 32-bit length and UTF-8. A lone surrogate has no UTF-8, so it is refused instead of replaced. */
  text(text: string): void {
    if (/\p{Surrogate}/u.test(text)) throw unwritable('a name or text holds half a UTF-16 surrogate pair');
    this.bytes(encoder.encode(text));
  }
  /** 0, or 1 and the value. */
  optional<T>(value: T | null, write: (value: T) => void): void {
    this.bool(value !== null);
    if (value !== null) write(value);
  }
  /** What was written, a view of exactly that length. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #room(bytes: number): number {
    const at = this.#length;
    const needed = at + bytes;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(new ArrayBuffer(Math.max(needed, this.#bytes.length * 2)));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length = needed;
    return at;
  }
}

function unwritable(found: string): SrdfError {
  return new SrdfError('wagon-malformed', {
    tried: 'encoding a wagon, receipt or key bundle',
    found,
    action: 'This is a defect in SRDF or a name no server allows: keep the logs and report it',
  });
}
