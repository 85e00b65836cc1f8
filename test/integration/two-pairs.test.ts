/** Two pairs in one namespace of Temporal, their sites and streams named alike, as those of a company's test system are: each keeps to itself. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LedgerResult, SpoolState } from '../../activities/contracts.js';
import { ABSENT } from '../../activities/cycle/read-ledger.js';
import { executeUpdate } from '../../client/execute-update.js';
import { streamWorkflowId } from '../../temporal/ids.js';
import { TemporalEnvironment, type TestSites } from './temporal-environment.js';

let environment: TemporalEnvironment;
beforeAll(async () => {
  environment = await TemporalEnvironment.start();
});
afterAll(async () => await environment?.stop());

interface Asked {
  readonly sites: TestSites;
  readonly modes: string[];
  ledgers: number;
  spools: number;
}
function newPair(): Asked {
  const nothing = { wagons: 0, transactions: 0, changes: 0, carried: 0, logBytes: 0, wireBytes: 0 };
  const spool: SpoolState = {
    wagons: 0,
    bytes: 0,
    maxBytes: 1,
    logEnd: null,
    states: { captured: nothing, received: nothing, applied: nothing, confirmed: nothing },
  };
  const target: TestSites['target'] = {
    readLedger: async (): Promise<LedgerResult> => {
      asked.ledgers++;
      return { ledger: ABSENT, inbox: [], deadLetter: null, mode: 'active', boundaries: [] };
    },
    setStreamMode: async ({ mode }) => void asked.modes.push(mode),
  };
  const source: TestSites['source'] = {
    readSpool: async () => {
      asked.spools++;
      return spool;
    },
  };
  const asked: Asked = { sites: { ...environment.newSites(), source, target }, modes: [], ledgers: 0, spools: 0 };
  return asked;
}

it('neither’s workers answer for the other', async () => {
  const { workflow } = environment.temporal.client;
  const [production, trial] = [newPair(), newPair()];
  expect(production.sites.route).toEqual({ ...trial.sites.route, pair: production.sites.route.pair });
  await environment.withWorkers(production.sites, async () => {
    await environment.withWorkers(trial.sites, async () => {
      const { route, taskQueue } = production.sites;
      const entity = await workflow.start('stream', { workflowId: streamWorkflowId(route), taskQueue, args: [{ route }] });
      for (let time = 1; time <= 8; time++) {
        const facts = { workflowId: `facts-${route.pair}-${time}`, taskQueue, args: [{ route, patienceMilliseconds: 20_000 }] };
        expect(await workflow.execute('streamFacts', facts)).toMatchObject({ source: { known: { wagons: 0 } } });
        const mode = time % 2 === 0 ? 'resume' : 'suspend';
        await executeUpdate(environment.temporal.client, streamWorkflowId(route), mode, { by: 'alice', reason: 'test' });
      }
      await entity.terminate();
    });
  });
  expect(production).toMatchObject({ ledgers: 8, spools: 8, modes: Array.from({ length: 4 }, () => ['suspended', 'active']).flat() });
  expect(trial).toMatchObject({ ledgers: 0, spools: 0, modes: [] });
});
