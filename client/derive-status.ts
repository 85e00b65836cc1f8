/** What a stream's state is, derived from facts at the moment of asking; nothing of it is stored. Touches nothing. */
import type { DeadLetterReport, ErrorReport, LedgerResult, SpoolState, StreamMode } from '../activities/contracts.js';
import type { Position } from '../activities/vocabulary.js';
import type { CycleOutcome } from '../workflows/cycle-result.js';
import type { SeenCycle } from './cycle-facts.js';
import { type LateCycles, lateCycles } from './late-cycles.js';

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
  readonly schedule: {
    readonly paused: boolean;
    readonly note: string | null;
    readonly next: number | null;
    /** When it was made or changed last, ms since 1970. */
    readonly since: number;
  } | null;
  readonly running: boolean;
  readonly lastCycle: SeenCycle | null;
  /** Everything committed before this moment is on the target as it stands, ms since 1970; null when nothing proves it. */
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
    /** `failed`: it ended without a result, as a workflow. */
    readonly outcome: CycleOutcome | 'failed';
    /** ms since 1970. */
    readonly ended: number;
    readonly why: ErrorReport | null;
  } | null;
  /** What a loss of the source now would lose at most, in seconds of commits; null when no cycle has reached the log's end with this target. */
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
  /** Wagons left out by an operator's decision since the target was copied, and when the last was; null: none, or the target is unreachable. */
  readonly discarded: { readonly wagons: number; readonly last: number } | null;
  /** Cycles that should have come to the log's end long ago, and nothing that says why not. */
  readonly late: LateCycles | null;
  /** Sites that gave no answer, or whose database gave none. */
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
  const result = last !== null && 'result' in last ? last.result : null;
  const mode = ledger?.mode ?? 'unknown';
  const deadLetter = ledger?.deadLetter ?? (ledger === null ? (result?.deadLetter ?? null) : null);
  const lag = lagSeconds(facts, ledger, spool);
  const unreachable = unreachableSites(facts);
  const established = phase === 'consistent' || phase === 'catching-up';
  const shouldMove = established && mode === 'active' && deadLetter === null && unreachable.length === 0 && !facts.bootstrap?.running;
  const late = shouldMove ? lateCycles(facts, lag) : null;
  return {
    stream: facts.stream,
    phase,
    mode,
    running: facts.running,
    lastCycle: last && { outcome: result?.outcome ?? 'failed', ended: last.ended, why: whyOf(last) },
    lagSeconds: lag,
    position: ledger?.ledger.position ?? result?.positions.to ?? null,
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
    discarded: ledger?.discarded ?? null,
    late,
    unreachable,
    bootstrap: facts.bootstrap,
    next: nextStep(facts, phase, mode, deadLetter, late),
  };
}

const whyOf = (cycle: SeenCycle): ErrorReport | null => ('result' in cycle ? cycle.result.error : cycle.failure);

function sourceError({ source }: StreamFacts): ErrorReport | null {
  return 'error' in source ? source.error : (source.spool.away ?? null);
}
function unreachableSites(facts: StreamFacts): StreamStatus['unreachable'] {
  const source = sourceError(facts);
  return [
    ...(source === null ? [] : [{ site: 'source' as const, why: source }]),
    ...('error' in facts.target ? [{ site: 'target' as const, why: facts.target.error }] : []),
  ];
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
  late: LateCycles | null,
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
  if ('spool' in facts.source && facts.source.spool.away) return facts.source.spool.away.action;
  return late?.action ?? (facts.lastCycle && whyOf(facts.lastCycle)?.action) ?? null;
}
