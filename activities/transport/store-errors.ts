/** What can be wrong with a spool or an inbox, in words. Pure. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { WagonRef } from '../contracts.js';
import type { WagonAddress } from './contract.js';
import { describeAddress } from './wagon-address.js';

export type StoreName = 'spool' | 'inbox';

export function fullStore(
  store: StoreName,
  address: WagonAddress,
  sizes: { readonly bytes: number; readonly used: number; readonly maxBytes: number },
): SrdfError {
  return new SrdfError(store === 'spool' ? 'spool-full' : 'inbox-full', {
    tried: `storing the ${describeAddress(address)}`,
    found: `the ${store} holds ${sizes.used} of at most ${sizes.maxBytes} bytes, ${sizes.bytes} more don't fit`,
    action:
      store === 'spool'
        ? 'It empties as soon as the target confirms: see why it does not with `srdf status`, or raise maxBytes of the source'
        : 'It empties as wagons are applied: see why they are not with `srdf status`, or raise maxBytes of the target',
  });
}

/** The disk was full before the store was. */
export function fullDisk(store: StoreName, address: WagonAddress, cause: unknown): SrdfError {
  return new SrdfError(store === 'spool' ? 'spool-full' : 'inbox-full', {
    tried: `storing the ${describeAddress(address)}`,
    found: `the disk of the ${store} is full`,
    action: "Free space on the disk of the site's state folder, and set its maxBytes below what the disk has",
    cause,
  });
}

export function missingFrom(store: StoreName, tried: string): SrdfError {
  return new SrdfError('wagon-missing', {
    tried,
    found: `the ${store} does not hold it`,
    action: 'The next cycle cuts or sends it again from the ledger; if it keeps missing, look at the disk and at `srdf status`',
  });
}

/** `changes` and `ddl` are one chain: a sequence belongs to one of them. */
export function otherKind(store: StoreName, address: WagonAddress, present: WagonRef): SrdfError {
  return new SrdfError('wagon-fork', {
    tried: `looking in the ${store} for the ${describeAddress(address)}`,
    found: `a ${present.kind} wagon has this sequence already (hash ${present.hash.slice(0, 16)}…)`,
    action: 'Two versions of the stream must not exist: run `srdf status`, and `srdf verify` before anything is resumed',
  });
}

export function misplaced(store: StoreName, address: WagonAddress, mismatch: string): SrdfError {
  return new SrdfError('spool-inconsistent', {
    tried: `storing the ${describeAddress(address)} in the ${store}`,
    found: mismatch,
    action: 'Nothing was stored. This is an error of the program: please report it with this message',
  });
}

export function noAddress(store: StoreName, address: WagonAddress): SrdfError {
  return new SrdfError('config-invalid', {
    tried: `looking up a wagon in the ${store}`,
    found: `${JSON.stringify(address)} is no wagon's address`,
    action: 'Stream names are lower-case letters, digits and dashes; epoch and sequence are whole numbers',
  });
}
