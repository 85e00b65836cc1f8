/** How often activities are tried again. Which errors are final comes from the error catalogue alone. Pure. */
import type { RetryPolicy } from '@temporalio/common';
import { ERRORS, type ErrorCode } from './error-catalogue.js';

/** Types of `ApplicationFailure` that no retry helps: what the catalogue says. */
export const NON_RETRYABLE_TYPES: readonly ErrorCode[] = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => !ERRORS[code].retry);

/**
 * A cycle gives up after a few attempts and ends with a typed outcome: the schedule brings the next one,
 * and an operator sees a short run that says what is wrong instead of a long one that hangs.
 */
export const CYCLE_RETRY: RetryPolicy = {
  initialInterval: '500ms',
  backoffCoefficient: 2,
  maximumInterval: '5s',
  maximumAttempts: 5,
  nonRetryableErrorTypes: [...NON_RETRYABLE_TYPES],
};

/** A bootstrap lives for hours and is costly to begin again: it outlasts a server's restart. */
export const BOOTSTRAP_RETRY: RetryPolicy = {
  initialInterval: '1s',
  backoffCoefficient: 2,
  maximumInterval: '30s',
  maximumAttempts: 60,
  nonRetryableErrorTypes: [...NON_RETRYABLE_TYPES],
};

/** Questions an operator waits for. */
export const QUESTION_RETRY: RetryPolicy = {
  initialInterval: '500ms',
  backoffCoefficient: 2,
  maximumInterval: '5s',
  maximumAttempts: 3,
  nonRetryableErrorTypes: [...NON_RETRYABLE_TYPES],
};
