/** Files at rest on both sides, and the way between them. */

import type { WagonRef } from '../contracts.js';
import type { ForeignKeyFact } from '../engines/engine.js';
import type { Epoch, Sequence, StreamName, WagonHash } from '../vocabulary.js';
import type { WagonFolder } from './wagon-address.js';

/** A wagon's address in a spool or an inbox; also its path on the wire: `/v1/streams/{stream}/{kind}/{epoch}/{sequence}`. */
export interface WagonAddress {
  readonly stream: StreamName;
  readonly kind: WagonRef['kind'];
  readonly epoch: Epoch;
  readonly sequence: Sequence;
}

export type ReceiptStatus = 'received' | 'applied' | 'refused';

/**
 * Where a wagon stands, as far as this site can prove it. At the source: `captured` (in the spool), `received` and `applied`
 * (a verified receipt is held), `confirmed` (the applied receipt is held and the spool has released the wagon).
 * At the target: `received`, `applied`, `refused`.
 */
export type WagonState = 'captured' | 'received' | 'applied' | 'confirmed' | 'refused';

/**
 * Sealed wagons waiting at the source to be confirmed. Files, written whole: temporary name, fsync, link to the
 * final name (which fails if it exists), fsync of the folder. The first writer of an address wins; nobody overwrites.
 */
export interface Spool {
  /** Returns the bytes' own reference, or the one of the file already there. Throws `spool-full` before writing. */
  put(
    address: WagonAddress,
    sealed: AsyncIterable<Uint8Array> | Uint8Array,
  ): Promise<{ readonly hash: WagonHash; readonly bytes: number; readonly existed: boolean }>;
  /** The wagon's bytes from `offset`; `bytes` is the whole wagon's size. Throws `wagon-missing`. */
  open(address: WagonAddress, offset?: number): Promise<{ readonly stream: NodeJS.ReadableStream; readonly bytes: number }>;
  /** A whole wagon in memory. Throws `wagon-missing`. */
  read(address: WagonAddress): Promise<Uint8Array>;
  /**
   * Reads all of it: a wagon whose bytes aren't those that were stored is removed, as if it had never been. Whether that was so; false too when
   * there is none.
   */
  removeIfDamaged(address: WagonAddress): Promise<boolean>;
  /** References in order of epoch and sequence, from the headers of whole files; of `chain` those of both its kinds. */
  list(stream: StreamName, folder: WagonFolder): Promise<readonly WagonRef[]>;
  saveReceipt(address: WagonAddress, status: ReceiptStatus, receipt: Uint8Array): Promise<void>;
  readReceipt(address: WagonAddress, status: ReceiptStatus): Promise<Uint8Array | null>;
  /** Removes the wagon; its receipts stay (bounded: the newest 10,000). */
  release(address: WagonAddress): Promise<void>;
  /** `alarm`: at least 80 % full. */
  usage(): Promise<{ readonly wagons: number; readonly bytes: number; readonly maxBytes: number; readonly alarm: boolean }>;
  /**
   * null: nothing is known of it here (never seen, or its receipts are older than those kept). A spool tells it of whatever has the place, since
   * who only knows a number of the chain can't say whether it carries changes or a statement.
   */
  wagonState(address: WagonAddress): Promise<WagonState | null>;
  /**
   * Forgets a stream: its wagons and receipts. For a stream that is established anew and counts from 1 again;
   * what the former run left would be taken for forks.
   */
  clear(stream: StreamName): Promise<void>;
}

/** Sealed wagons at the target, received whole and verified, waiting to be applied; and the receipts given for them. */
export interface Inbox extends Spool {
  /** Bytes already here of a wagon that is being received; 0 when none. */
  received(address: WagonAddress): Promise<number>;
}

/** What the source may ask the receiver. All calls carry the client certificate; all throw typed errors. */
export interface Sender {
  /**
   * Resumes at the receiver's offset; returns the signed `received` receipt's bytes (or that of a wagon already there). `sealed`: the wagon's bytes,
   * where it lies in no spool; read until this returns.
   */
  ship(
    wagon: WagonRef,
    options: { readonly signal: AbortSignal; readonly progress?: (sent: number) => void; readonly sealed?: Uint8Array },
  ): Promise<{ readonly receipt: Uint8Array; readonly bytesSent: number }>;
  receipt(address: WagonAddress, status: ReceiptStatus, signal: AbortSignal): Promise<Uint8Array | null>;
  foreignKeys(stream: StreamName, signal: AbortSignal): Promise<readonly ForeignKeyFact[]>;
  close(): Promise<void>;
}
