/** Keys that everybody knows, so that a recorded wagon opens on every machine and an attacker inside can be played. */
import type { Epoch, SiteName, StreamName } from '../../activities/vocabulary.js';
import { openSigningKey } from '../../activities/wagon/composite-signature.js';
import type { WagonExpectation } from '../../activities/wagon/contract.js';
import { hpkeReady, recipientPublicKey } from '../../activities/wagon/hpke.js';
import { type KeyBundle, keyId } from '../../activities/wagon/key-bundle.js';
import type { KeyRing } from '../../activities/wagon/key-ring.js';
import type { OpeningKeys } from '../../activities/wagon/open-wagon.js';
import type { SealingKeys } from '../../activities/wagon/seal-wagon.js';

await hpkeReady();

const PARIS = 'paris' as SiteName;
const FRANKFURT = 'frankfurt' as SiteName;
const NEVER = Date.UTC(2200, 0);
export const NOW = Date.UTC(2026, 10, 24);

export const sourceSigner = openSigningKey(new Uint8Array(64).fill(1));
export const targetSigner = openSigningKey(new Uint8Array(64).fill(2));
const recipientSeed = new Uint8Array(32).fill(3);
const recipientKey = recipientPublicKey(recipientSeed);

export const sealingKeys: SealingKeys = {
  signer: sourceSigner,
  signerKeyId: keyId(sourceSigner.publicKey),
  recipientPublicKey: recipientKey,
  recipientKeyId: keyId(recipientKey),
};
export const openingKeys: OpeningKeys = {
  signers: [
    { keyId: keyId(sourceSigner.publicKey), publicKey: sourceSigner.publicKey, site: PARIS, role: 'source', notAfter: NEVER },
    { keyId: keyId(targetSigner.publicKey), publicKey: targetSigner.publicKey, site: FRANKFURT, role: 'target', notAfter: NEVER },
  ],
  recipientSeed,
  recipientKeyId: keyId(recipientKey),
};
export const EXPECTED: WagonExpectation = {
  stream: 'shop' as StreamName,
  sourceSite: PARIS,
  targetSite: FRANKFURT,
  epoch: 1 as Epoch,
};

export const sourceBundle: KeyBundle = {
  site: PARIS,
  role: 'source',
  version: 1,
  notBefore: 0,
  notAfter: NEVER,
  signingPublicKey: sourceSigner.publicKey,
  recipientPublicKey: null,
  tlsCertificate: '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n',
};
export const targetBundle: KeyBundle = {
  ...sourceBundle,
  site: FRANKFURT,
  role: 'target',
  signingPublicKey: targetSigner.publicKey,
  recipientPublicKey: recipientKey,
};
/** Of it, issuing receipts needs no more. */
export const targetRing = {
  bundle: targetBundle,
  signing: targetSigner,
  signingKeyId: keyId(targetSigner.publicKey),
} as KeyRing;
