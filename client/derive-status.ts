/** What a stream's state is, derived from facts at the moment of asking; nothing of it is stored. Touches nothing. */
import type { DeadLetterReport, ErrorReport, LedgerResult, SpoolState, StreamMode } from '../activities/contracts.js';
import type { Position } from '../activities/vocabulary.js';
import type { CycleOutcome, CycleResult } from '../workflows/cycle-result.js';

export interface BootstrapFacts {
  readonly running: boolean;
  /** Why it ended without a consistent copy; null while it runs and when it succeeded. */
  readonly error: ErrorReport | null;
  /** One line of its progress, in its own words. */
  readonly progress: string | null;
}
export interface StreamFacts {
  readonly stream: string;
  /** ms since 1970. */
  readonly now: number;
  readonly every: number | 'continuous';
  /** null: the stream has no schedule. */
  readonly schedule: { readonly paused: boolean; readonly note: string | null; readonly next: number | null } | null;
  readonly running: boolean;
  readonly lastCycle: { readonly result: CycleResult; readonly started: number; readonly ended: number } | null;
  /** When the last cycle that came to the log's end began. */
  readonly lastCaughtUp: number | null;
  /** From the target, or why it could not be asked. */
  readonly target: { readonly ledger: LedgerResult } | { readonly error: ErrorReport };
  readonly source: { readonly spool: SpoolState } | { readonly error: ErrorReport };
  readonly bootstrap: BootstrapFacts | null;
}

export type StreamPhase = 'not-established' | 'bootstrapping' | 'bootstrap-failed' | 'catching-up' | 'consistent' | 'unknown';

export interface StreamStatus {
  readonly stream: string;
  readonly phase: StreamPhase;
  readonly mode: StreamMode | 'unknown';
  readonly running: boolean;
  readonly lastCycle: {
    readonly outcome: CycleOutcome;
    /** ms since 1970. */
    readonly ended: number;
    readonly why: ErrorReport | null;
  } | null;
  /** What a loss of the source now would lose at most, in seconds of commits; null when no cycle has reached the log's end yet. */
  readonly lagSeconds: number | null;
  readonly position: Position | null;
  readonly logEnd: Position | null;
  readonly epoch: number | null;
  /**
   * The newest wagon in each state; null where the site that knows is unreachable.
   * `waiting`: wagons of all kinds in the spool, not confirmed yet.
   */
  readonly wagons: { readonly waiting: number | null; readonly received: number | null; readonly applied: number | null };
  /** What the newest wagons hold, by the state they have reached; null while the source site is unreachable. */
  readonly states: SpoolState['states'] | null;
  readonly spool: { readonly bytes: number; readonly maxBytes: number } | null;
  readonly deadLetter: DeadLetterReport | null;
  readonly unreachable: readonly { readonly site: 'source' | 'target'; readonly why: ErrorReport }[];
  readonly bootstrap: BootstrapFacts | null;
  /** What the operator can do now; null when there is nothing to do. */
  readonly next: string | null;
}

export function deriveStatus(facts: StreamFacts): StreamStatus {
  const ledger = 'ledger' in facts.target ? facts.target.ledger : null;
  const spool = 'spool' in facts.source ? facts.source.spool : null;
  const phase = phaseOf(facts, ledger);
  const last = facts.lastCycle;
  const mode = ledger?.mode ?? 'unknown';
  const deadLetter = ledger?.deadLetter ?? (ledger === null ? (last?.result.deadLetter ?? null) : null);
  return {
    stream: facts.stream,
    phase,
    mode,
    running: facts.running,
    lastCycle: last && { outcome: last.result.outcome, ended: last.ended, why: last.result.error },
    lagSeconds: lagSeconds(facts, ledger, spool),
    position: ledger?.ledger.position ?? last?.result.positions.to ?? null,
    logEnd: spool?.logEnd ?? null,
    epoch: ledger?.ledger.epoch ?? null,
    wagons: {
      waiting: spool?.wagons ?? null,
      received: ledger === null ? null : (ledger.inbox.at(-1)?.sequence ?? ledger.ledger.sequence),
      applied: ledger?.ledger.sequence ?? null,
    },
    states: spool?.states ?? null,
    spool: spool && { bytes: spool.bytes, maxBytes: spool.maxBytes },
    deadLetter,
    unreachable: [
      ...('error' in facts.source ? [{ site: 'source' as const, why: facts.source.error }] : []),
      ...('error' in facts.target ? [{ site: 'target' as const, why: facts.target.error }] : []),
    ],
    bootstrap: facts.bootstrap,
    next: nextStep(facts, phase, mode, deadLetter),
  };
}

function lagSeconds(facts: StreamFacts, ledger: LedgerResult | null, spool: SpoolState | null): number | null {
  // The log's very end is applied: nothing would be lost, however long ago a cycle looked.
  if (ledger?.ledger.position != null && ledger.ledger.position === spool?.logEnd) return 0;
  return facts.lastCaughtUp === null ? null : Math.max(0, Math.round((facts.now - facts.lastCaughtUp) / 100) / 10);
}

function phaseOf(facts: StreamFacts, ledger: LedgerResult | null): StreamPhase {
  if (facts.bootstrap?.running) return ledger?.ledger.phase === 'catching-up' ? 'catching-up' : 'bootstrapping';
  const known = ledger?.ledger.phase;
  if (known === 'consistent' || known === 'catching-up') return known;
  // A ledger in `loading` whose bootstrap doesn't run was left behind.
  if (known === 'loading' || (known === 'absent' && facts.bootstrap?.error)) return 'bootstrap-failed';
  if (known === 'absent') return 'not-established';
  return 'unknown';
}

function nextStep(
  facts: StreamFacts,
  phase: StreamPhase,
  mode: StreamMode | 'unknown',
  deadLetter: DeadLetterReport | null,
): string | null {
  const { stream } = facts;
  if (deadLetter !== null) {
    return `${deadLetter.error.action}. Then: srdf dead-letters retry ${stream}`;
  }
  if ('error' in facts.target) return facts.target.error.action;
  if (phase === 'not-established') return `srdf establish ${stream}`;
  if (phase === 'bootstrap-failed')
    return facts.bootstrap?.error ? `${facts.bootstrap.error.action}. Then: srdf establish ${stream}` : `srdf establish ${stream}`;
  if (facts.target.ledger.halted !== undefined) return facts.target.ledger.halted.action;
  if ('error' in facts.source) return facts.source.error.action;
  if (mode === 'suspended') return `srdf resume ${stream}`;
  if (facts.schedule === null && !facts.bootstrap?.running) return `No cycles are scheduled: srdf resume ${stream}`;
  if (facts.schedule?.paused)
    return `The schedule is paused${facts.schedule.note ? ` (${facts.schedule.note})` : ''}: srdf resume ${stream}`;
  return facts.lastCycle?.result.error?.action ?? null;
}
