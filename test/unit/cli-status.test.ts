import { TerminatedFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import type { DeadLetterReport, ErrorReport, LedgerResult } from '../../activities/contracts.js';
import type { Epoch, Position, Sequence, WagonHash } from '../../activities/vocabulary.js';
import { cycleFailure } from '../../client/cycle-facts.js';
import { deriveStatus, type StreamFacts } from '../../client/derive-status.js';
import { renderStatus } from '../../client/rendering/status.js';
import type { CycleResult } from '../../workflows/cycle-result.js';
import { cycleResult } from './cycle-result-fixture.js';

const none = { wagons: 0, transactions: 0, changes: 0, carried: 0, logBytes: 0, wireBytes: 0 };
const states = { captured: none, received: none, applied: none, confirmed: none };
const NOW = Date.UTC(2027, 0, 1);
const DAY = 24 * 3_600_000;
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
const cycle = (changes: Partial<CycleResult>): CycleResult => cycleResult({ positions: { from: null, to: 'p' as Position }, ...changes });
const facts = (changes: Partial<StreamFacts> = {}): StreamFacts => ({
  stream: 'shop',
  now: NOW,
  every: 30_000,
  schedule: { paused: false, note: null, next: NOW + 1_000, since: NOW - DAY },
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
    [
      'the schedule is paused',
      { schedule: { paused: true, note: 'holiday', next: null, since: NOW - DAY } },
      'consistent',
      /holiday.*srdf resume shop/,
    ],
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

  it('says that the source’s database is away, and what to do, whatever the cycles say', () => {
    const spool = { wagons: 0, bytes: 0, maxBytes: 1_000, logEnd: null, away: error('source-unreachable', 'Start it'), states };
    const status = deriveStatus(facts({ source: { spool } }));
    expect(status).toMatchObject({ unreachable: [{ site: 'source', why: { code: 'source-unreachable' } }], next: 'Start it', late: null });
    expect(status.wagons.waiting).toBe(0);
    expect(shown(facts({ source: { spool } }))).toMatch(/source +trying: trouble \(source-unreachable\)/);
  });

  it('shows a cycle that ended without a result, why, and what to do', () => {
    const lastCycle = { failure: cycleFailure(new TerminatedFailure('by hand'), 'shop'), started: NOW - 9_000, ended: NOW - 8_000 };
    const status = deriveStatus(facts({ lastCycle }));
    expect(status).toMatchObject({ lastCycle: { outcome: 'failed', ended: NOW - 8_000, why: { code: 'stream-halted' } } });
    expect(status.next).toContain('srdf cycle shop');
    expect(shown(facts({ lastCycle }))).toMatch(/last cycle +ended without a result, 8\.0 s ago\n +why +.*terminated: by hand/);
  });

  it('tells that wagons were left out, for as long as the copy lacks them', () => {
    const discarded = { wagons: 2, last: NOW - 3_600_000 };
    const status = deriveStatus(facts({ target: { ledger: ledger({ discarded }) } }));
    expect(status).toMatchObject({ discarded, next: null });
    expect(shown(facts({ target: { ledger: ledger({ discarded }) } }))).toMatch(/left out +2 wagons, by decision, the last 1 h 00 min ago/);
    expect(deriveStatus(facts()).discarded).toBeNull();
  });
});

describe('cycles that are overdue', () => {
  const ended = (ago: number, changes: Partial<CycleResult> = {}) => ({ result: cycle(changes), started: NOW - ago, ended: NOW - ago });
  const halted = { outcome: 'halted' as const, error: error('spool-full', 'Make room') };
  const of = (changes: Partial<StreamFacts>) => deriveStatus(facts(changes));

  it('are told once none has ended for several ticks, with what to do', () => {
    const late = of({ lastCycle: ended(3 * 3_600_000), lastCaughtUp: NOW - 3 * 3_600_000 });
    expect(late.late?.found).toMatch(/no cycle has ended for 3 h 00 min.*every 30\.0 s/);
    expect(late.next).toMatch(/srdf cycle shop.*srdf resume shop/);
    expect(shown(facts({ lastCycle: ended(3 * 3_600_000) }))).toMatch(/why +no cycle has ended/);
    expect(of({ lastCycle: null, lastCaughtUp: null }).late?.found).toContain('no cycle has ended');
    expect(of({ every: 'continuous', lastCycle: ended(DAY) }).late?.found).toContain('one is always to run');
  });

  it('are told as well when the last of them ended with an error, and none has come since', () => {
    const status = of({ lastCycle: ended(3_600_000, halted) });
    expect(status.late?.found).toContain('no cycle has ended for 1 h 00 min');
    expect(status.next).toContain('srdf resume shop');
  });

  it('are told when they run and never come to the end of the log', () => {
    const behind = { lastCycle: ended(1_000), lastCaughtUp: NOW - 600_000 };
    expect(of(behind).late?.found).toContain('cycles run, and none has come to the end of the log for 10 min 00 s');
    expect(of({ ...behind, running: true })).toMatchObject({ late: { found: expect.stringContaining('a cycle runs') } });
    expect(of({ ...behind, running: true }).next).toContain('srdf status shop --watch');
  });

  const explained: readonly (readonly [why: string, changes: Partial<StreamFacts>])[] = [
    ['few ticks have passed', { every: 3_600_000, lastCycle: ended(7_200_000), lastCaughtUp: NOW - 7_200_000 }],
    ['a minute and a half is nothing', { every: 1_000, lastCycle: ended(90_000), lastCaughtUp: NOW - 90_000 }],
    ['it was resumed a moment ago', { lastCycle: ended(DAY), schedule: { paused: false, note: null, next: null, since: NOW - 5_000 } }],
    ['it is suspended', { lastCycle: ended(DAY), target: { ledger: ledger({ mode: 'suspended' }) } }],
    ['it drains', { lastCycle: ended(DAY), target: { ledger: ledger({ mode: 'draining' }) } }],
    ['the schedule is gone', { lastCycle: ended(DAY), schedule: null }],
    ['a site is silent', { lastCycle: ended(DAY), source: { error: error('worker-silent', 'Start the worker') } }],
    ['the cycle’s error says it', { lastCycle: ended(1_000, halted), lastCaughtUp: NOW - DAY }],
    ['it was never established', { lastCycle: null, target: { ledger: ledger({ phase: 'absent' }) } }],
  ];
  it.each(explained)('are not while something else explains it: %s', (_why, changes) => expect(of(changes).late).toBeNull());
});
