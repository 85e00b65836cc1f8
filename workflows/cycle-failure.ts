/** What an activity's failure means for the stream. Pure. */
import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TimeoutFailure } from '@temporalio/common';
import type { ErrorReport } from '../activities/contracts.js';
import { isPoison } from '../temporal/poison.js';
import type { CycleOutcome } from './cycle-result.js';

export type Side = 'source' | 'target';
/** The work that failed; `apply` alone can meet a wagon that no retry helps. */
export type Phase = 'ledger' | 'cut' | 'ship' | 'apply' | 'confirm';

export interface CycleFailure {
  readonly outcome: Exclude<CycleOutcome, 'idle' | 'replicated' | 'not-established' | 'suspended'>;
  readonly error: ErrorReport;
}

const isErrorReport = (value: unknown): value is ErrorReport =>
  typeof value === 'object' && value !== null && ['code', 'tried', 'found', 'action'].every((key) => key in value);

const cause = (error: unknown): unknown =>
  error instanceof ActivityFailure || error instanceof ChildWorkflowFailure ? error.cause : error;

/** The facts an activity threw, as `toFailure` packed them. null for anything that isn't one of ours. */
export function reportOf(error: unknown): ErrorReport | null {
  const inner = cause(error);
  if (!(inner instanceof ApplicationFailure)) return null;
  const [details] = inner.details ?? [];
  if (isErrorReport(details)) return details;
  return {
    code: inner.type ?? 'unexpected',
    tried: 'running an activity',
    found: 'a failure without facts',
    action: "Read the worker's log and report it",
  };
}

const SOURCE_AWAY: ReadonlySet<string> = new Set(['source-unreachable']);
const TARGET_AWAY: ReadonlySet<string> = new Set([
  'target-unreachable',
  'target-busy',
  'target-full',
  'receiver-unreachable',
  'receiver-busy',
  'inbox-full',
]);

/** How a worker has gone silent; null when it has answered. */
function silence(failure: unknown): string | null {
  if (failure instanceof TimeoutFailure)
    return failure.timeoutType === 'SCHEDULE_TO_START' ? 'no worker took it' : `no answer (${failure.timeoutType})`;
  // The SDK gives an activity that a shutdown of its worker cuts short this type.
  return failure instanceof ApplicationFailure && failure.type === 'CancelledFailure' ? 'the worker shut down' : null;
}

/** Turns a failure of an activity into the cycle's outcome. Anything that isn't an activity's failure is thrown on. */
export function classify(error: unknown, phase: Phase, side: Side, site: string): CycleFailure {
  const inner = cause(error);
  const silent = silence(inner);
  if (silent !== null)
    return {
      outcome: side === 'source' ? 'source-unreachable' : 'target-unreachable',
      error: {
        code: 'worker-silent',
        tried: `asking the ${side} site ${site} to ${phase}`,
        found: silent,
        action: `Start the worker there: srdf worker ${side}`,
      },
    };
  const report = reportOf(error);
  if (report === null) throw error;
  if (SOURCE_AWAY.has(report.code)) return { outcome: 'source-unreachable', error: report };
  if (TARGET_AWAY.has(report.code)) return { outcome: 'target-unreachable', error: report };
  if (phase === 'apply' && isPoison(report.code)) return { outcome: 'dead-lettered', error: report };
  return { outcome: 'halted', error: report };
}
