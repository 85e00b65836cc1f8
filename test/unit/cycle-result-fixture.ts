/** A cycle that has replicated nothing in particular, for what is told of cycles. */
import type { CycleResult } from '../../workflows/cycle-result.js';

export const TIMES = { total: 1, read: 0, compact: 0, seal: 0, ship: 0, open: 0, apply: 0, confirm: 0 };
export const cycleResult = (changes: Partial<CycleResult>): CycleResult => ({
  outcome: 'replicated',
  positions: { from: null, to: null },
  ledger: null,
  counts: {
    transactions: 0,
    captured: 0,
    carried: 0,
    applied: 0,
    rows: { inserted: 0, updated: 0, deleted: 0 },
    confirmed: { transactions: 0, captured: 0, carried: 0, logBytes: 0 },
    wagons: { captured: 0, received: 0, applied: 0, confirmed: 0 },
  },
  bytes: { log: 0, raw: 0, wire: 0, sent: 0 },
  lagMilliseconds: [],
  milliseconds: TIMES,
  caughtUp: true,
  error: null,
  deadLetter: null,
  ...changes,
});
