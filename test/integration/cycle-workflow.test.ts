/** The cycle's decisions, on a real Temporal server: what it asks of whom, in which order, and what each trouble ends in. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  ApplyOutcome,
  CutResult,
  DeadLetterReport,
  LedgerResult,
  LedgerView,
  StreamMode,
  WagonRef,
} from '../../activities/contracts.js';
import { type Epoch, NO_WAGON, type Position, type Sequence, type StreamName, type WagonHash } from '../../activities/vocabulary.js';
import { executeUpdate } from '../../client/execute-update.js';
import { SrdfError } from '../../temporal/error-catalogue.js';
import { deadLetterWorkflowId } from '../../temporal/ids.js';
import type { CycleInput, CycleProgress, CycleResult } from '../../workflows/cycle-result.js';
import type { FinishRequest } from '../../workflows/cycle-signals.js';
import { TemporalEnvironment, type TestSites } from './temporal-environment.js';

let environment: TemporalEnvironment;
beforeAll(async () => {
  environment = await TemporalEnvironment.start();
});
afterAll(async () => await environment?.stop());

const position = (sequence: number) => `p${sequence}` as Position;
const ref = (sequence: number, train = { index: 0, last: true }): WagonRef => ({
  stream: 'shop' as StreamName,
  kind: 'changes',
  epoch: 1 as Epoch,
  sequence: sequence as Sequence,
  hash: String(sequence).padStart(64, '0') as WagonHash,
  bytes: 100,
  positionTo: position(sequence),
  train,
});

/** A stream in miniature: a log of so many wagons, a spool, an inbox, a ledger. Keeps the order of everything it is asked. */
class Miniature {
  readonly calls: string[] = [];
  ledger: LedgerView = {
    phase: 'consistent',
    epoch: 1 as Epoch,
    sequence: 0 as Sequence,
    wagonHash: NO_WAGON,
    position: position(0),
    consistentFrom: null,
    bootstrap: null,
  };
  inbox: WagonRef[] = [];
  mode: StreamMode = 'active';
  deadLetter: DeadLetterReport | null = null;
  poisoned: number | null = null;
  confirmed: number[] = [];
  /** What has to be there before a shipment arrives, and before the ledger's answer does. */
  shipping: Promise<void> = Promise.resolve();
  reading: Promise<void> = Promise.resolve();
  /** How often the ledger was asked for. */
  readings = 0;
  constructor(readonly log: WagonRef[]) {}

  sites(): TestSites {
    const source: TestSites['source'] = {
      cutWagons: async ({ after, maxWagons, follow }): Promise<CutResult> => {
        const more = () => this.log.some((wagon) => wagon.sequence > after.sequence);
        for (let turns = 0; follow !== undefined && turns < 20 && !more(); turns++) await setTimeout(25);
        const wagons = this.log.filter((wagon) => wagon.sequence > after.sequence).slice(0, maxWagons);
        this.calls.push(`cut ${wagons.map((wagon) => wagon.sequence)}`);
        const last = wagons.at(-1);
        return {
          wagons,
          unconfirmed: this.log.filter(({ sequence }) => sequence <= after.sequence && !this.confirmed.includes(sequence)),
          fresh: wagons.length,
          caughtUp: (last?.sequence ?? after.sequence) >= (this.log.at(-1)?.sequence ?? 0),
          next:
            last === undefined ? after : { epoch: last.epoch, sequence: last.sequence, wagonHash: last.hash, position: last.positionTo },
          transactions: wagons.length,
          changes: { captured: wagons.length * 10, carried: wagons.length * 5 },
          bytes: { log: 1_000, raw: 500, wire: 100 },
          committed: null,
          milliseconds: { read: 1, compact: 1, seal: 1 },
        };
      },
      shipWagons: async ({ wagons }) => {
        this.calls.push(`ship ${wagons.map((wagon) => wagon.sequence)}`);
        await this.shipping;
        this.inbox.push(...wagons);
        return { received: wagons.map((wagon) => wagon.sequence), bytesSent: 100, milliseconds: 1 };
      },
      confirmWagons: async ({ wagons }) => {
        this.calls.push(`confirm ${wagons.map((wagon) => wagon.sequence)}`);
        this.confirmed.push(...wagons.map((wagon) => wagon.sequence));
        return {
          confirmed: wagons.map((wagon) => wagon.sequence),
          contents: { transactions: wagons.length, captured: wagons.length * 10, carried: wagons.length * 5, logBytes: 1_000 },
          lagMilliseconds: wagons.map(() => 4_000),
          milliseconds: 1,
        };
      },
    };
    const target: TestSites['target'] = {
      readLedger: async (): Promise<LedgerResult> => {
        const answer = {
          ledger: this.ledger,
          inbox: this.inbox.filter((wagon) => wagon.sequence > this.ledger.sequence),
          deadLetter: this.deadLetter,
          mode: this.mode,
          boundaries: [],
        };
        this.readings++;
        await this.reading;
        return answer;
      },
      applyWagons: async ({ wagons }): Promise<ApplyOutcome> => {
        const applied: Sequence[] = [];
        let open: WagonRef[] = [];
        for (const wagon of this.inbox.filter(
          (it) => it.sequence > this.ledger.sequence && it.sequence <= (wagons.at(-1)?.sequence ?? 0),
        )) {
          if (wagon.sequence === this.poisoned) {
            if (applied.length > 0) break;
            const error = { code: 'target-divergence', tried: 'applying', found: 'a row is missing', action: 'put it back' };
            this.deadLetter = { epoch: wagon.epoch, sequence: wagon.sequence, hash: wagon.hash, error, since: 1 };
            this.calls.push(`refuse ${wagon.sequence}`);
            throw new SrdfError('target-divergence', error);
          }
          open = [...open, wagon];
          if (!wagon.train.last) continue;
          applied.push(...open.map((it) => it.sequence));
          open = [];
          this.ledger = { ...this.ledger, sequence: wagon.sequence, wagonHash: wagon.hash, position: wagon.positionTo };
        }
        this.calls.push(`apply ${applied}`);
        return {
          applied,
          alreadyApplied: [],
          changes: applied.length * 5,
          rows: { inserted: applied.length * 5, updated: 0, deleted: 0 },
          ledger: this.ledger,
          milliseconds: { open: 1, apply: 1 },
        };
      },
      releaseDeadLetter: async ({ hash }) => {
        if (this.deadLetter?.hash !== hash) return { released: false };
        this.deadLetter = null;
        return { released: true };
      },
      setStreamMode: async ({ mode }) => {
        this.mode = mode;
      },
    };
    return { ...environment.newSites(), source, target };
  }
}

const begin = async (sites: TestSites, input: Omit<CycleInput, 'route'> = {}) =>
  await environment.temporal.client.workflow.start<(input: CycleInput) => Promise<CycleResult>>('replicationCycle', {
    workflowId: `cycle-${randomUUID()}`,
    taskQueue: sites.taskQueue,
    args: [{ route: sites.route, ...input }],
  });
const run = async (sites: TestSites, input: Omit<CycleInput, 'route'> = {}) => {
  const handle = await begin(sites, input);
  return { handle, result: await handle.result() };
};
const log = (count: number): WagonRef[] => Array.from({ length: count }, (_, index) => ref(index + 1));

describe('a cycle', () => {
  it('that finds nothing costs 12 history events', async () => {
    const miniature = new Miniature([]);
    const sites = miniature.sites();
    const { handle, result } = await environment.withWorkers(sites, () => run(sites));
    expect(result.outcome).toBe('idle');
    expect(result.caughtUp).toBe(true);
    expect(await environment.history(handle)).toHaveLength(12);
  });

  it('carries a single wagon through all four states', async () => {
    const miniature = new Miniature(log(1));
    const sites = miniature.sites();
    const { result } = await environment.withWorkers(sites, () => run(sites));
    expect(miniature.calls).toEqual(['cut 1', 'ship 1', 'apply 1', 'confirm 1']);
    expect(result).toMatchObject({
      outcome: 'replicated',
      positions: { from: 'p0', to: 'p1' },
      counts: { transactions: 1, captured: 10, carried: 5, applied: 5, wagons: { captured: 1, received: 1, applied: 1, confirmed: 1 } },
      lagMilliseconds: [4_000],
      error: null,
    });
  });

  it('behind the log takes several wagons an activity, cuts while it ships, and keeps their order', async () => {
    const miniature = new Miniature(log(40));
    const sites = miniature.sites();
    const { handle, result } = await environment.withWorkers(sites, () => run(sites, { limits: { wagonsPerActivity: 16 } }));
    expect(result.counts.wagons).toEqual({ captured: 40, received: 40, applied: 40, confirmed: 40 });
    expect(miniature.confirmed).toEqual(log(40).map((wagon) => wagon.sequence));
    expect(miniature.ledger.sequence).toBe(40);
    // 2, 4, 8, 16, 10: five batches of four activities.
    expect(miniature.calls.filter((call) => call.startsWith('cut'))).toHaveLength(5);
    expect((await environment.history(handle)).length).toBeLessThan(200);
  });

  it('ends before its history grows long, and the next one goes on', async () => {
    const miniature = new Miniature(log(20));
    const sites = miniature.sites();
    const [first, second] = await environment.withWorkers(sites, async () => [
      (await run(sites, { limits: { historyEvents: 20, wagonsPerActivity: 2 } })).result,
      (await run(sites)).result,
    ]);
    expect(first?.caughtUp).toBe(false);
    expect(first?.counts.wagons.applied).toBeLessThan(20);
    expect(second?.counts.wagons.applied).toBe(20 - (first?.counts.wagons.applied ?? 0));
    expect(miniature.confirmed).toHaveLength(20);
  });

  it('applies a train that spans two batches once it is whole', async () => {
    const train = [1, 2, 3, 4, 5].map((sequence, index) => ref(sequence, { index, last: index === 4 }));
    const miniature = new Miniature(train);
    const sites = miniature.sites();
    const { result } = await environment.withWorkers(sites, () => run(sites, { limits: { wagonsPerActivity: 2 } }));
    expect(result.outcome).toBe('replicated');
    expect(miniature.calls).toContain('apply 1,2,3,4,5');
    expect(miniature.confirmed).toEqual([1, 2, 3, 4, 5]);
  });

  it('applies and confirms what the inbox holds before it cuts', async () => {
    const miniature = new Miniature(log(3));
    miniature.inbox = [ref(1), ref(2)];
    const sites = miniature.sites();
    await environment.withWorkers(sites, () => run(sites));
    expect(miniature.calls).not.toContain('ship 1');
    expect(miniature.calls.filter((call) => call.startsWith('ship'))).toEqual(['ship 3']);
    expect(miniature.confirmed).toEqual([1, 2, 3]);
  });

  it('does nothing to a stream that was never established', async () => {
    const miniature = new Miniature(log(1));
    miniature.ledger = { ...miniature.ledger, phase: 'absent', position: null };
    const sites = miniature.sites();
    const { result } = await environment.withWorkers(sites, () => run(sites));
    expect(result.outcome).toBe('not-established');
    expect(miniature.calls).toEqual([]);
  });

  it('leaves a suspended stream alone, and a draining one cuts nothing new', async () => {
    const miniature = new Miniature(log(3));
    miniature.inbox = [ref(1)];
    miniature.mode = 'suspended';
    const sites = miniature.sites();
    const [suspended, draining] = await environment.withWorkers(sites, async () => {
      const first = (await run(sites)).result;
      miniature.mode = 'draining';
      return [first, (await run(sites)).result];
    });
    expect(suspended?.outcome).toBe('suspended');
    expect(draining?.outcome).toBe('replicated');
    expect(miniature.calls).toEqual(['apply 1', 'confirm 1']);
  });

  it('ends with source-unreachable when no worker serves the source site', async () => {
    const miniature = new Miniature(log(1));
    const sites = miniature.sites();
    const { handle, result } = await environment.withWorkers(sites, () => run(sites, { limits: { patienceMilliseconds: 1_000 } }), {
      sourceWorker: false,
    });
    expect(result.outcome).toBe('source-unreachable');
    expect(result.error).toMatchObject({ code: 'worker-silent', found: 'no worker took it' });
    expect((await handle.describe()).status.name).toBe('COMPLETED');
  });

  it('halts at an event that is not understood, and says what it is', async () => {
    const miniature = new Miniature([]);
    const sites = miniature.sites();
    const facts = {
      tried: 'reading binlog.000002:77',
      found: 'event PARTIAL_UPDATE_ROWS',
      action: 'SET GLOBAL binlog_row_value_options = ""',
    };
    const { result } = await environment.withWorkers(
      {
        ...sites,
        source: {
          ...sites.source,
          cutWagons: async () => {
            throw new SrdfError('log-event-unsupported', facts);
          },
        },
      },
      () => run(sites),
    );
    expect(result).toMatchObject({ outcome: 'halted', error: { code: 'log-event-unsupported', ...facts } });
  });

  it('never lets the text of an unknown error into the history', async () => {
    const miniature = new Miniature([]);
    const sites = miniature.sites();
    const { result } = await environment.withWorkers(
      {
        ...sites,
        source: {
          ...sites.source,
          cutWagons: async () => {
            throw Object.assign(new Error("Duplicate entry 'alice@example.org' for key 'email'"), { code: 'ER_DUP_ENTRY' });
          },
        },
      },
      () => run(sites),
    );
    expect(result.error?.code).toBe('unexpected');
    expect(JSON.stringify(result)).not.toContain('alice');
    expect(result.error?.found).toContain('ER_DUP_ENTRY');
  });
});

describe('a cycle that is told to end', () => {
  /** At its first shipment, with 38 of 40 wagons not cut yet. */
  const begun = async (request: FinishRequest) => {
    const miniature = new Miniature(log(40));
    let release = (): void => {};
    miniature.shipping = new Promise((resolve) => {
      release = resolve;
    });
    const sites = miniature.sites();
    const ended = await environment.withWorkers(sites, async () => {
      const handle = await begin(sites);
      try {
        await expect.poll(() => miniature.calls, { timeout: 20_000 }).toContain('ship 1,2');
        await handle.signal('finish', request);
      } finally {
        release();
      }
      return { first: await handle.result(), through: [...miniature.confirmed], next: (await run(sites)).result };
    });
    return { ...ended, miniature };
  };

  it('because the stream rests begins nothing more, and confirms all that it has begun', async () => {
    const { first, through, next, miniature } = await begun({ rest: true });
    const { wagons } = first.counts;
    expect(first).toMatchObject({ outcome: 'replicated', caughtUp: false, error: null });
    expect(wagons.captured).toBeLessThan(10);
    expect(wagons).toEqual({ captured: wagons.captured, received: wagons.captured, applied: wagons.captured, confirmed: wagons.captured });
    expect(through).toHaveLength(wagons.captured);
    expect(next.counts.wagons.confirmed).toBe(40 - wagons.captured);
    expect(miniature.confirmed).toEqual(log(40).map((wagon) => wagon.sequence));
  });

  it('only to make way goes on to the end of the log, which it comes to by itself', async () => {
    const { first, through } = await begun({});
    expect(first).toMatchObject({ caughtUp: true, counts: { wagons: { confirmed: 40 } } });
    expect(through).toHaveLength(40);
  });

  it('because the stream rests, while it asks for the ledger, asks again', async () => {
    const miniature = new Miniature(log(40));
    let release = (): void => {};
    miniature.reading = new Promise((resolve) => {
      release = resolve;
    });
    const sites = miniature.sites();
    await environment.withWorkers(sites, async () => {
      const handle = await begin(sites);
      try {
        await expect.poll(() => miniature.readings, { timeout: 20_000 }).toBe(1);
        miniature.mode = 'suspended';
        await handle.signal('finish', { rest: true });
        // The worker hears of it when it asks for more time, seconds later.
        await expect
          .poll(
            async () => {
              const events = await environment.history(handle);
              const told = events.findIndex((event) => event.workflowExecutionSignaledEventAttributes);
              return told > 0 && events.slice(told).some((event) => event.workflowTaskStartedEventAttributes);
            },
            { timeout: 30_000 },
          )
          .toBe(true);
        await setTimeout(500);
      } finally {
        release();
      }
      expect((await handle.result()).outcome).toBe('suspended');
    });
    expect([miniature.readings, miniature.calls]).toEqual([2, []]);
  });
});

describe('a continuous cycle', () => {
  const start = async (sites: TestSites, input: Omit<CycleInput, 'route' | 'continuous'> = {}) =>
    await begin(sites, { continuous: true, ...input });

  it('waits at the end of the log for what comes, tells how far it is, and finishes when it is asked to', async () => {
    const miniature = new Miniature(log(2));
    const sites = miniature.sites();
    await environment.withWorkers(sites, async () => {
      const handle = await start(sites);
      await expect.poll(() => miniature.confirmed, { timeout: 20_000 }).toEqual([1, 2]);
      miniature.log.push(ref(3));
      await expect.poll(() => miniature.confirmed, { timeout: 20_000 }).toEqual([1, 2, 3]);
      const progress = await handle.query<CycleProgress>('progress');
      expect(progress).toMatchObject({ continuous: true, result: { outcome: 'replicated', counts: { wagons: { confirmed: 3 } } } });
      expect(progress.appliedThrough).toBeGreaterThan(0);
      await handle.signal('finish');
      expect(await handle.result()).toMatchObject({ outcome: 'replicated', counts: { wagons: { confirmed: 3 } }, error: null });
    });
  });

  it('goes on as a new run before its history grows long, from where the ledger then stands', async () => {
    const miniature = new Miniature(log(20));
    const sites = miniature.sites();
    await environment.withWorkers(sites, async () => {
      const handle = await start(sites, { limits: { historyEvents: 40, wagonsPerActivity: 2 } });
      await expect.poll(() => miniature.confirmed.length, { timeout: 60_000 }).toBe(20);
      expect(miniature.confirmed.toSorted((a, b) => a - b)).toEqual(log(20).map((wagon) => wagon.sequence));
      const now = await environment.temporal.client.workflow.getHandle(handle.workflowId).describe();
      expect(now.runId).not.toBe(handle.firstExecutionRunId);
      await handle.signal('finish');
      expect((await handle.result()).error).toBeNull();
    });
  });

  it('hands over without a drain, and the run behind it ends with everything confirmed when it was told to finish meanwhile', async () => {
    const miniature = new Miniature(log(4));
    let release = (): void => {};
    miniature.shipping = new Promise((resolve) => {
      release = resolve;
    });
    const sites = miniature.sites();
    await environment.withWorkers(sites, async () => {
      const handle = await start(sites, { limits: { historyEvents: 12 } });
      const first = environment.temporal.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
      try {
        // The second cut's answer is known to the run, which waits for the shipment that is under way.
        await expect
          .poll(
            async () => {
              const events = await environment.history(first);
              const answers = events.filter((event) => event.activityTaskCompletedEventAttributes);
              return answers.length === 2 && events.at(-1)?.workflowTaskCompletedEventAttributes !== null;
            },
            { timeout: 20_000 },
          )
          .toBe(true);
        await handle.signal('finish');
      } finally {
        release();
      }
      expect(await handle.result()).toMatchObject({ outcome: 'replicated', counts: { wagons: { applied: 4, confirmed: 4 } } });
      const events = await environment.history(first);
      const asked = events.flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? []);
      expect(asked.toSorted()).toEqual(['cutWagons', 'cutWagons', 'shipWagons']);
      expect(events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes).toBeTruthy();
    });
    expect(miniature.calls.filter((call) => call.startsWith('ship'))).toEqual(['ship 1,2', 'ship 3,4']);
    expect(miniature.confirmed).toEqual([1, 2, 3, 4]);
  });

  it('that the code of an upgraded worker cannot take further ends as failed, and the next one goes on from the ledger', async () => {
    const miniature = new Miniature(log(2));
    const sites = miniature.sites();
    const begun = await environment.withWorkers(sites, async () => {
      const handle = await start(sites);
      await expect.poll(() => miniature.confirmed, { timeout: 20_000 }).toEqual([1, 2]);
      return handle;
    });
    miniature.log.push(ref(3));
    const error: unknown = await environment.withWorkers(
      sites,
      () =>
        begun.result().then(
          () => null,
          (failure: unknown) => failure,
        ),
      { workflowCode: (code) => code.replaceAll('source.cutWagons.', 'source.shipWagons.') },
    );
    expect(error).toBeInstanceOf(WorkflowFailedError);
    await environment.withWorkers(sites, async () => {
      const next = await start(sites);
      await expect.poll(() => miniature.confirmed, { timeout: 20_000 }).toEqual([1, 2, 3]);
      await next.signal('finish');
      expect(await next.result()).toMatchObject({ outcome: 'replicated', error: null });
    });
    expect(miniature.ledger.sequence).toBe(3);
  });

  it('ends by itself where the stream is suspended or drained, and at a trouble', async () => {
    const miniature = new Miniature(log(3));
    miniature.inbox = [ref(1)];
    miniature.mode = 'draining';
    const sites = miniature.sites();
    await environment.withWorkers(sites, async () => {
      expect(await (await start(sites)).result()).toMatchObject({ outcome: 'replicated', counts: { wagons: { captured: 0, applied: 1 } } });
      miniature.mode = 'suspended';
      expect((await (await start(sites)).result()).outcome).toBe('suspended');
      miniature.mode = 'active';
      miniature.poisoned = 3;
      expect((await (await start(sites)).result()).outcome).toBe('dead-lettered');
    });
  });
});

describe('a wagon that cannot be applied', () => {
  it('stops the stream behind it, in sight, until the operator retries', async () => {
    const miniature = new Miniature(log(4));
    miniature.poisoned = 3;
    const sites = miniature.sites();
    const { workflow } = environment.temporal.client;
    await environment.withWorkers(sites, async () => {
      const first = (await run(sites)).result;
      expect(first).toMatchObject({
        outcome: 'dead-lettered',
        error: { code: 'target-divergence' },
        deadLetter: { sequence: 3 },
        counts: { wagons: { applied: 2, confirmed: 2 } },
      });
      const before = [...miniature.calls];
      const second = (await run(sites)).result;
      expect(second.outcome).toBe('dead-lettered');
      expect(miniature.calls).toEqual(before);

      const dead = workflow.getHandle(deadLetterWorkflowId(sites.route));
      // As the command does it: under load the server ends a call before it knows what became of it.
      const decide = (name: string, request: object) => executeUpdate(environment.temporal.client, dead.workflowId, name, request);
      expect(await dead.query('deadLetter')).toMatchObject({ sequence: 3, error: { found: 'a row is missing' } });
      const discard = decide('discard', { by: 'alice', acceptDivergence: false });
      await expect(discard).rejects.toThrow(WorkflowUpdateFailedError);
      const resync = decide('resync', { by: 'alice', table: { database: 'shop', table: 'orders' } });
      await expect(resync).rejects.toThrow(WorkflowUpdateFailedError);
      expect(miniature.deadLetter).not.toBeNull();

      miniature.poisoned = null;
      await decide('retry', { by: 'alice' });
      expect(await dead.result()).toEqual({ decision: 'retried', by: 'alice' });
      expect((await run(sites)).result).toMatchObject({ outcome: 'replicated', caughtUp: true });
      expect(miniature.confirmed).toEqual([1, 2, 3, 4]);
    });
  });

  it('behind the stream’s new beginning takes the place of the one that waited for a decision before', async () => {
    const miniature = new Miniature(log(4));
    miniature.poisoned = 3;
    const sites = miniature.sites();
    const dead = environment.temporal.client.workflow.getHandle(deadLetterWorkflowId(sites.route));
    await environment.withWorkers(sites, async () => {
      expect((await run(sites)).result.outcome).toBe('dead-lettered');
      // Copied anew, by hands that know nothing of the old one: the same numbers, other wagons.
      miniature.ledger = { ...miniature.ledger, sequence: 0 as Sequence, wagonHash: NO_WAGON, position: position(0) };
      Object.assign(miniature, { inbox: [], confirmed: [], deadLetter: null });
      miniature.log.splice(0, 4, ...log(4).map((wagon) => ({ ...wagon, hash: wagon.hash.replace('0', 'a') as WagonHash })));
      const present = (await run(sites)).result.deadLetter;
      expect(present).toMatchObject({ sequence: 3, hash: miniature.log[2]?.hash });
      await expect.poll(async () => await dead.query('deadLetter')).toEqual(present);

      miniature.poisoned = null;
      await dead.executeUpdate('retry', { args: [{ by: 'alice' }] });
      expect(miniature.deadLetter).toBeNull();
      expect((await run(sites)).result).toMatchObject({ outcome: 'replicated', caughtUp: true });
    });
  });

  it('and that the stream stands behind no more is told to whoever decides on it, and makes way for the one that stands', async () => {
    const miniature = new Miniature(log(4));
    miniature.poisoned = 3;
    const sites = miniature.sites();
    const dead = environment.temporal.client.workflow.getHandle(deadLetterWorkflowId(sites.route));
    await environment.withWorkers(sites, async () => {
      const { deadLetter } = (await run(sites)).result;
      if (deadLetter === null) throw new Error('no dead letter');
      const present = { ...deadLetter, hash: 'b'.repeat(64) as WagonHash, since: 2 };
      miniature.deadLetter = present;
      const retried: unknown = await dead.executeUpdate('retry', { args: [{ by: 'alice' }] }).catch((error: unknown) => error);
      expect(retried).toBeInstanceOf(WorkflowUpdateFailedError);
      expect((retried as WorkflowUpdateFailedError).cause?.message).toContain('stand behind wagon 3');
      expect(miniature.deadLetter).toEqual(present);
      expect(await dead.result()).toEqual({ decision: 'overtaken', by: 'alice' });

      expect((await run(sites)).result.outcome).toBe('dead-lettered');
      expect(await dead.query('deadLetter')).toEqual(present);
      await dead.executeUpdate('retry', { args: [{ by: 'alice' }] });
      expect(miniature.deadLetter).toBeNull();
    });
  });

  it('may stand for as long as it takes: its place goes on as a new run before its history grows long', async () => {
    const sites = new Miniature([]).sites();
    const about = {
      epoch: 1,
      sequence: 3,
      error: { code: 'target-divergence', tried: 'applying', found: 'a row is missing', action: 'Mend' },
    };
    const dead = (since: number) => ({ ...about, hash: 'a'.repeat(64), since });
    const { workflow } = environment.temporal.client;
    await environment.withWorkers(sites, async () => {
      const handle = await workflow.start('deadLetter', {
        workflowId: deadLetterWorkflowId(sites.route),
        taskQueue: sites.taskQueue,
        args: [{ route: sites.route, dead: dead(0) }],
      });
      for (let sent = 0; sent < 2_000; sent += 100)
        await Promise.all(Array.from({ length: 100 }, () => handle.signal('presentDeadLetter', dead(7))));
      const now = workflow.getHandle(handle.workflowId);
      await expect.poll(async () => (await now.describe()).runId, { timeout: 30_000 }).not.toBe(handle.firstExecutionRunId);
      expect(await now.query('deadLetter')).toEqual(dead(7));
      await now.terminate();
    });
  });
});

describe('the entity of a stream', () => {
  it('suspends and resumes, and writes again what is already so: the target may remember another mode', async () => {
    const miniature = new Miniature(log(1));
    const sites = miniature.sites();
    await environment.withWorkers(sites, async () => {
      const handle = await environment.temporal.client.workflow.start('stream', {
        workflowId: `stream-${randomUUID()}`,
        taskQueue: sites.taskQueue,
        args: [{ route: sites.route }],
      });
      const ask = { by: 'alice', reason: 'disk is being changed' };
      await handle.executeUpdate('suspend', { args: [ask] });
      expect(miniature.mode).toBe('suspended');
      const suspended = await handle.query('status');
      expect(suspended).toMatchObject({ mode: 'suspended', ...ask });
      miniature.mode = 'active';
      expect(await handle.executeUpdate('suspend', { args: [{ by: 'bob', reason: 'once more' }] })).toEqual(suspended);
      expect((await run(sites)).result.outcome).toBe('suspended');
      await expect(handle.executeUpdate('resume', { args: [{ by: ' ', reason: '' }] })).rejects.toThrow(WorkflowUpdateFailedError);
      const resumed = await handle.executeUpdate('resume', { args: [{ by: 'alice', reason: 'disk is changed' }] });
      miniature.mode = 'suspended';
      expect(await handle.executeUpdate('resume', { args: [{ by: 'bob', reason: 'once more' }] })).toEqual(resumed);
      expect((await run(sites)).result.outcome).toBe('replicated');
      await handle.terminate();
    });
  });
});
