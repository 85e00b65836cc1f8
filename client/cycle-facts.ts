/** Which of a stream's cycles tell its state, and what their results still prove of the target as it stands now. Touches nothing. */
import { CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import type { ErrorReport, LedgerView } from '../activities/contracts.js';
import { SrdfError } from '../temporal/error-catalogue.js';
import type { CycleProgress, CycleResult } from '../workflows/cycle-result.js';
import { operatorError, reportOf } from './operator-error.js';

/** A cycle that has ended, or that runs on as if it ended now. `failure`: it ended without a result, as a workflow. */
export type SeenCycle = { readonly started: number; readonly ended: number } & (
  | { readonly result: CycleResult }
  | { readonly failure: ErrorReport }
);

/**
 * The continuous cycle that runs tells it only once it has come to the log's end or has moved something: while a site is away the schedule
 * begins one after the other, and each looks idle until it ends with the error.
 */
export function newestCycle(live: CycleProgress | null, ended: SeenCycle | null, now: number): SeenCycle | null {
  if (live === null || (live.appliedThrough === null && live.result.outcome === 'idle')) return ended;
  return { result: live.result, started: now - live.result.milliseconds.total, ended: now };
}

/** What a cycle says of the target: everything committed before `through` (ms since 1970) is in `ledger`; null: it can't tell. */
export interface Proof {
  readonly through: number | null;
  readonly ledger: LedgerView | null;
}

export const proofOfLive = ({ appliedThrough, result }: CycleProgress): Proof => ({ through: appliedThrough, ledger: result.ledger });

/** A suspended stream's cycle has read nothing, whatever it says of the log. */
const LOOKED_AT_THE_LOG: ReadonlySet<CycleResult['outcome']> = new Set(['idle', 'replicated']);

export const proofOf = (result: CycleResult, started: number): Proof => ({
  through: result.caughtUp && result.error === null && LOOKED_AT_THE_LOG.has(result.outcome) ? started : null,
  ledger: result.ledger,
});

/**
 * Up to when all that was committed is on the target, by proofs newest first. A target that was restored from a backup or copied anew doesn't
 * hold what a cycle before that has found applied: a proof counts for the same copy alone, and while neither the ledger nor any cycle since
 * stands before it. null: nothing proves it.
 */
export function appliedThrough(proofs: readonly Proof[], present: LedgerView | null): number | null {
  if (present === null) return null;
  let least: number = present.sequence;
  for (const { through, ledger } of proofs) {
    if (ledger === null || ledger.bootstrap !== present.bootstrap || ledger.epoch !== present.epoch) continue;
    if (through !== null && ledger.sequence <= least) return through;
    least = Math.min(least, ledger.sequence);
  }
  return null;
}

/** Why a cycle ended without a result. Its own typed errors come first; anything else is told by how Temporal saw it end. */
export function cycleFailure(cause: unknown, stream: string): ErrorReport {
  const tried = `replicating the stream ${stream} in a cycle`;
  const again = `The next one goes on from where the target stands: srdf cycle ${stream}`;
  if (cause instanceof CancelledFailure) return { code: 'stream-halted', tried, found: 'it was cancelled', action: again };
  if (cause instanceof TerminatedFailure)
    return { code: 'stream-halted', tried, found: `it was terminated: ${cause.message.slice(0, MOST_TEXT)}`, action: again };
  if (cause instanceof TimeoutFailure)
    return { code: 'worker-silent', tried, found: 'it did not end in the time it had', action: `See that both workers run. ${again}` };
  const known = operatorError(cause);
  if (known instanceof SrdfError) return reportOf(known);
  const found = cause instanceof Error ? cause.message.slice(0, MOST_TEXT) : 'it failed without saying why';
  return {
    code: 'unexpected',
    tried,
    found,
    action: `Read the log of the target's worker, which runs the cycles, and report it. ${again}`,
  };
}
const MOST_TEXT = 300;
