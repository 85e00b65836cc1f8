/** What a cycle is given and what it tells. Types alone: passes through Temporal's history and is read by status and the demo. */
import type { DeadLetterReport, ErrorReport, LedgerView, Route } from '../activities/contracts.js';
import type { Position } from '../activities/vocabulary.js';

export type CycleOutcome =
  | 'idle'
  | 'replicated'
  | 'source-unreachable'
  | 'target-unreachable'
  | 'dead-lettered'
  | 'halted'
  | 'not-established'
  | 'suspended';

export interface CycleLimits {
  /** Wagons an activity may cut, ship or apply in one go, once the stream is seen to be behind. */
  readonly wagonsPerActivity: number;
  /** No further batch is cut once the history has this many events (the server suggests an end at 4,096). */
  readonly historyEvents: number;
  /** How long a silent site is waited for before the cycle ends with `source-unreachable` or `target-unreachable`, ms. */
  readonly patienceMilliseconds: number;
}

export interface CycleInput {
  readonly route: Route;
  readonly limits?: Partial<CycleLimits>;
  /** One phase alone: `capture` fills the spool, `ship` sends what it holds, `apply` applies what the inbox holds. */
  readonly only?: 'capture' | 'ship' | 'apply';
  /** Read and count, write nothing. */
  readonly dryRun?: boolean;
  /** Stay on the log, and go on as a new run from time to time, until told to finish or something stops it. */
  readonly continuous?: boolean;
  /** `CycleProgress.appliedThrough` of the run that has gone on as this one. */
  readonly appliedThrough?: number | null;
}

/** What a cycle that runs says of itself. */
export interface CycleProgress {
  readonly continuous: boolean;
  /** As if it ended now. */
  readonly result: CycleResult;
  /** Everything committed before this moment is applied, ms since 1970; null when the cycle doesn't know yet. */
  readonly appliedThrough: number | null;
}

export interface CycleResult {
  readonly outcome: CycleOutcome;
  /** Where the ledger stood when the cycle began and when it ended. */
  readonly positions: { readonly from: Position | null; readonly to: Position | null };
  readonly ledger: LedgerView | null;
  readonly counts: {
    /** Cut by this cycle. */
    readonly transactions: number;
    /** Row changes as the source made them, and those left after compaction. */
    readonly captured: number;
    readonly carried: number;
    /** Row changes applied by this cycle. */
    readonly applied: number;
    readonly rows: { readonly inserted: number; readonly updated: number; readonly deleted: number };
    /** What the wagons confirmed in this cycle carried, whichever cycle has cut them. */
    readonly confirmed: { readonly transactions: number; readonly captured: number; readonly carried: number; readonly logBytes: number };
    /** Wagons, by the states they reached in this cycle. */
    readonly wagons: {
      readonly captured: number;
      readonly received: number;
      readonly applied: number;
      readonly confirmed: number;
      /** Left out by an operator's decision; absent when none was. */
      readonly discarded?: number;
    };
  };
  /** `log`: binlog read; `raw`: bodies before compression; `wire`: sealed wagons; `sent`: really sent, what was resumed counted once. */
  readonly bytes: { readonly log: number; readonly raw: number; readonly wire: number; readonly sent: number };
  /** From the source's commit to the verified receipt, ms, for the newest confirmed wagons, at most 200. */
  readonly lagMilliseconds: readonly number[];
  /** Time by phase, ms; phases run side by side, so that the sum may be more than the whole. */
  readonly milliseconds: {
    readonly total: number;
    readonly read: number;
    readonly compact: number;
    readonly seal: number;
    readonly ship: number;
    readonly open: number;
    readonly apply: number;
    readonly confirm: number;
  };
  /** The log held nothing more when the cycle ended. */
  readonly caughtUp: boolean;
  /** Why the cycle ended early. */
  readonly error: ErrorReport | null;
  readonly deadLetter: DeadLetterReport | null;
}
