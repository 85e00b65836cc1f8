import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { standaloneSequence } from '../../activities/bootstrap/wagon-sequence.js';
import { isPlan, planSequence } from '../../activities/compare/plan-body.js';
import { releaseLeftovers } from '../../activities/cycle/copy-leftovers.js';
import type { Ledger } from '../../activities/engines/engine.js';
import { emptyLedger } from '../../activities/engines/mysql/ledger.js';
import type { TargetSite } from '../../activities/site.js';
import { openInbox } from '../../activities/transport/inbox.js';
import type { BootstrapId, Epoch, Sequence } from '../../activities/vocabulary.js';
import { parseHeader } from '../../activities/wagon/header.js';
import { makeWagon, STREAM } from '../integration/transport-fixture.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'srdf-leftovers-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const loading = emptyLedger(STREAM, 'b' as BootstrapId, 1 as Epoch, 0);
const COPIED = [standaloneSequence('range', 'b', 'plan', 0, 0), 1 as Sequence, (2 ** 52 - 1) as Sequence];
const PLANS = [planSequence('run', 'plan'), planSequence('run', 'other'), (Number.MAX_SAFE_INTEGER - 1) as Sequence];

test.each<Ledger['phase']>(['catching-up', 'consistent'])(
  '%s: what the copy left is removed, wagons of the chain and plans stay',
  async (phase) => {
    const inbox = await openInbox({ directory, maxBytes: 2 ** 30, readHeader: parseHeader });
    const site = { inbox, log: pino({ level: 'silent' }) } as unknown as TargetSite;
    const put = async (...wagons: readonly ReturnType<typeof makeWagon>[]) => {
      for (const { address, bytes } of wagons) await inbox.put(address, bytes);
    };
    await put(...COPIED.map((it) => makeWagon(it, 500, 'range')), makeWagon(7, 500, 'schema'));
    await put(...PLANS.map((it) => makeWagon(it, 500, 'range')), makeWagon(1, 500), makeWagon(2, 500, 'ddl'));
    const all = await inbox.usage();
    await releaseLeftovers(site, loading);
    expect(await inbox.usage()).toEqual(all);
    await releaseLeftovers(site, { ...loading, phase });
    expect(await inbox.list(STREAM, 'schema')).toEqual([]);
    expect((await inbox.list(STREAM, 'range')).map((it) => it.sequence)).toEqual([...PLANS].sort((a, b) => a - b));
    expect((await inbox.list(STREAM, 'chain')).map((it) => it.kind)).toEqual(['changes', 'ddl']);
    expect((await inbox.usage()).bytes).toBeLessThan(all.bytes);
  },
);

test('no plan of a comparison has a number of a copy’s wagon', () => {
  for (let i = 0; i < 10_000; i++) {
    expect(isPlan({ sequence: standaloneSequence('range', i) })).toBe(false);
    const plan = planSequence(`run ${i}`, 'plan');
    expect(isPlan({ sequence: plan }) && Number.isSafeInteger(plan)).toBe(true);
  }
});
