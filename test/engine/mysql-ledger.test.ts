import { describe, expect, it } from 'vitest';
import type { Ledger, LedgerPhase, WagonPlace } from '../../activities/engines/engine.js';
import { catchingUp, type Decision, decide, emptyLedger, ledgerAfter } from '../../activities/engines/mysql/ledger.js';
import {
  type BootstrapId,
  type Epoch,
  NO_WAGON,
  type Position,
  type Sequence,
  type StreamName,
  type WagonHash,
} from '../../activities/vocabulary.js';

const STREAM = 'shop' as StreamName;
const hash = (n: number): WagonHash => (n === 0 ? NO_WAGON : (String(n).padStart(64, 'a') as WagonHash));
const at = (n: number): Position => `p${n}` as Position;
const ledger = (sequence: number, change: Partial<Ledger> = {}): Ledger => ({
  ...emptyLedger(STREAM, 'b' as BootstrapId, 3 as Epoch, 1),
  phase: 'consistent',
  sequence: sequence as Sequence,
  wagonHash: hash(sequence),
  position: at(sequence),
  ...change,
});
const place = (sequence: number, change: Partial<WagonPlace> = {}): WagonPlace => ({
  stream: STREAM,
  epoch: 3 as Epoch,
  sequence: sequence as Sequence,
  previousHash: hash(sequence - 1),
  hash: hash(sequence),
  positionFrom: at(sequence - 1),
  positionTo: at(sequence),
  train: { index: 0, last: true },
  ...change,
});
/** Wagons `from` to `to` as one transaction: only the last moves the position. */
const train = (from: number, to: number): WagonPlace[] =>
  Array.from({ length: to - from + 1 }, (_, i) =>
    place(from + i, {
      positionFrom: at(from - 1),
      positionTo: i === to - from ? at(to) : at(from - 1),
      train: { index: i, last: i === to - from },
    }),
  );
const word = (decision: Decision): string => (decision.do === 'refuse' ? decision.code : decision.do);

describe('decide', () => {
  it('lets exactly the next wagon pass, for every ledger and wagon', () => {
    for (let applied = 0; applied <= 4; applied++)
      for (let sequence = 1; sequence <= 6; sequence++)
        for (const epoch of [2, 3, 4])
          for (const itsHash of ['own', 'other'])
            for (const previous of ['own', 'other'])
              for (const from of ['own', 'other']) {
                const wagon = place(sequence, {
                  epoch: epoch as Epoch,
                  hash: itsHash === 'own' ? hash(sequence) : hash(90 + sequence),
                  previousHash: previous === 'own' ? hash(sequence - 1) : hash(80),
                  positionFrom: from === 'own' ? at(sequence - 1) : at(70),
                });
                const expected =
                  epoch !== 3
                    ? 'wagon-epoch'
                    : sequence === applied
                      ? itsHash === 'own'
                        ? 'nothing'
                        : 'wagon-fork'
                      : sequence < applied
                        ? 'nothing'
                        : sequence === applied + 1 && previous === 'own' && from === 'own'
                          ? 'apply'
                          : 'wagon-gap';
                expect(word(decide(ledger(applied), [wagon]))).toBe(expected);
              }
  });

  it('applies a train whole or not at all', () => {
    for (let applied = 0; applied <= 5; applied++) {
      const expected = applied === 0 ? 'wagon-gap' : applied === 1 ? 'apply' : applied < 4 ? 'wagon-gap' : 'nothing';
      expect(word(decide(ledger(applied), train(2, 4)))).toBe(expected);
    }
    const [a, b, c] = train(2, 4) as [WagonPlace, WagonPlace, WagonPlace];
    expect(word(decide(ledger(1), [a, c]))).toBe('wagon-gap');
    expect(word(decide(ledger(1), [b, a, c]))).toBe('wagon-gap');
    expect(word(decide(ledger(1), [a, { ...b, previousHash: hash(77) }, c]))).toBe('wagon-gap');
    expect(word(decide(ledger(1), [a, { ...b, epoch: 4 as Epoch }, c]))).toBe('wagon-gap');
    expect(word(decide(ledger(1), [{ ...a, positionTo: at(2) }, b, c]))).toBe('wagon-gap');
    expect(word(decide(ledger(4), [a, b, { ...c, hash: hash(66) }]))).toBe('wagon-fork');
    expect(word(decide(ledger(1), []))).toBe('wagon-malformed');
  });

  it('takes no train that begins again behind cars of its own, nor one that ends before its end', () => {
    const [a, b, c, d] = train(2, 5) as [WagonPlace, WagonPlace, WagonPlace, WagonPlace];
    const as = (place: WagonPlace, index: number, last = false): WagonPlace => ({ ...place, train: { index, last } });
    expect(word(decide(ledger(1), [a, b, as(c, 0), as(d, 1, true)]))).toBe('wagon-gap');
    expect(word(decide(ledger(1), [a, as(b, 1, true), c, d]))).toBe('wagon-gap');
    expect(word(decide(ledger(1), [a, b, c]))).toBe('wagon-gap');
    expect(word(decide(ledger(1), [as(place(2), 1, true)]))).toBe('wagon-gap');
    expect(word(decide(ledger(1), [a, b, c, d]))).toBe('apply');
  });

  it('takes nothing without a ledger, before it is loaded, or of another stream', () => {
    expect(word(decide(null, [place(1)]))).toBe('ledger-missing');
    expect(word(decide(ledger(0, { phase: 'loading', position: null }), [place(1)]))).toBe('bootstrap-unsettled');
    expect(word(decide(ledger(0, { position: null }), [place(1)]))).toBe('bootstrap-unsettled');
    expect(word(decide(ledger(0), [place(1, { stream: 'other' as StreamName })]))).toBe('wagon-destination');
    expect(word(decide(ledger(0, { phase: 'catching-up' }), [place(1)]))).toBe('apply');
  });

  it('lets only the statement that was begun go on', () => {
    const begun = ledger(1, { intent: { sequence: 2 as Sequence, wagonHash: hash(2), fingerprint: 'f' } });
    expect(word(decide(begun, [place(2)]))).toBe('apply');
    expect(word(decide(begun, [place(2, { hash: hash(99) })]))).toBe('wagon-fork');
  });

  it('says what was found and what to do, without a full hash', () => {
    const decision = decide(ledger(4), [place(4, { hash: hash(99) })]);
    expect(decision).toMatchObject({
      do: 'refuse',
      found: expect.stringContaining('wagon 4'),
      action: expect.stringContaining('srdf status'),
    });
    expect(JSON.stringify(decision)).not.toContain(hash(4));
  });
});

describe('the ledger’s moves', () => {
  it.each<[LedgerPhase, boolean, LedgerPhase]>([
    ['catching-up', false, 'catching-up'],
    ['catching-up', true, 'consistent'],
    ['consistent', true, 'consistent'],
    ['consistent', false, 'consistent'],
  ])('%s, passed %s: %s', (phase, passed, expected) => {
    const after = ledgerAfter(
      ledger(1, { phase, intent: { sequence: 2 as Sequence, wagonHash: hash(2), fingerprint: 'f' } }),
      place(2),
      passed,
      9,
    );
    expect(after).toMatchObject({ phase: expected, sequence: 2, wagonHash: hash(2), position: at(2), intent: null, updatedAt: 9 });
  });

  it('is consistent at once when nothing happened while it was loaded', () => {
    const loading = emptyLedger(STREAM, 'b' as BootstrapId, 1 as Epoch, 1);
    expect(catchingUp(loading, at(1), at(1), 2)).toMatchObject({ phase: 'consistent', position: at(1) });
    expect(catchingUp(loading, at(1), at(2), 2)).toMatchObject({ phase: 'catching-up', position: at(1), consistentFrom: at(2) });
  });
});
