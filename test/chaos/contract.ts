/** What the fault matrix is made of: a fault, inflicted while the pair stands still at a point. */
import type { Pair } from '../integration/pair.js';

/**
 * Something that goes wrong. `inflict` is called while the process that reached the point is held there; the run goes on
 * (the hold is lifted) when it returns. Whatever it took away it gives back in the function it returns, at the latest when that is
 * called: after a while, so that the pair has met the fault.
 */
export interface Fault {
  /** As a row of docs/faults.md says it: `kill -9 of the source worker`. */
  readonly name: string;
  readonly group: 'kill' | 'activity' | 'network' | 'disk' | 'files' | 'clock' | 'double start';
  /** Which points it makes sense at; absent: all. */
  readonly points?: readonly string[];
  /** Why it can't be made on this machine (no right to mount, say), or null. */
  unavailable?(): Promise<string | null>;
  inflict(pair: Pair): Promise<() => Promise<void>>;
  /** `goes on`: the stream goes on by itself. Otherwise the error code it must stop with, and what an operator does about it. */
  readonly expected: 'goes on' | { readonly code: string; readonly operator: (pair: Pair) => Promise<void>; readonly told: string };
}

/** What one case of the matrix came to. */
export interface CaseOutcome {
  readonly point: string;
  readonly fault: string;
  readonly outcome: 'went on' | 'stopped, mended by the operator' | 'FAILED' | 'not possible here';
  readonly detail: string;
  readonly seconds: number;
}
