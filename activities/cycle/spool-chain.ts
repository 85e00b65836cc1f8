/** What of a spool may be offered after a ledger. Pure. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { CutFrom, WagonRef } from '../contracts.js';
import type { Position, Sequence, WagonHash } from '../vocabulary.js';

export interface SpooledWagon {
  readonly ref: WagonRef;
  readonly previousHash: WagonHash;
  readonly positionFrom: Position;
}

export interface SpoolChain {
  /** Follow the ledger without a gap, whole trains only. */
  readonly offered: readonly WagonRef[];
  /** At or before the ledger: to be confirmed. */
  readonly passed: readonly WagonRef[];
  /**
   * Taken away and cut again: the beginning of a train whose rest isn't there, and what lies behind a wagon that the spool has lost. The target
   * hasn't applied any of it; cars of a train of which it lacks the rest give way in its inbox to those that are cut anew.
   */
  readonly torn: readonly WagonRef[];
  /** The wagon the spool has lost; null when it has lost none that another follows. Whether it was confirmed is for the caller to ask. */
  readonly lost: Sequence | null;
}

/**
 * A train is offered only once all of it lies in the spool. A wagon that is missing is one that a bad disk or a power cut has taken: its train
 * and what follows are cut again from the log, as a spool that is lost as a whole is.
 * Throws `spool-inconsistent` when spool and ledger tell different stories: nothing is guessed.
 */
export function chainAfter(after: CutFrom, spool: readonly SpooledWagon[]): SpoolChain {
  const own = spool.filter(({ ref }) => ref.epoch === after.epoch).sort((a, b) => a.ref.sequence - b.ref.sequence);
  const refuse = (found: string): never => {
    throw new SrdfError('spool-inconsistent', {
      tried: `going on after wagon ${after.sequence} of epoch ${after.epoch}`,
      found,
      action:
        "Was the target's database put back to an earlier state, or the spool copied from another machine? " +
        'Compare the sides (srdf verify); establish the stream again if they differ (srdf establish)',
    });
  };
  const later = spool.find(({ ref }) => ref.epoch > after.epoch);
  if (later !== undefined) refuse(`the spool holds wagons of epoch ${later.ref.epoch}`);

  const passed: WagonRef[] = [];
  const chain: WagonRef[] = [];
  const behind: WagonRef[] = [];
  let lost: Sequence | null = null;
  let at: { readonly sequence: number; readonly hash: WagonHash; readonly position: Position } = {
    sequence: after.sequence,
    hash: after.wagonHash,
    position: after.position,
  };
  for (const { ref, previousHash, positionFrom } of own) {
    if (ref.sequence <= after.sequence) {
      if (ref.sequence === after.sequence && ref.hash !== after.wagonHash)
        refuse(`wagon ${ref.sequence} of the spool is ${ref.hash.slice(0, 16)}…, the target has ${after.wagonHash.slice(0, 16)}…`);
      passed.push(ref);
      continue;
    }
    if (lost !== null || ref.sequence !== at.sequence + 1) {
      lost ??= (at.sequence + 1) as Sequence;
      behind.push(ref);
      continue;
    }
    if (previousHash !== at.hash || positionFrom !== at.position)
      refuse(
        `wagon ${ref.sequence} of the spool follows ${previousHash.slice(0, 16)}… at ${positionFrom}, not ${at.hash.slice(0, 16)}… at ${at.position}`,
      );
    chain.push(ref);
    at = { sequence: ref.sequence, hash: ref.hash, position: ref.positionTo };
  }
  const whole = chain.findLastIndex((ref) => ref.train.last) + 1;
  return { offered: chain.slice(0, whole), passed, torn: [...chain.slice(whole), ...behind], lost };
}
