/** A sealed wagon is checked and opened, in the one order of docs/wagon-format.md. Runs in a thread of its own. `hpkeReady()` first. */
import { createHash } from 'node:crypto';
import zstd from 'zstd-napi/binding.js';
import { type ErrorCode, SrdfError } from '../../temporal/error-catalogue.js';
import type { SiteName, WagonHash } from '../vocabulary.js';
import { SIGNATURE_BYTES, verifySignature } from './composite-signature.js';
import type { WagonExpectation, WagonHeader } from './contract.js';
import { checkChecksum } from './encoding.js';
import { giveBack } from './give-back.js';
import { parseHeader } from './header.js';
import { decapsulate, exportKey, KEM_CIPHERTEXT_BYTES } from './hpke.js';
import { RENEWAL } from './key-bundle.js';
import { LIMITS } from './limits.js';
import { openStream, secretStream } from './secretstream.js';
import { bodyInfo } from './transcript.js';

/** A key whose signature is known here, and what its owner may do with it. */
export interface KnownSigner {
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  readonly site: SiteName;
  readonly role: 'source' | 'target';
  /** ms since 1970: after this its bundle no longer counts. */
  readonly notAfter: number;
}
export interface OpeningKeys {
  readonly signers: readonly KnownSigner[];
  readonly recipientSeed: Uint8Array;
  readonly recipientKeyId: string;
}
export interface VerifiedWagon {
  readonly header: WagonHeader;
  readonly hash: WagonHash;
  readonly headerBytes: number;
}

/** Parse within limits → signature → signer's role, site → destination and epoch. Decrypts nothing. */
export function verifyWagon(sealed: Uint8Array, expected: WagonExpectation, keys: OpeningKeys, now: number): VerifiedWagon {
  if (sealed.length > LIMITS.sealedBytes) {
    throw refused('wagon-too-large', sealedName(null), `${sealed.length} bytes sealed`, 'Lower `wagon.bytes` in srdf.yaml at the source');
  }
  const { header, headerBytes, sealedBytes } = parseHeader(sealed);
  const name = sealedName(header);
  if (sealed.length !== sealedBytes) {
    const found = `${sealed.length} bytes where its header says ${sealedBytes}`;
    throw refused('wagon-malformed', name, found, 'It was cut off or added to: let the source send it again');
  }
  const signer = keys.signers.find((known) => known.keyId === header.signerKeyId);
  if (signer === undefined) {
    const found = `its signing key ${header.signerKeyId} is not one trusted here`;
    throw refused(
      'wagon-signer',
      name,
      found,
      `If the source has new keys, this wagon is of before: ${RENEWAL}, spool and inbox included. If it has none, find out who sealed it`,
    );
  }
  const signatureAt = sealed.length - SIGNATURE_BYTES;
  // Read once: what is signed is the hash's state on its way to the whole.
  const hash = createHash('sha256').update(sealed.subarray(0, signatureAt));
  if (!verifySignature(signer.publicKey, hash.copy().digest(), sealed.subarray(signatureAt), 'srdf/wagon/v1')) {
    throw refused(
      'wagon-signature',
      name,
      'its signature is not good',
      'It was changed on its way or forged: nothing was applied. Let the source send it again; if it stays, treat it as an attack',
    );
  }
  if (signer.role !== 'source') {
    throw refused(
      'wagon-role',
      name,
      `it is signed by ${signer.site}, whose role is ${signer.role}`,
      'Only a source signs wagons: find out who used that key',
    );
  }
  if (signer.site !== header.sourceSite) {
    throw refused('wagon-signer', name, `it says ${header.sourceSite} and is signed by ${signer.site}`, 'Find out who used that key');
  }
  if (now > signer.notAfter) {
    const found = `the key bundle of ${signer.site} has expired on ${new Date(signer.notAfter).toISOString()}`;
    throw refused('key-bundle-expired', name, found, RENEWAL);
  }
  checkDestination(header, expected, name);
  return { header, headerBytes, hash: hash.update(sealed.subarray(signatureAt)).digest('hex') as WagonHash };
}

function checkDestination(header: WagonHeader, expected: WagonExpectation, name: string): void {
  const { stream, sourceSite, targetSite } = header;
  if (stream !== expected.stream || sourceSite !== expected.sourceSite || targetSite !== expected.targetSite) {
    const found = `it goes from ${sourceSite} to ${targetSite} in stream ${stream}, expected was ${expected.sourceSite} to ${expected.targetSite} in ${expected.stream}`;
    throw refused('wagon-destination', name, found, 'Check that both sites have the same srdf.yaml');
  }
  if (header.epoch < expected.epoch) {
    const found = `its epoch is ${header.epoch}, the lowest still accepted is ${expected.epoch}`;
    throw refused('wagon-epoch', name, found, 'It comes from before a promotion: that source may write no more. Stop its worker');
  }
}

/** Verify, then decapsulate → decrypt → the final chunk seen and nothing behind it → decompress within the cap → checksum. Gives the encoded body. */
export function openWagon(
  sealed: Uint8Array,
  expected: WagonExpectation,
  keys: OpeningKeys,
  now: number,
): VerifiedWagon & { readonly encoded: Uint8Array } {
  const verified = verifyWagon(sealed, expected, keys, now);
  const { header, headerBytes } = verified;
  const name = sealedName(header);
  if (header.recipientKeyId !== keys.recipientKeyId) {
    const found = `it is sealed for the key ${header.recipientKeyId}, held here is ${keys.recipientKeyId}`;
    throw refused(
      'wagon-recipient',
      name,
      found,
      `If this site has new keys, the wagon is of before: ${RENEWAL}, spool and inbox included`,
    );
  }
  const headerPart = sealed.subarray(0, headerBytes);
  const ciphertext = sealed.subarray(headerBytes, headerBytes + KEM_CIPHERTEXT_BYTES);
  const secret = decapsulate(ciphertext, keys.recipientSeed, bodyInfo(headerPart));
  const body = sealed.subarray(headerBytes + KEM_CIPHERTEXT_BYTES, sealed.length - SIGNATURE_BYTES);
  const compressed =
    secret === null ? null : openStream(secretStream(), exportKey(secret, 'body'), headerPart, body, header.compressedBytes);
  if (compressed === null) {
    throw refused(
      'wagon-sealed-body',
      name,
      'its body does not open under its header and this key, whole and in order',
      'It is signed and yet damaged or wrongly sealed: nothing was applied. Check the source',
    );
  }
  const encoded = decompress(compressed, header.plainBytes, name);
  giveBack(compressed);
  checkChecksum(encoded);
  return { ...verified, encoded };
}

/** Into exactly as many bytes as the signed header declares, so that a bomb has no room to go off in. */
function decompress(compressed: Uint8Array, plainBytes: number, name: string): Uint8Array {
  const into = new Uint8Array(plainBytes);
  let length: number;
  try {
    length = zstd.decompress(into, compressed);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    if (/too small/i.test(message)) {
      const found = `it decompresses to more than the ${plainBytes} bytes its header declares`;
      throw refused('wagon-too-large', name, found, 'An honest source never makes such a wagon: nothing was applied. Check the source');
    }
    throw refused('wagon-sealed-body', name, `its body does not decompress (${message})`, 'Nothing was applied. Check the source');
  }
  if (length !== plainBytes) {
    throw refused(
      'wagon-sealed-body',
      name,
      `it decompresses to ${length} bytes where its header declares ${plainBytes}`,
      'Nothing was applied. Check the source',
    );
  }
  return into;
}

function sealedName(header: WagonHeader | null): string {
  return header === null
    ? 'checking a wagon'
    : `checking wagon ${header.sequence} (${header.kind}) of stream ${header.stream}, epoch ${header.epoch}`;
}
function refused(code: ErrorCode, tried: string, found: string, action: string): SrdfError {
  return new SrdfError(code, { tried, found, action });
}
