/** What the receiver is handed, and the one refusal that every way in shares. */
import type { ForeignKeyFact } from '../engines/engine.js';
import type { StreamName, WagonHash } from '../vocabulary.js';
import type { WagonHeader } from '../wagon/contract.js';
import type { WagonAddress } from './contract.js';
import type { StoreLog } from './file-store.js';
import type { ReceivingInbox } from './inbox.js';
import { Refused } from './refusal.js';
import { describeAddress } from './wagon-address.js';

/** What the receiver leaves to those who hold keys, engines and config. */
export interface ReceiverDuties {
  readonly inbox: ReceivingInbox;
  /** Checks signature, signer, destination and policy (epoch) of a whole sealed wagon; throws an error of the catalogue. `sealed` is handed over. */
  verify(sealed: Uint8Array, address: WagonAddress): Promise<{ readonly header: WagonHeader; readonly hash: WagonHash }>;
  /** The signed `received` receipt of a wagon that is verified and stored. */
  issueReceipt(address: WagonAddress, hash: WagonHash, header: WagonHeader): Promise<Uint8Array> | Uint8Array;
  foreignKeys(stream: StreamName): Promise<readonly ForeignKeyFact[]>;
  knowsStream(stream: StreamName): boolean;
  readonly log: StoreLog;
}

export function fork(address: WagonAddress, present: WagonHash): Refused {
  return new Refused({
    status: 409,
    code: 'wagon-fork',
    found: `the target has taken the ${describeAddress(address)} with other bytes (hash ${present.slice(0, 16)}…)`,
    action: 'Two versions of the stream must not exist: run `srdf status`, and `srdf verify` before anything is resumed',
  });
}
