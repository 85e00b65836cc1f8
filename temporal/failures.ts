/** Errors on their way through Temporal: cast once, at the activity's edge, so that nothing but the catalogue's facts gets out. */
import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { ErrorReport } from '../activities/contracts.js';
import { ERRORS, type ErrorCode, SrdfError } from './error-catalogue.js';

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);

/** ms to wait before a busy counterpart is asked again; the retry policy's own interval otherwise. */
const BUSY_DELAY: Partial<Record<ErrorCode, number>> = {
  'receiver-busy': 2_000,
  'target-busy': 1_000,
  'spool-full': 5_000,
  'inbox-full': 5_000,
};

/** What may be told of an error of another kind: its class, its code and where; never its message, which may quote a row. */
function unexpected(error: unknown): SrdfError {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT'))
    return new SrdfError('disk-full', {
      tried: 'writing to the state folder of this site',
      found: 'its disk is full',
      action: 'Make room on it; it is tried again by itself',
      cause: error,
    });
  const name = error instanceof Error ? error.constructor.name : typeof error;
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' && /^[A-Z0-9_]{1,60}$/.test(error.code)
      ? ` ${error.code}`
      : '';
  const where =
    error instanceof Error
      ? (error.stack ?? '')
          .split('\n')
          .map((line) => /^\s+at (?:.*[/\\])?([\w.-]+:\d+):\d+\)?$/.exec(line)?.[1])
          .filter((it) => it !== undefined)
          .slice(0, 3)
          .join(' < ')
      : '';
  return new SrdfError('unexpected', {
    tried: 'running an activity',
    found: `${name}${code}${where === '' ? '' : ` at ${where}`}`,
    action: "Read the worker's log, which says where it came from, and report it",
    cause: error,
  });
}

export const toErrorReport = (error: unknown): ErrorReport => {
  const known = error instanceof SrdfError ? error : unexpected(error);
  return { code: known.code, tried: known.facts.tried, found: known.facts.found, action: known.facts.action };
};

/** ms the other side has asked to be left alone (its Retry-After), at most a minute: a cycle doesn't wait longer. */
const askedDelay = (error: unknown): number | null =>
  error instanceof SrdfError && 'retryAfterMilliseconds' in error && typeof error.retryAfterMilliseconds === 'number'
    ? Math.min(error.retryAfterMilliseconds, 60_000)
    : null;

/**
 * `SrdfError` → `ApplicationFailure`: type = code, retryable as the catalogue says, details = the report.
 * Temporal's own failures (cancellation above all) pass unchanged. Causes stay behind: they may hold row data.
 */
export function toFailure(error: unknown, cancelled = false): TemporalFailure {
  if (error instanceof TemporalFailure) return error;
  // Whatever a cancelled call ends with is the cancellation; without one, an aborted call is a failure like any other.
  if (cancelled) return new CancelledFailure('cancelled');
  const report = toErrorReport(error);
  const code = isErrorCode(report.code) ? report.code : 'unexpected';
  const delay = askedDelay(error) ?? BUSY_DELAY[code];
  return ApplicationFailure.create({
    type: code,
    message: `${report.tried}: ${report.found}. ${report.action}`,
    nonRetryable: !ERRORS[code].retry,
    details: [report],
    ...(delay === undefined ? {} : { nextRetryDelay: delay }),
  });
}

/** Casts every error of every activity; the worker's log gets it with its causes. */
export const failureInterceptor =
  (log: { error(facts: object, message: string): void }): ActivityInterceptorsFactory =>
  (context) => ({
    inbound: {
      async execute(input, next) {
        try {
          return await next(input);
        } catch (error) {
          const failure = toFailure(error, context.cancellationSignal.aborted);
          if (!(failure instanceof CancelledFailure)) {
            const { activityType, attempt, workflowExecution } = context.info;
            log.error({ err: error, activity: activityType, attempt, workflow: workflowExecution?.workflowId }, 'activity failed');
          }
          throw failure;
        }
      },
    },
  });
