/**
 * An error as a log may hold it. A database's error quotes key values in its message, and the driver's carries the whole statement with its
 * rows: what isn't known to be free of data is told by its class, its numbers and where it was thrown. Pure.
 */
import { SrdfError } from '../temporal/error-catalogue.js';

export interface ErrorForLog {
  readonly type: string;
  readonly code?: string;
  /** A server's or the operating system's number of the error. */
  readonly errno?: number;
  readonly sqlState?: string;
  readonly message?: string;
  readonly tried?: string;
  readonly found?: string;
  readonly action?: string;
  /** Where, without the message. */
  readonly stack?: string;
  readonly cause?: ErrorForLog;
}

/** Deep enough for every chain of ours, and an end to one that bites its own tail. */
const CAUSES = 5;

export function errorForLog(error: unknown, depth = CAUSES): ErrorForLog {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code, errno, sqlState, cause } = error as Error & { code?: unknown; errno?: unknown; sqlState?: unknown };
  const stack = framesOf(error);
  return {
    type: error.constructor.name,
    ...(typeof code === 'string' || typeof code === 'number' ? { code: String(code).slice(0, 100) } : {}),
    ...(typeof errno === 'number' ? { errno } : {}),
    ...(typeof sqlState === 'string' ? { sqlState: sqlState.slice(0, 5) } : {}),
    ...wordsOf(error),
    ...(stack === '' ? {} : { stack }),
    ...(cause === undefined || cause === null || depth === 0 ? {} : { cause: errorForLog(cause, depth - 1) }),
  };
}

function wordsOf(error: Error): Pick<ErrorForLog, 'message' | 'tried' | 'found' | 'action'> {
  if (error instanceof SrdfError) {
    const { tried, found, action } = error.facts;
    return { tried, found, action };
  }
  return isFreeOfData(error) ? { message: error.message.slice(0, 2_000) } : {};
}

/** Errors of the operating system, of TLS and of Temporal: they speak of files, sockets and addresses. A server's number begins at 1000. */
function isFreeOfData(error: Error): boolean {
  const { syscall, errno, sqlState, sql } = error as { syscall?: unknown; errno?: unknown; sqlState?: unknown; sql?: unknown };
  if (sqlState !== undefined || sql !== undefined || (typeof errno === 'number' && errno >= 1_000)) return false;
  return (
    typeof syscall === 'string' ||
    /^(TransportError|ServiceError|IllegalStateError|ConnectionFailed|WorkflowExecutionAlreadyStartedError)$/.test(error.constructor.name)
  );
}

/** The frames alone: a stack begins with the message, of however many lines, and of whatever form. */
function framesOf({ stack = '', message }: Error): string {
  const at = stack.indexOf(message);
  return (at < 0 ? stack : stack.slice(at + message.length))
    .split('\n')
    .filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line))
    .slice(0, 12)
    .join('\n');
}
