/** Sealing, signing, receipts and keys: what the other folders use of this one. Construction: docs/wagon-format.md. */
import type { Epoch, Position, Sequence, SiteName, StreamName, WagonHash } from '../vocabulary.js';
import type { WagonBody } from './body.js';

export type WagonKind = WagonBody['kind'];

/** The header in clear: authenticated by the signature, bound to the body by the key and as additional data. Fixed order, one encoding. */
export interface WagonHeader {
  readonly kind: WagonKind;
  readonly stream: StreamName;
  readonly epoch: Epoch;
  readonly sequence: Sequence;
  /** Hash of the wagon before (`changes` and `ddl` share one chain); NO_WAGON for `schema` and `range`, which stand alone. */
  readonly previousHash: WagonHash;
  readonly recipientKeyId: string;
  readonly signerKeyId: string;
  readonly sourceSite: SiteName;
  readonly targetSite: SiteName;
  /** ms since 1970. */
  readonly createdAt: number;
  readonly positionFrom: Position;
  readonly positionTo: Position;
  readonly train: { readonly index: number; readonly last: boolean };
  /** Size of the compressed body in bytes, and of the body once decompressed: caps, checked again inside. */
  readonly compressedBytes: number;
  readonly plainBytes: number;
}
export type HeaderFields = Omit<WagonHeader, 'recipientKeyId' | 'signerKeyId' | 'compressedBytes' | 'plainBytes'>;

/** What a receiver or applier accepts; anything else is refused with its own error. */
export interface WagonExpectation {
  readonly stream: StreamName;
  readonly sourceSite: SiteName;
  readonly targetSite: SiteName;
  /** The lowest epoch still accepted. */
  readonly epoch: Epoch;
}

export interface ReceiptFields {
  readonly stream: StreamName;
  readonly kind: WagonKind;
  readonly epoch: Epoch;
  readonly sequence: Sequence;
  readonly wagonHash: WagonHash;
  readonly status: 'received' | 'applied' | 'refused';
  /** For `applied`: the ledger's position afterwards. */
  readonly position: Position | null;
  /** For `refused`: the catalogue's error code. */
  readonly reason: string;
  readonly previousReceipt: string;
  readonly targetSite: SiteName;
  readonly signerKeyId: string;
  readonly issuedAt: number;
}

/** Runs sealing and opening off the event loop; one for each process, closed with it. */
export interface WagonSealer {
  /** Encode, zstd, seal for the recipient, sign. Returns the sealed wagon's bytes and hash. */
  seal(
    header: HeaderFields,
    body: WagonBody,
  ): Promise<{ readonly bytes: Uint8Array; readonly hash: WagonHash; readonly plainBytes: number }>;
  close(): Promise<void>;
}
/** `sealed` is handed over, with the whole buffer behind it: the caller doesn't use it afterwards. */
export interface WagonOpener {
  /** Parse within limits → signature → signer's role, site and stream → destination and epoch. Doesn't decrypt. */
  verify(sealed: Uint8Array, expectation: WagonExpectation): Promise<{ readonly header: WagonHeader; readonly hash: WagonHash }>;
  /** verify, then decapsulate → decrypt → final chunk seen and nothing behind it → decompress within the cap → checksum → decode. */
  open(
    sealed: Uint8Array,
    expectation: WagonExpectation,
  ): Promise<{ readonly header: WagonHeader; readonly hash: WagonHash; readonly body: WagonBody }>;
  close(): Promise<void>;
}
export interface ReceiptIssuer {
  issue(fields: Omit<ReceiptFields, 'signerKeyId' | 'issuedAt' | 'targetSite'>): Uint8Array;
}
export interface ReceiptVerifier {
  /** Parse → signature → signer is the target's receipt key → fields. The caller compares them with the wagon. */
  verify(receipt: Uint8Array): ReceiptFields;
}
