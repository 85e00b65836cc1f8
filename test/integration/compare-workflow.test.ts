/** What a comparison says of rows that change while it looks, on a real Temporal server; the test brings the sites. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CompareRangeResult, LedgerResult, WagonRef } from '../../activities/contracts.js';
import { ABSENT } from '../../activities/cycle/read-ledger.js';
import { type Epoch, NO_WAGON, type Position, type Sequence } from '../../activities/vocabulary.js';
import { differences } from '../../client/verify-stream.js';
import type { CompareResult } from '../../workflows/compare-result.js';
import { TemporalEnvironment, type TestSites } from './temporal-environment.js';

let environment: TemporalEnvironment;
beforeAll(async () => {
  environment = await TemporalEnvironment.start();
});
afterAll(async () => await environment?.stop());

type Reading = Pick<CompareRangeResult, 'checksum' | 'schema'>;
const TABLE = { database: 'shop', table: 'orders' };

/** Both sides' readings of a table of one range, by the number of the look; the target has always passed what the source was read at. */
async function compare(source: (look: number) => Reading, target: (look: number) => Reading): Promise<CompareResult> {
  const { route, taskQueue } = environment.newSites();
  const looks = { source: 0, target: 0 };
  const wagon: WagonRef = {
    ...{ stream: route.stream, kind: 'range', epoch: 1 as Epoch, sequence: 1 as Sequence, hash: NO_WAGON, bytes: 1 },
    ...{ positionTo: 'p' as Position, train: { index: 0, last: true } },
  };
  const sites: TestSites = {
    route,
    taskQueue,
    source: {
      planCompare: async () => ({ plan: 'plan', ranges: 1, wagon }),
      checksumSource: async () => ({ ranges: [{ rows: 1, ...source(++looks.source) }], position: 'p' as Position }),
    },
    target: {
      readLedger: async (): Promise<LedgerResult> => ({
        ...{ ledger: { ...ABSENT, phase: 'consistent' }, inbox: [], deadLetter: null, mode: 'active', boundaries: [] },
      }),
      checksumTarget: async ({ ranges }) => ({ ranges: ranges.map(() => ({ rows: 1, ...target(++looks.target) })), passed: true }),
    },
  };
  const workflowId = `compare-${route.pair}`;
  return (await environment.withWorkers(sites, () =>
    environment.temporal.client.workflow.execute('compare', { workflowId, taskQueue, args: [{ route, tables: [TABLE] }] }),
  )) as CompareResult;
}

describe('a table that differs at each look', () => {
  it('is said to differ where the source stood still, and the target has something else', async () => {
    const still = (checksum: string) => () => ({ checksum, schema: 's' });
    const result = await compare(still('a'), still('b'));
    expect(result).toMatchObject({ identical: false, tables: [{ differingRanges: 1, changingRanges: 0 }] });
    expect(differences('shop', result)?.facts).toMatchObject({
      found: '1 of 1 tables differ: shop.orders',
      action: expect.stringContaining('Find out who writes to the target'),
    });
  });

  it('and that the source writes to all the while is not said to, and nobody is told to mend it', async () => {
    const busy = (of: string) => (look: number) => ({ checksum: `${of}${look}`, schema: 's' });
    const result = await compare(busy('here'), busy('there'));
    expect(result).toMatchObject({ identical: false, tables: [{ differingRanges: 1, changingRanges: 1, behind: false }] });
    const told = differences('shop', result)?.facts;
    expect(told?.found).toContain('changed at the source too often');
    expect(told?.action).toMatch(/mend nothing.*srdf verify shop shop\.orders/);
  });

  it('is identical as soon as one look finds both sides so', async () => {
    const result = await compare(
      (look) => ({ checksum: `${look}`, schema: 's' }),
      (look) => ({ checksum: `${Math.max(3, look)}`, schema: 's' }),
    );
    expect(result).toMatchObject({ identical: true, tables: [{ differingRanges: 0, changingRanges: 0 }] });
  });
});

describe('a definition that differs', () => {
  const altered = (from: number) => (look: number) => ({ checksum: 'a', schema: look < from ? 'before' : 'after' });
  it('for as long as the ALTER TABLE is on its way is waited for', async () => {
    expect(await compare(altered(0), altered(3))).toMatchObject({ identical: true, tables: [{ sameDefinition: true }] });
  });
  it('for good is told', async () => {
    expect(await compare(altered(0), altered(99))).toMatchObject({ identical: false, tables: [{ sameDefinition: false }] });
  });
});
