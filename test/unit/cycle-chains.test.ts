import { describe, expect, it } from 'vitest';
import type { CutFrom, WagonRef } from '../../activities/contracts.js';
import { firstTrains, trainsAfter } from '../../activities/cycle/inbox-chain.js';
import { chainAfter, type SpooledWagon } from '../../activities/cycle/spool-chain.js';
import { type Epoch, NO_WAGON, type Position, type Sequence, type StreamName, type WagonHash } from '../../activities/vocabulary.js';

const hash = (sequence: number) => (sequence === 0 ? NO_WAGON : (String(sequence).padStart(64, 'a') as WagonHash));
const position = (sequence: number) => `p${sequence}` as Position;
const ledgerAt = (sequence: number, epoch = 1): CutFrom => ({
  epoch: epoch as Epoch,
  sequence: sequence as Sequence,
  wagonHash: hash(sequence),
  position: position(sequence),
});
const ref = (sequence: number, more: Partial<WagonRef> = {}): WagonRef => ({
  stream: 'shop' as StreamName,
  kind: 'changes',
  epoch: 1 as Epoch,
  sequence: sequence as Sequence,
  hash: hash(sequence),
  bytes: 10,
  positionTo: position(sequence),
  train: { index: 0, last: true },
  ...more,
});
const spooled = (sequence: number, more: Partial<SpooledWagon> & { readonly ref?: WagonRef } = {}): SpooledWagon => ({
  ref: ref(sequence),
  previousHash: hash(sequence - 1),
  positionFrom: position(sequence - 1),
  ...more,
});
const sequences = (wagons: readonly WagonRef[]) => wagons.map((wagon) => wagon.sequence);

describe('what a spool offers after a ledger', () => {
  it('is what follows it; what it has passed is to be confirmed', () => {
    const chain = chainAfter(
      ledgerAt(2),
      [4, 1, 2, 3].map((sequence) => spooled(sequence)),
    );
    expect(sequences(chain.passed)).toEqual([1, 2]);
    expect(sequences(chain.offered)).toEqual([3, 4]);
    expect(chain.torn).toEqual([]);
  });
  it('is nothing of an empty spool', () => {
    expect(chainAfter(ledgerAt(7), [])).toEqual({ offered: [], passed: [], torn: [], lost: null });
  });
  it('leaves out the beginning of a train whose rest was never cut', () => {
    const car = (sequence: number, index: number) =>
      spooled(sequence, { ref: ref(sequence, { train: { index, last: false }, positionTo: position(1) }), positionFrom: position(1) });
    const chain = chainAfter(ledgerAt(0), [spooled(1), car(2, 0), car(3, 1)]);
    expect(sequences(chain.offered)).toEqual([1]);
    expect(sequences(chain.torn)).toEqual([2, 3]);
  });
  it('goes on in the middle of a train that is whole', () => {
    const car = (sequence: number, index: number, last: boolean) =>
      spooled(sequence, {
        ref: ref(sequence, { train: { index, last }, positionTo: last ? position(9) : position(0) }),
        positionFrom: position(0),
      });
    const after = { ...ledgerAt(1), position: position(0) };
    const chain = chainAfter(after, [car(1, 0, false), car(2, 1, false), car(3, 2, true)]);
    expect(sequences(chain.offered)).toEqual([2, 3]);
  });
  it('is cut again from a wagon on that is missing between', () => {
    const chain = chainAfter(
      ledgerAt(1),
      [2, 4, 5].map((sequence) => spooled(sequence)),
    );
    expect(sequences(chain.offered)).toEqual([2]);
    expect(sequences(chain.torn)).toEqual([4, 5]);
    expect(chain.lost).toBe(3);
  });
  it('asks for a missing wagon behind the ledger: it was lost, or the ledger has gone back', () => {
    expect(chainAfter(ledgerAt(1), [spooled(5)])).toMatchObject({ offered: [], lost: 2 });
  });
  it('ignores a past epoch', () => {
    const old = spooled(9, { ref: ref(9, { epoch: 1 as Epoch }) });
    expect(chainAfter(ledgerAt(0, 2), [old])).toEqual({ offered: [], passed: [], torn: [], lost: null });
  });
  it.each([
    ['the ledger has applied another wagon of that number', { ...ledgerAt(2), wagonHash: hash(77) }, [spooled(2), spooled(3)]],
    ['a wagon follows another one', ledgerAt(1), [spooled(2, { previousHash: hash(77) })]],
    ['a wagon begins elsewhere in the log', ledgerAt(1), [spooled(2, { positionFrom: position(77) })]],
    ['it holds wagons of a later epoch', ledgerAt(1), [spooled(2, { ref: ref(2, { epoch: 2 as Epoch }) })]],
  ])('is refused when %s', (_why, after, spool) => {
    expect(() => chainAfter(after, spool)).toThrow(expect.objectContaining({ code: 'spool-inconsistent' }));
  });
});

describe('what of an inbox follows a ledger', () => {
  const train = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ref(from + index, { train: { index, last: index === count - 1 } }));

  it('is without a gap, and whole trains alone', () => {
    const inbox = [ref(1), ref(2), ...train(3, 3), ref(7), ref(8)];
    expect(trainsAfter(ledgerAt(1), inbox).map(sequences)).toEqual([[2], [3, 4, 5]]);
    expect(trainsAfter(ledgerAt(6), inbox).map(sequences)).toEqual([[7], [8]]);
    expect(trainsAfter(ledgerAt(0), train(1, 3).slice(0, 2))).toEqual([]);
  });
  it('is never of another epoch', () => {
    expect(trainsAfter(ledgerAt(0, 2), [ref(1)])).toEqual([]);
  });
  it('is cut between trains, and never before the first', () => {
    const trains = [train(1, 5), train(6, 1), train(7, 9)];
    expect(firstTrains(trains, 8)).toHaveLength(6);
    expect(firstTrains(trains, 2)).toHaveLength(5);
    expect(firstTrains([], 2)).toEqual([]);
  });
});
