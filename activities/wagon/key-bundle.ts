/** A site's public keys as one signed, expiring, versioned file, exchanged between the sites by hand. Pure but for the signature. */
import { createHash } from 'node:crypto';
import { type ErrorCode, SrdfError } from '../../temporal/error-catalogue.js';
import type { SiteName } from '../vocabulary.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { SIGNATURE_BYTES, SIGNING_PUBLIC_BYTES, type SigningKey, verifySignature } from './composite-signature.js';
import { KEM_PUBLIC_BYTES } from './hpke.js';
import { LIMITS } from './limits.js';
import { signedDigest } from './transcript.js';

export type SiteRole = 'source' | 'target';

export interface KeyBundle {
  readonly site: SiteName;
  readonly role: SiteRole;
  /** Rises with every new bundle of a site; an older one is refused once a newer is trusted. */
  readonly version: number;
  /** ms since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly signingPublicKey: Uint8Array;
  /** What wagons for this site are sealed to; a source has none. */
  readonly recipientPublicKey: Uint8Array | null;
  /** PEM; the peer accepts exactly this certificate. */
  readonly tlsCertificate: string;
}

const MAGIC = Buffer.from('SRDFKEYS', 'ascii');
const VERSION = 1;
const SUITE = 1;
const ROLES = ['source', 'target'] as const satisfies readonly SiteRole[];
const NAME = /^[a-z][a-z0-9-]{0,39}$/;
const TRIED = 'reading a key bundle';
/** What helps against keys that end or have ended, and against what still lies about sealed under former ones. One way, told in one place. */
export const RENEWAL = 'Renew the keys of both sites in the order that `srdf keys --help` gives';
/** Clocks of two sites differ. */
const CLOCK_SKEW_MILLISECONDS = 3_600_000;

/** 32 hex digits: the first 16 bytes of SHA-256 over the use and the public key. */
export function keyId(publicKey: Uint8Array): string {
  return createHash('sha256').update('srdf/keyid/v1').update(publicKey).digest('hex').slice(0, 32);
}

export function encodeBundle(bundle: KeyBundle, signer: SigningKey): Uint8Array {
  const writer = new ByteWriter(8192);
  writer.raw(MAGIC);
  writer.u16(VERSION);
  writer.u16(SUITE);
  writer.u8(ROLES.indexOf(bundle.role));
  writer.u32(bundle.version);
  writer.text(bundle.site);
  writer.u53(bundle.notBefore);
  writer.u53(bundle.notAfter);
  writer.raw(bundle.signingPublicKey);
  writer.optional(bundle.recipientPublicKey, (key) => writer.raw(key));
  writer.text(bundle.tlsCertificate);
  writer.raw(signer.sign(signedDigest(writer.finish()), 'srdf/keybundle/v1'));
  return writer.finish().slice();
}

/** Throws `key-bundle-malformed` or `key-bundle-signature`. Whether it is valid now is `checkValidity`'s business. */
export function decodeBundle(bytes: Uint8Array): KeyBundle {
  const reader = new ByteReader(bytes, 'key-bundle-malformed', TRIED);
  if (bytes.length > LIMITS.bundleBytes) reader.refuse(`${bytes.length} bytes where at most ${LIMITS.bundleBytes} are allowed`);
  if (!MAGIC.equals(reader.raw(MAGIC.length))) reader.refuse('it does not begin as a key bundle does');
  if (reader.u16() !== VERSION || reader.u16() !== SUITE) reader.refuse('unknown version or suite');
  const role = reader.oneOf(ROLES, 'role');
  const version = reader.u32();
  const site = reader.text(LIMITS.siteBytes) as SiteName;
  if (!NAME.test(site)) reader.refuse('not the name of a site');
  const notBefore = reader.u53();
  const notAfter = reader.u53();
  const signingPublicKey = reader.raw(SIGNING_PUBLIC_BYTES).slice();
  const recipientPublicKey = reader.optional(() => reader.raw(KEM_PUBLIC_BYTES).slice());
  if ((role === 'target') !== (recipientPublicKey !== null))
    reader.refuse(`a ${role} ${recipientPublicKey === null ? 'without' : 'with'} a recipient key`);
  const tlsCertificate = reader.text(LIMITS.bundleBytes);
  const signedTo = reader.offset;
  const signature = reader.raw(SIGNATURE_BYTES);
  reader.end();
  if (!verifySignature(signingPublicKey, signedDigest(bytes.subarray(0, signedTo)), signature, 'srdf/keybundle/v1')) {
    throw bundleError(
      'key-bundle-signature',
      `the bundle of ${site} is not signed by the key in it`,
      'It was changed on its way: fetch it again from the site itself',
    );
  }
  return { site, role, version, notBefore, notAfter, signingPublicKey, recipientPublicKey, tlsCertificate };
}

/** `key-bundle-early` before it begins (an hour of skew allowed), `key-bundle-expired` after it ends. `now`: ms since 1970. */
export function checkValidity(bundle: KeyBundle, now: number): void {
  const early = now < bundle.notBefore - CLOCK_SKEW_MILLISECONDS;
  if (!early && now <= bundle.notAfter) return;
  const found = `the bundle of ${bundle.site} is valid from ${new Date(bundle.notBefore).toISOString()} to ${new Date(bundle.notAfter).toISOString()}`;
  // A clock that goes wrong for a moment must not end what has run for hours.
  if (early)
    throw bundleError(
      'key-bundle-early',
      found,
      'Set the clock of this site, which is behind (or was the one on which the keys were made ahead?)',
    );
  throw bundleError('key-bundle-expired', found, `If the clocks of both sites are right: ${RENEWAL}`);
}

/**
 * A newcomer against what is trusted of the same site: the signing key stays, and under it versions only rise. Versions of two keys can't be
 * compared, each key counts its own: the key comes first. Another one is never taken over by itself, whatever its version: only the operator,
 * who has compared its fingerprint, takes the trusted one away.
 */
export function checkSuccession(trusted: KeyBundle, newcomer: KeyBundle): void {
  if (keyId(newcomer.signingPublicKey) !== keyId(trusted.signingPublicKey) || newcomer.role !== trusted.role) {
    const found = `the new bundle of ${newcomer.site} has another signing key or role than the trusted one`;
    throw bundleError(
      'key-bundle-refused',
      found,
      `Compare fingerprints by voice; if the site really has new keys, remove trusted/${newcomer.site}.bundle from this site's key folder ` +
        'and trust it again. What else a renewal takes: srdf keys --help',
    );
  }
  if (newcomer.version <= trusted.version) {
    const found = `the bundle of ${newcomer.site} has version ${newcomer.version}, trusted already is version ${trusted.version} of the same keys`;
    throw bundleError('key-bundle-rollback', found, 'Fetch the current bundle from the site itself');
  }
}

/** Ten groups of four digits and letters, to be read out over the telephone: 160 bits of SHA-256 over the whole bundle's keys. */
export function fingerprint(bundle: KeyBundle): string {
  const hash = createHash('sha256')
    .update('srdf/fingerprint/v1')
    .update(bundle.site)
    .update(Uint8Array.of(0, ROLES.indexOf(bundle.role)));
  hash.update(bundle.signingPublicKey);
  hash.update(bundle.recipientPublicKey ?? new Uint8Array(0));
  hash.update(createHash('sha256').update(bundle.tlsCertificate).digest());
  return (hash.digest('hex').slice(0, 40).match(/.{4}/g) ?? []).join(' ');
}

export function bundleError(code: ErrorCode, found: string, action: string): SrdfError {
  return new SrdfError(code, { tried: TRIED, found, action });
}
