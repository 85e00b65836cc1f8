/** Errors as they come back through Temporal, turned into the catalogue's again. Touches nothing. */
import { ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common';
import type { ErrorReport } from '../activities/contracts.js';
import { ERRORS, type ErrorCode, SrdfError } from '../temporal/error-catalogue.js';

/** gRPC status codes: https://grpc.io/docs/guides/status-codes/ */
const DEADLINE_EXCEEDED = 4;
const UNAVAILABLE = 14;

const isErrorCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(ERRORS, code);

/** What an operator is told of any error; one the catalogue doesn't know is given back as it is. */
export function operatorError(error: unknown): unknown {
  for (let it: unknown = error; it instanceof Error; it = it.cause) {
    if (it instanceof SrdfError) return it;
    const known = it instanceof ApplicationFailure ? fromFailure(it) : undefined;
    if (known) return known;
    if (it instanceof TimeoutFailure) {
      return new SrdfError('worker-silent', {
        tried: 'waiting for a worker to do the work',
        found: `nobody answered in time (${it.timeoutType})`,
        action: 'Start `srdf worker source` and `srdf worker target`, or read their logs if they run',
        cause: error,
      });
    }
    if (it instanceof CancelledFailure) {
      return new SrdfError('stream-halted', {
        tried: 'waiting for the work to end',
        found: 'it was cancelled',
        action: 'Start it again when it is wanted: what it did is kept',
        cause: error,
      });
    }
    if ('code' in it && (it.code === UNAVAILABLE || it.code === DEADLINE_EXCEEDED)) {
      return new SrdfError('temporal-unreachable', {
        tried: 'asking Temporal',
        found: it.message,
        action: 'Start the Temporal server, or correct temporal.address or TEMPORAL_ADDRESS',
        cause: error,
      });
    }
  }
  return error;
}

/** The report an activity or a workflow put into the failure's details. */
function fromFailure(failure: ApplicationFailure): SrdfError | undefined {
  if (!isErrorCode(failure.type)) return undefined;
  const report = failure.details?.[0];
  const text = (key: string): string | undefined => {
    const value = typeof report === 'object' && report !== null ? (report as Record<string, unknown>)[key] : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  return new SrdfError(failure.type, {
    tried: text('tried') ?? 'doing the work',
    found: text('found') ?? failure.message,
    action: text('action') ?? 'Read the log of the worker that did it',
    cause: failure,
  });
}

export const reportOf = ({ code, facts: { tried, found, action } }: SrdfError): ErrorReport => ({ code, tried, found, action });

/** A cycle's or a stream's error report as the catalogue's error. */
export function reportedError(report: ErrorReport): SrdfError {
  return new SrdfError(isErrorCode(report.code) ? report.code : 'unexpected', report);
}
