/** An encoded body becomes a sealed, signed wagon. Runs in a thread of its own (wagon-thread.ts). `hpkeReady()` first. */
import { createHash } from 'node:crypto';
import zstd from 'zstd-napi/binding.js';
import type { WagonHash } from '../vocabulary.js';
import { SIGNATURE_BYTES, type SigningKey } from './composite-signature.js';
import type { HeaderFields } from './contract.js';
import { putChecksum } from './encoding.js';
import { giveBack } from './give-back.js';
import { encodeHeader } from './header.js';
import { encapsulate, exportKey, KEM_CIPHERTEXT_BYTES } from './hpke.js';
import { sealedLength, sealStream, secretStream } from './secretstream.js';
import { bodyInfo } from './transcript.js';

/** Level 1 leaves wagons of rows about 2 % larger than level 3 and takes 4/5 of its time. */
const ZSTD_LEVEL = 1;

export interface SealingKeys {
  readonly signer: SigningKey;
  readonly signerKeyId: string;
  readonly recipientPublicKey: Uint8Array;
  readonly recipientKeyId: string;
}
export interface SealedWagon {
  readonly bytes: Uint8Array;
  readonly hash: WagonHash;
  readonly plainBytes: number;
}

/** `encoded` comes from `encodeBody`; its checksum is put in here. */
export function sealWagon(fields: HeaderFields, encoded: Uint8Array, keys: SealingKeys): SealedWagon {
  putChecksum(encoded);
  const compressed = compress(encoded);
  const sealed = sealCompressed(fields, compressed, encoded.length, keys);
  giveBack(compressed);
  return sealed;
}

/** The part behind compression, apart so that tests can seal what an honest source never would. */
export function sealCompressed(fields: HeaderFields, compressed: Uint8Array, plainBytes: number, keys: SealingKeys): SealedWagon {
  const { recipientKeyId, signerKeyId } = keys;
  const header = encodeHeader({ ...fields, recipientKeyId, signerKeyId, compressedBytes: compressed.length, plainBytes });
  const { ciphertext, exporterSecret } = encapsulate(keys.recipientPublicKey, bodyInfo(header));
  const streamAt = header.length + KEM_CIPHERTEXT_BYTES;
  const signatureAt = streamAt + sealedLength(compressed.length);
  const bytes = new Uint8Array(signatureAt + SIGNATURE_BYTES);
  bytes.set(header, 0);
  bytes.set(ciphertext, header.length);
  sealStream(secretStream(), exportKey(exporterSecret, 'body'), header, compressed, bytes.subarray(streamAt, signatureAt));
  return { bytes, hash: signInPlace(bytes, keys.signer), plainBytes };
}

/** Signs all that precedes the last 3373 bytes, into them. Returns the whole wagon's hash. */
export function signInPlace(wagon: Uint8Array, signer: SigningKey): WagonHash {
  const signatureAt = wagon.length - SIGNATURE_BYTES;
  // Read once: what is signed is the hash's state on its way to the whole.
  const hash = createHash('sha256').update(wagon.subarray(0, signatureAt));
  wagon.set(signer.sign(hash.copy().digest(), 'srdf/wagon/v1'), signatureAt);
  return hash.update(wagon.subarray(signatureAt)).digest('hex') as WagonHash;
}

function compress(encoded: Uint8Array): Uint8Array {
  // Not zeroed, which would touch memory that most often stays unused.
  const into = Buffer.allocUnsafeSlow(zstd.compressBound(encoded.length));
  return into.subarray(0, zstd.compress(into, encoded, ZSTD_LEVEL));
}
