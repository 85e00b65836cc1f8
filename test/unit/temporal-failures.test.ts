import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode, SrdfError } from '../../temporal/error-catalogue.js';
import { toFailure } from '../../temporal/failures.js';
import { isPoison } from '../../temporal/poison.js';
import { NON_RETRYABLE_TYPES } from '../../temporal/retry-policies.js';

const facts = { tried: 'reading', found: 'nothing', action: 'Look' };
const codes = Object.keys(ERRORS) as ErrorCode[];

describe('an error on its way through Temporal', () => {
  it.each(codes)('%s keeps its code, facts and whether a retry helps', (code) => {
    const failure = toFailure(new SrdfError(code, { ...facts, cause: new Error('row: alice') }));
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type: code, nonRetryable: !ERRORS[code].retry, details: [{ code, ...facts }] });
    expect(failure.cause).toBeUndefined();
    expect(NON_RETRYABLE_TYPES.includes(code)).toBe(!ERRORS[code].retry);
  });
  it('of another kind tells its class and code, never its text', () => {
    const failure = toFailure(Object.assign(new TypeError("entry 'alice' is taken"), { code: 'ER_DUP_ENTRY' }));
    expect(failure).toMatchObject({ type: 'unexpected', nonRetryable: false });
    expect(JSON.stringify([failure.message, failure])).not.toContain('alice');
    expect(failure.message).toContain('TypeError ER_DUP_ENTRY');
  });
  it('that is no error at all is told as well', () => {
    expect(toFailure('alice')).toMatchObject({ type: 'unexpected' });
    expect(toFailure('alice').message).not.toContain('alice');
  });
  it('in a cancelled activity is the cancellation', () => {
    expect(toFailure(new Error('socket closed'), true)).toBeInstanceOf(CancelledFailure);
  });
  it('waits as long as a busy receiver has asked for', () => {
    const busy = Object.assign(new SrdfError('receiver-busy', facts), { retryAfterMilliseconds: 7_000 });
    expect(toFailure(busy)).toMatchObject({ nextRetryDelay: 7_000 });
    const greedy = Object.assign(new SrdfError('receiver-busy', facts), { retryAfterMilliseconds: 3_600_000 });
    expect(toFailure(greedy)).toMatchObject({ nextRetryDelay: 60_000 });
  });
});

describe('a dead letter', () => {
  it('is left by what is final and about the wagon', () => {
    for (const code of ['target-divergence', 'ddl-failed', 'wagon-signature', 'wagon-gap', 'wagon-fork', 'apply-failed'] as const)
      expect(isPoison(code), code).toBe(true);
  });
  it('is not left by what passes, by missing keys, or by what has no name', () => {
    for (const code of ['target-unreachable', 'apply-interrupted', 'key-missing', 'ledger-missing', 'unexpected', 'toString'])
      expect(isPoison(code), code).toBe(false);
  });
});
