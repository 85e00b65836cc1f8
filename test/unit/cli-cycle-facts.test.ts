/** Which cycles tell a stream's state, and what they prove: from results alone, without Temporal. */
import { ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import type { ErrorReport, LedgerView } from '../../activities/contracts.js';
import { type BootstrapId, type Epoch, NO_WAGON, type Position, type Sequence } from '../../activities/vocabulary.js';
import { appliedThrough, cycleFailure, newestCycle, proofOf } from '../../client/cycle-facts.js';
import type { CycleResult } from '../../workflows/cycle-result.js';
import { cycleResult, TIMES } from './cycle-result-fixture.js';

const NOW = Date.UTC(2027, 0, 1);
const error = (code: string, action: string): ErrorReport => ({ code, tried: 'trying', found: 'trouble', action });
const LEDGER: LedgerView = {
  phase: 'consistent',
  epoch: 1 as Epoch,
  sequence: 41 as Sequence,
  wagonHash: NO_WAGON,
  position: 'p' as Position,
  consistentFrom: null,
  bootstrap: 'b' as BootstrapId,
};
const cycle = (changes: Partial<CycleResult>): CycleResult => cycleResult({ ledger: LEDGER, ...changes });

describe('what a cycle still proves of the target', () => {
  const at = (sequence: number, through: number | null, changes: Partial<LedgerView> = {}) => ({
    through,
    ledger: { ...LEDGER, sequence: sequence as Sequence, ...changes },
  });

  it('counts for the ledger where it was and further on', () => {
    expect(appliedThrough([at(41, 100)], LEDGER)).toBe(100);
    expect(appliedThrough([at(40, null), at(39, 90)], LEDGER)).toBe(90);
    expect(appliedThrough([], LEDGER)).toBeNull();
    expect(appliedThrough([at(41, 100)], null)).toBeNull();
  });

  it('not for a target that was restored to a time before it, or copied anew', () => {
    expect(appliedThrough([at(42, 100), at(40, 50)], LEDGER)).toBe(50);
    expect(appliedThrough([at(41, 100, { bootstrap: 'a' as BootstrapId })], LEDGER)).toBeNull();
    expect(appliedThrough([at(41, 100, { epoch: 2 as Epoch })], LEDGER)).toBeNull();
    expect(appliedThrough([{ through: 100, ledger: null }], LEDGER)).toBeNull();
  });

  it('nor once a restored target has passed that wagon’s number again', () => {
    expect(appliedThrough([at(30, null), at(40, 100)], LEDGER)).toBeNull();
  });

  it('is nothing unless it went well and came to the end of the log', () => {
    const through = (changes: Partial<CycleResult>) => proofOf(cycle(changes), 7).through;
    expect(through({})).toBe(7);
    expect(through({ outcome: 'idle' })).toBe(7);
    expect(through({ caughtUp: false })).toBeNull();
    expect(through({ outcome: 'suspended' })).toBeNull();
    expect(through({ error: error('x', 'y') })).toBeNull();
  });
});

describe('the cycle that tells the state of a continuous stream', () => {
  const away = {
    result: cycle({ outcome: 'source-unreachable', error: error('source-unreachable', 'x') }),
    started: NOW - 9,
    ended: NOW - 1,
  };
  const live = (outcome: CycleResult['outcome'], appliedThrough: number | null) => ({
    continuous: true,
    result: cycle({ outcome, milliseconds: { ...TIMES, total: 40 } }),
    appliedThrough,
  });

  it('is the one that runs, once it has come to the end of the log or has moved something', () => {
    const { result } = live('idle', 5);
    expect(newestCycle(live('idle', 5), away, NOW)).toEqual({ result, started: NOW - 40, ended: NOW });
    expect(newestCycle(live('replicated', null), away, NOW)).toMatchObject({ result: { outcome: 'replicated' }, ended: NOW });
  });

  it('is the one before while the one that runs has nothing to say', () => {
    expect(newestCycle(live('idle', null), away, NOW)).toBe(away);
    expect(newestCycle(null, away, NOW)).toBe(away);
    expect(newestCycle(live('idle', null), null, NOW)).toBeNull();
  });
});

describe('a cycle without a result', () => {
  it('tells how it ended', () => {
    const catalogued = ApplicationFailure.create({
      type: 'spool-full',
      details: [error('spool-full', 'Make room')],
    });
    expect(cycleFailure(catalogued, 'shop')).toEqual(error('spool-full', 'Make room'));
    expect(cycleFailure(new CancelledFailure('cancelled'), 'shop')).toMatchObject({ code: 'stream-halted', found: 'it was cancelled' });
    expect(cycleFailure(new TimeoutFailure('late', undefined, 'START_TO_CLOSE'), 'shop')).toMatchObject({ code: 'worker-silent' });
    expect(cycleFailure(ApplicationFailure.create({ message: 'a bug' }), 'shop')).toMatchObject({ code: 'unexpected', found: 'a bug' });
    expect(cycleFailure(undefined, 'shop')).toMatchObject({ code: 'unexpected', action: expect.stringContaining('srdf cycle shop') });
  });
});
