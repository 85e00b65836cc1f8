/** The target's signed word on a wagon (docs/wagon-format.md). */
import { createHash } from 'node:crypto';
import { type ErrorCode, SrdfError } from '../../temporal/error-catalogue.js';
import type { Epoch, Position, Sequence, SiteName, StreamName, WagonHash } from '../vocabulary.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { SIGNATURE_BYTES, verifySignature } from './composite-signature.js';
import type { ReceiptFields, ReceiptIssuer, ReceiptVerifier } from './contract.js';
import { KINDS } from './header.js';
import { type KeyBundle, keyId, RENEWAL } from './key-bundle.js';
import type { KeyRing } from './key-ring.js';
import { LIMITS } from './limits.js';
import { signedDigest } from './transcript.js';

const MAGIC = Buffer.from('SRDFRCPT', 'ascii');
const VERSION = 1;
const SUITE = 1;
const STATUSES = ['received', 'applied', 'refused'] as const satisfies readonly ReceiptFields['status'][];
const NAME = /^[a-z][a-z0-9-]{0,39}$/;
const HASH = /^[0-9a-f]{64}$/;
const TRIED = 'checking a receipt';
/** The previous receipt's hash of a stream's first one. */
export const NO_RECEIPT = '0'.repeat(64);

/** What the next receipt names as the previous one: SHA-256 of a receipt's bytes, 64 hex digits. */
export function receiptHash(receipt: Uint8Array): string {
  return createHash('sha256').update(receipt).digest('hex');
}

/** Throws `key-bundle-refused` unless the ring is a target's. `now` gives ms since 1970. */
export function createReceiptIssuer(ring: KeyRing, now: () => number = Date.now): ReceiptIssuer {
  if (ring.bundle.role !== 'target')
    throw refused(
      'key-bundle-refused',
      `the keys of ${ring.bundle.site} are a source's`,
      'Only a target issues receipts: check `keys` in srdf.yaml',
    );
  return {
    issue: (fields) => {
      const receipt = encode({ ...fields, targetSite: ring.bundle.site, signerKeyId: ring.signingKeyId, issuedAt: now() });
      receipt.raw(ring.signing.sign(signedDigest(receipt.finish()), 'srdf/receipt/v1'));
      return receipt.finish().slice();
    },
  };
}

/** `bundle`: the target's, as trusted here. */
export function createReceiptVerifier(bundle: KeyBundle, now: () => number = Date.now): ReceiptVerifier {
  const signerKeyId = keyId(bundle.signingPublicKey);
  return {
    verify: (receipt) => {
      const { fields, signedTo } = decode(receipt);
      if (fields.signerKeyId !== signerKeyId)
        throw refused(
          'receipt-signer',
          `it is signed by the key ${fields.signerKeyId}, trusted is ${signerKeyId} of ${bundle.site}`,
          `If the target has new keys, this receipt is of before: ${RENEWAL}, spool and inbox included`,
        );
      if (
        !verifySignature(
          bundle.signingPublicKey,
          signedDigest(receipt.subarray(0, signedTo)),
          receipt.subarray(signedTo),
          'srdf/receipt/v1',
        )
      ) {
        throw refused(
          'receipt-signature',
          'its signature is not good',
          'It was changed on its way or forged: the wagon counts as not confirmed. Ask the target again',
        );
      }
      if (bundle.role !== 'target')
        throw refused(
          'receipt-role',
          `it is signed by ${bundle.site}, whose role is ${bundle.role}`,
          'Only a target signs receipts: find out who used that key',
        );
      if (fields.targetSite !== bundle.site)
        throw refused('receipt-signer', `it says ${fields.targetSite} and is signed by ${bundle.site}`, 'Find out who used that key');
      if (now() > bundle.notAfter)
        throw refused(
          'key-bundle-expired',
          `the key bundle of ${bundle.site} has expired on ${new Date(bundle.notAfter).toISOString()}`,
          RENEWAL,
        );
      return fields;
    },
  };
}

function encode(fields: ReceiptFields): ByteWriter {
  const writer = new ByteWriter(8192);
  writer.raw(MAGIC);
  writer.u16(VERSION);
  writer.u16(SUITE);
  writer.u8(KINDS.indexOf(fields.kind));
  writer.u8(STATUSES.indexOf(fields.status));
  writer.u53(fields.epoch);
  writer.u53(fields.sequence);
  writer.u53(fields.issuedAt);
  for (const hash of [fields.wagonHash, fields.previousReceipt]) {
    if (!HASH.test(hash))
      throw refused('receipt-malformed', 'a hash is not 64 hex digits', 'This is a defect in SRDF: keep the logs and report it');
    writer.raw(Buffer.from(hash, 'hex'));
  }
  writer.raw(Buffer.from(fields.signerKeyId, 'hex'));
  writer.text(fields.stream);
  writer.text(fields.targetSite);
  writer.text(fields.reason);
  writer.optional(fields.position, (position) => writer.text(position));
  return writer;
}

function decode(receipt: Uint8Array): { readonly fields: ReceiptFields; readonly signedTo: number } {
  const reader = new ByteReader(receipt, 'receipt-malformed', TRIED);
  if (receipt.length > LIMITS.receiptBytes) reader.refuse(`${receipt.length} bytes where at most ${LIMITS.receiptBytes} are allowed`);
  if (!MAGIC.equals(reader.raw(MAGIC.length))) reader.refuse('it does not begin as a receipt does');
  if (reader.u16() !== VERSION || reader.u16() !== SUITE) reader.refuse('unknown version or suite');
  const kind = reader.oneOf(KINDS, 'kind');
  const status = reader.oneOf(STATUSES, 'status');
  const epoch = reader.u53() as Epoch;
  const sequence = reader.u53() as Sequence;
  const issuedAt = reader.u53();
  const hex = (length: number) => Buffer.from(reader.raw(length)).toString('hex');
  const wagonHash = hex(32) as WagonHash;
  const previousReceipt = hex(32);
  const signerKeyId = hex(16);
  const name = () => {
    const text = reader.text(LIMITS.siteBytes);
    return NAME.test(text) ? text : reader.refuse('not the name of a stream or site');
  };
  const stream = name() as StreamName;
  const targetSite = name() as SiteName;
  const reason = reader.text(LIMITS.nameBytes);
  const position = reader.optional(() => reader.text(LIMITS.positionBytes) as Position);
  const signedTo = reader.offset;
  reader.raw(SIGNATURE_BYTES);
  reader.end();
  const fields = { stream, kind, epoch, sequence, wagonHash, status, position, reason, previousReceipt, targetSite, signerKeyId, issuedAt };
  return { fields, signedTo };
}

function refused(code: ErrorCode, found: string, action: string): SrdfError {
  return new SrdfError(code, { tried: TRIED, found, action });
}
