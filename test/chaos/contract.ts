/** What the fault matrix is made of: a fault, inflicted while a process of the pair is held still at a point. */
import type { FaultPoint } from '../../activities/fault-points.js';
import type { Pair } from '../integration/pair.js';

export type FaultGroup = 'kill' | 'activity' | 'network' | 'disk' | 'files' | 'clock' | 'double start';

/**
 * Something that goes wrong. `inflict` is called while the process that reached the point is held there; the run goes on
 * (the hold is lifted) when it returns. Whatever it took away it gives back in the function it returns, which is called after a while,
 * so that the pair has met the fault.
 */
export interface Fault {
  /** As a row of docs/faults.md says it: `kill -9 of the source worker`. */
  readonly name: string;
  readonly group: FaultGroup;
  /** Which points it makes sense at; absent: those of its group (matrix.ts). */
  readonly points?: readonly FaultPoint[];
  /** Why it can't be made on this machine (no right to mount, say), or null. */
  unavailable?(): Promise<string | null>;
  /** `at`: where a process is held; absent when none is. */
  inflict(pair: Pair, at?: FaultPoint): Promise<() => Promise<void>>;
  /** `goes on`: the stream goes on by itself. Otherwise the error code it must stop with, and what an operator does about it. */
  readonly expected: 'goes on' | { readonly code: string; readonly operator: (pair: Pair) => Promise<void>; readonly told: string };
}

export interface Case {
  readonly point: FaultPoint;
  readonly fault: Fault;
}

export const OUTCOMES = ['went on', 'stopped, mended by the operator', 'FAILED', 'not possible here'] as const;

/** What one case of the matrix came to. */
export interface CaseOutcome {
  readonly point: FaultPoint;
  readonly fault: string;
  readonly group: FaultGroup;
  readonly outcome: (typeof OUTCOMES)[number];
  /** Why, where it isn't `went on`. One line. */
  readonly detail: string;
  readonly seconds: number;
}
