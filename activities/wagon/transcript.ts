/** What a wagon's keys and signature are bound to. Pure. */
import { createHash } from 'node:crypto';

const INFO = Buffer.from('srdf/wagon/v1', 'ascii');

/** HPKE's info: the use, and the whole header. A body opens under its own header only. */
export function bodyInfo(header: Uint8Array): Uint8Array {
  return Buffer.concat([INFO, createHash('sha256').update(header).digest()]);
}
/** The message that is signed: SHA-256 of all that precedes the signature. */
export function signedDigest(preceding: Uint8Array): Uint8Array {
  return createHash('sha256').update(preceding).digest();
}
