/**
 * HPKE base mode (RFC 9180), export only: KEM 0x647a = X-Wing (draft-connolly-cfrg-xwing-kem by way of draft-ietf-hpke-pq),
 * HKDF-SHA256 (0x0001), export-only AEAD (0xFFFF). Nothing is negotiated.
 */
import { createHmac } from 'node:crypto';
import sodium from 'libsodium-wrappers';

export const KEM_PUBLIC_BYTES = 1216;
export const KEM_SEED_BYTES = 32;
export const KEM_CIPHERTEXT_BYTES = 1120;
const BODY_KEY_BYTES = 32;

const SUITE = Buffer.concat([Buffer.from('HPKE', 'ascii'), Uint8Array.of(0x64, 0x7a, 0x00, 0x01, 0xff, 0xff)]);
const VERSION = Buffer.from('HPKE-v1', 'ascii');
const NOTHING = new Uint8Array(0);

/** The library is WebAssembly and must be compiled first; every function below needs it. */
export async function hpkeReady(): Promise<void> {
  await sodium.ready;
}

/** `seed` is X-Wing's whole private key: 32 bytes. */
export function recipientPublicKey(seed: Uint8Array): Uint8Array {
  return sodium.crypto_kem_xwing_seed_keypair(seed).publicKey;
}

/** A fresh secret for the holder of the private key: the exporter of HPKE's context, and what is sent to him. */
export function encapsulate(
  publicKey: Uint8Array,
  info: Uint8Array,
): { readonly ciphertext: Uint8Array; readonly exporterSecret: Uint8Array } {
  const { ciphertext, sharedSecret } = sodium.crypto_kem_xwing_enc(publicKey);
  return { ciphertext, exporterSecret: exporterSecret(sharedSecret, info) };
}

/**
 * A wrong key or ciphertext gives a wrong secret without a word (implicit rejection): only what is encrypted under it notices.
 * null: the X25519 half is a point of low order, which the library refuses.
 */
export function decapsulate(ciphertext: Uint8Array, seed: Uint8Array, info: Uint8Array): Uint8Array | null {
  if (ciphertext.length !== KEM_CIPHERTEXT_BYTES || seed.length !== KEM_SEED_BYTES)
    throw new RangeError('an X-Wing ciphertext or key of a wrong length');
  let sharedSecret: Uint8Array;
  try {
    sharedSecret = sodium.crypto_kem_xwing_dec(ciphertext, seed);
  } catch {
    return null;
  }
  return exporterSecret(sharedSecret, info);
}

/** RFC 9180 §5.3: Context.Export. `length` at most 32 bytes, one block of HKDF-Expand. */
export function exportKey(secret: Uint8Array, context: string, length = BODY_KEY_BYTES): Uint8Array {
  return labeledExpand(secret, 'sec', Buffer.from(context, 'ascii'), length);
}

/** RFC 9180 §5.1: KeySchedule of mode_base, of which export-only keeps the exporter secret. */
export function exporterSecret(sharedSecret: Uint8Array, info: Uint8Array): Uint8Array {
  const context = Buffer.concat([
    Uint8Array.of(0),
    labeledExtract(NOTHING, 'psk_id_hash', NOTHING),
    labeledExtract(NOTHING, 'info_hash', info),
  ]);
  return labeledExpand(labeledExtract(sharedSecret, 'secret', NOTHING), 'exp', context, 32);
}

function labeledExtract(salt: Uint8Array, label: string, material: Uint8Array): Uint8Array {
  return createHmac('sha256', salt).update(VERSION).update(SUITE).update(label, 'ascii').update(material).digest();
}

function labeledExpand(key: Uint8Array, label: string, info: Uint8Array, length: number): Uint8Array {
  if (length > 32) throw new RangeError('one block of HKDF-Expand has 32 bytes');
  const block = createHmac('sha256', key)
    .update(Uint8Array.of(length >> 8, length & 0xff))
    .update(VERSION)
    .update(SUITE)
    .update(label, 'ascii')
    .update(info)
    .update(Uint8Array.of(1))
    .digest();
  return block.subarray(0, length);
}
