import { describe, expect, it } from 'vitest';
import type { DeadLetterReport, ErrorReport, LedgerResult } from '../../activities/contracts.js';
import type { Epoch, Position, Sequence, WagonHash } from '../../activities/vocabulary.js';
import { deriveStatus, type StreamFacts } from '../../client/derive-status.js';
import { renderStatus } from '../../client/rendering/status.js';
import type { CycleResult } from '../../workflows/cycle-result.js';

const none = { wagons: 0, transactions: 0, changes: 0, carried: 0, logBytes: 0, wireBytes: 0 };
const states = { captured: none, received: none, applied: none, confirmed: none };
const NOW = Date.UTC(2027, 0, 1);
const error = (code: string, action: string): ErrorReport => ({ code, tried: 'trying', found: 'trouble', action });
const wagon = (sequence: number) => ({
  stream: 'shop' as LedgerResult['inbox'][number]['stream'],
  kind: 'changes' as const,
  epoch: 1 as Epoch,
  sequence: sequence as Sequence,
  hash: 'a'.repeat(64) as WagonHash,
  bytes: 10,
  positionTo: 'p' as Position,
  train: { index: 0, last: true },
});
const ledger = (changes: Partial<LedgerResult> & { phase?: LedgerResult['ledger']['phase'] } = {}): LedgerResult => ({
  ledger: {
    phase: changes.phase ?? 'consistent',
    epoch: 1 as Epoch,
    sequence: 41 as Sequence,
    wagonHash: 'b'.repeat(64) as WagonHash,
    position: 'server=1;file=binlog.000002;offset=99' as Position,
    consistentFrom: null,
    bootstrap: null,
  },
  inbox: [],
  deadLetter: null,
  mode: 'active',
  boundaries: [],
  ...changes,
});
const cycle = (changes: Partial<CycleResult>): CycleResult => ({
  outcome: 'replicated',
  positions: { from: null, to: 'p' as Position },
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
  milliseconds: { total: 1, read: 0, compact: 0, seal: 0, ship: 0, open: 0, apply: 0, confirm: 0 },
  caughtUp: true,
  error: null,
  deadLetter: null,
  ...changes,
});
const facts = (changes: Partial<StreamFacts> = {}): StreamFacts => ({
  stream: 'shop',
  now: NOW,
  every: 30_000,
  schedule: { paused: false, note: null, next: NOW + 1_000 },
  running: false,
  lastCycle: { result: cycle({}), started: NOW - 5_000, ended: NOW - 4_000 },
  lastCaughtUp: NOW - 5_000,
  target: { ledger: ledger() },
  source: { spool: { wagons: 0, bytes: 0, maxBytes: 1_000, logEnd: null, states } },
  bootstrap: { running: false, error: null, progress: null },
  ...changes,
});
const shown = (it: StreamFacts): string => renderStatus([deriveStatus(it)], NOW, undefined);

describe('the state of a stream, derived from facts', () => {
  it('has nothing to say to the operator when all is well', () => {
    const status = deriveStatus(facts());
    expect(status).toMatchObject({ phase: 'consistent', mode: 'active', lagSeconds: 5, next: null });
    expect(shown(facts())).toMatch(/lag +at most 5\.0 s/);
  });

  it('counts the lag from the begin of the last cycle that saw the end of the log, not from the last cycle', () => {
    const failed = {
      result: cycle({ outcome: 'source-unreachable', caughtUp: false, error: error('source-unreachable', 'plug it in') }),
      started: NOW - 2_000,
      ended: NOW,
    };
    const status = deriveStatus(facts({ lastCycle: failed, lastCaughtUp: NOW - 95_000 }));
    expect(status.lagSeconds).toBe(95);
    expect(status.next).toBe('plug it in');
    expect(deriveStatus(facts({ lastCaughtUp: null })).lagSeconds).toBeNull();
  });

  const dead: DeadLetterReport = {
    epoch: 1 as Epoch,
    sequence: 42 as Sequence,
    hash: 'c'.repeat(64) as WagonHash,
    error: error('target-divergence', 'Compare row 7'),
    since: NOW - 60_000,
  };
  it('a dead letter comes first: what stands, why, and the step that ends it', () => {
    const text = shown(facts({ target: { ledger: ledger({ deadLetter: dead, mode: 'suspended' }) } }));
    expect(text).toMatch(/dead letter +wagon 42, for 1 min 00 s: trying: trouble \(target-divergence\)/);
    expect(text).toMatch(/do +Compare row 7\. Then: srdf dead-letters retry shop/);
  });

  const phases: readonly (readonly [what: string, changes: Partial<StreamFacts>, phase: string, next: RegExp | null])[] = [
    [
      'never established',
      { schedule: null, bootstrap: null, lastCycle: null, target: { ledger: ledger({ phase: 'absent' }) } },
      'not-established',
      /srdf establish shop/,
    ],
    [
      'bootstrap runs',
      { target: { ledger: ledger({ phase: 'loading' }) }, bootstrap: { running: true, error: null, progress: null }, schedule: null },
      'bootstrapping',
      null,
    ],
    [
      'bootstrap catches up',
      { target: { ledger: ledger({ phase: 'catching-up' }) }, bootstrap: { running: true, error: null, progress: null }, schedule: null },
      'catching-up',
      null,
    ],
    [
      'bootstrap failed',
      {
        target: { ledger: ledger({ phase: 'loading' }) },
        bootstrap: { running: false, error: error('target-preflight', 'GRANT it'), progress: null },
      },
      'bootstrap-failed',
      /GRANT it.*srdf establish shop/,
    ],
    [
      'bootstrap was lost',
      { target: { ledger: ledger({ phase: 'loading' }) }, bootstrap: null },
      'bootstrap-failed',
      /srdf establish shop/,
    ],
    ['the target is silent', { target: { error: error('worker-silent', 'Start the worker') } }, 'unknown', /Start the worker/],
    ['the source is silent', { source: { error: error('worker-silent', 'Start the worker') } }, 'consistent', /Start the worker/],
    ['suspended', { target: { ledger: ledger({ mode: 'suspended' }) } }, 'consistent', /srdf resume shop/],
    ['the schedule is paused', { schedule: { paused: true, note: 'holiday', next: null } }, 'consistent', /holiday.*srdf resume shop/],
    ['the schedule is gone', { schedule: null }, 'consistent', /srdf resume shop/],
  ];
  it.each(phases)('%s', (_what, changes, phase, next) => {
    const status = deriveStatus(facts(changes));
    expect(status.phase).toBe(phase);
    if (next === null) expect(status.next).toBeNull();
    else expect(status.next).toMatch(next);
    if (status.next !== null) expect(shown(facts(changes))).toContain(status.next);
  });

  it('tells wagons by how far they have come, and what is unknown where a site is silent', () => {
    const spool = { wagons: 3, bytes: 900, maxBytes: 1_000, logEnd: null, states };
    expect(deriveStatus(facts({ target: { ledger: ledger({ inbox: [wagon(42), wagon(43)] }) }, source: { spool } })).wagons).toEqual({
      waiting: 3,
      received: 43,
      applied: 41,
    });
    const silent = shown(facts({ target: { error: error('worker-silent', 'x') }, source: { spool } }));
    expect(silent).toContain('applied to ?, received to ?, 3 in the spool');
  });
});
