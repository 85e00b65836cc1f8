/** ML-DSA-65 of Node's own crypto (Node 24.8 and later), if it is there and agrees with FIPS 204 as @noble/post-quantum has it. */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';

export interface MlDsaSigner {
  /** `seed`: 32 bytes. The returned function makes 3309-byte signatures. */
  signer(seed: Uint8Array): (message: Uint8Array, context: Uint8Array) => Uint8Array;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array, context: Uint8Array): boolean;
}

// RFC 9881: the OID 2.16.840.1.101.3.4.3.18; a private key as its seed, context tag 0.
const PUBLIC_DER = Buffer.from('308207b2300b0609608648016503040312038207a100', 'hex');
const PRIVATE_DER = Buffer.from('3034020100300b060960864801650304031204228020', 'hex');

/** @types/node 20 doesn't know `context` yet. */
const withContext = (key: KeyObject, context: Uint8Array): { key: KeyObject } => ({ key, context }) as { key: KeyObject };

const native: MlDsaSigner = {
  signer: (seed) => {
    const key = createPrivateKey({ key: Buffer.concat([PRIVATE_DER, seed]), format: 'der', type: 'pkcs8' });
    return (message, context) => sign(null, message, withContext(key, context));
  },
  verify: (publicKey, message, signature, context) => {
    const key = createPublicKey({ key: Buffer.concat([PUBLIC_DER, publicKey]), format: 'der', type: 'spki' });
    return verify(null, message, withContext(key, context), signature);
  },
};

/**
 * null where Node has none, or one that ignores the context (an older Node would sign with none, and nobody else could verify).
 * Tried out instead of read from the version: what counts is what the crypto library in use really does.
 */
export function nativeMlDsa(): MlDsaSigner | null {
  try {
    const seed = new Uint8Array(32).fill(7);
    const message = Uint8Array.of(1, 2, 3);
    const context = Uint8Array.of(4, 5);
    const { publicKey } = ml_dsa65.keygen(seed);
    const signature = native.signer(seed)(message, context);
    const agrees =
      ml_dsa65.verify(signature, message, publicKey, { context }) &&
      native.verify(publicKey, message, signature, context) &&
      !native.verify(publicKey, message, signature, Uint8Array.of(6));
    return agrees ? native : null;
  } catch {
    return null;
  }
}
