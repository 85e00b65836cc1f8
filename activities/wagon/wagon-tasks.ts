/** What a wagon thread is asked and answers; the same in the thread and, where none can be started, in this one. */
import { type ErrorCode, type ErrorFacts, SrdfError } from '../../temporal/error-catalogue.js';
import type { WagonHash } from '../vocabulary.js';
import { openSigningKey } from './composite-signature.js';
import type { HeaderFields, WagonExpectation, WagonHeader } from './contract.js';
import { giveBack } from './give-back.js';
import { hpkeReady } from './hpke.js';
import { type OpeningKeys, openWagon, verifyWagon } from './open-wagon.js';
import { type SealedWagon, sealWagon } from './seal-wagon.js';

export type WagonKeys =
  | {
      readonly role: 'sealer';
      readonly signingSeed: Uint8Array;
      readonly signerKeyId: string;
      readonly recipientPublicKey: Uint8Array;
      readonly recipientKeyId: string;
    }
  | ({ readonly role: 'opener' } & OpeningKeys);

export type WagonTask =
  | { readonly task: 'seal'; readonly header: HeaderFields; readonly bytes: Uint8Array }
  | { readonly task: 'verify' | 'open'; readonly bytes: Uint8Array; readonly expectation: WagonExpectation; readonly now: number };

export type WagonAnswer =
  | ({ readonly task: 'seal' } & SealedWagon)
  | { readonly task: 'verify'; readonly header: WagonHeader; readonly hash: WagonHash }
  | { readonly task: 'open'; readonly header: WagonHeader; readonly hash: WagonHash; readonly bytes: Uint8Array };

export async function createTaskRunner(keys: WagonKeys): Promise<(task: WagonTask) => WagonAnswer> {
  await hpkeReady();
  if (keys.role === 'sealer') {
    const signer = openSigningKey(keys.signingSeed);
    const { signerKeyId, recipientPublicKey, recipientKeyId } = keys;
    return (task) => {
      if (task.task !== 'seal') throw new TypeError('a sealer opens nothing');
      const sealed = sealWagon(task.header, task.bytes, { signer, signerKeyId, recipientPublicKey, recipientKeyId });
      giveBack(task.bytes);
      return { task: 'seal', ...sealed };
    };
  }
  return (task) => {
    if (task.task === 'seal') throw new TypeError('an opener seals nothing');
    if (task.task === 'verify') {
      const { header, hash } = verifyWagon(task.bytes, task.expectation, keys, task.now);
      giveBack(task.bytes);
      return { task: 'verify', header, hash };
    }
    const { header, hash, encoded } = openWagon(task.bytes, task.expectation, keys, task.now);
    giveBack(task.bytes);
    return { task: 'open', header, hash, bytes: encoded };
  };
}

/** An error as it passes between threads, which strip classes. */
export type PackedError = { readonly code: ErrorCode; readonly facts: ErrorFacts } | { readonly message: string };
export function packError(error: unknown): PackedError {
  if (error instanceof SrdfError) {
    const { tried, found, action } = error.facts;
    return { code: error.code, facts: { tried, found, action } };
  }
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
export function unpackError(packed: PackedError): Error {
  return 'code' in packed ? new SrdfError(packed.code, packed.facts) : new Error(packed.message);
}
