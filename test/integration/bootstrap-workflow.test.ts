/** The bootstrap's decisions, on a real Temporal server: in which order it looks at a source whose tables come and go meanwhile. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LedgerView, ShippedRange, WagonRef } from '../../activities/contracts.js';
import type { Preflight, TablePlan } from '../../activities/engines/engine.js';
import {
  type BootstrapId,
  type Epoch,
  NO_WAGON,
  type Position,
  type Sequence,
  type TableName,
  type WagonHash,
} from '../../activities/vocabulary.js';
import type { SchemaStage } from '../../activities/wagon/body.js';
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { BootstrapResult, BootstrapWorkflowInput } from '../../workflows/bootstrap-result.js';
import { TemporalEnvironment, type TestSites } from './temporal-environment.js';

let environment: TemporalEnvironment;
beforeAll(async () => {
  environment = await TemporalEnvironment.start();
});
afterAll(async () => await environment?.stop());

const runBootstrap = async (sites: TestSites): Promise<BootstrapResult> =>
  await environment.withWorkers(
    sites,
    async () =>
      await environment.temporal.client.workflow.execute('bootstrap', {
        taskQueue: sites.taskQueue,
        workflowId: `bootstrap-${randomUUID()}`,
        args: [{ route: sites.route, bootstrap: 'b1' as BootstrapId } satisfies BootstrapWorkflowInput],
      }),
  );

/** A source whose log is a list of tables created, one a position; and which creates one more right after it is asked for `createAfter`. */
class GrowingSource {
  readonly log: TableName[] = [{ database: 'shop', table: 'first' }];
  readonly copied = new Set<string>();
  private grown = false;
  grows: TableName = { database: 'shop', table: 'second' };
  constructor(private readonly createAfter: 'planBootstrap' | 'notePosition') {}

  sites(): Pick<TestSites, 'source' | 'target'> {
    const preflight = (server: string): Preflight => ({ engine: 'mariadb', version: '11', server, findings: [] });
    const at = (): Position => `p${this.log.length}` as Position;
    const offset = (position: Position): number => Number(position.slice(1));
    const grow = (asked: string): void => {
      if (this.grown || asked !== this.createAfter) return;
      this.grown = true;
      this.log.push(this.grows);
    };
    const wagon = (kind: 'range' | 'schema'): WagonRef => ({
      stream: 'shop' as WagonRef['stream'],
      kind,
      epoch: 1 as Epoch,
      sequence: 1 as Sequence,
      hash: NO_WAGON,
      bytes: 1,
      positionTo: at(),
      train: { index: 0, last: true },
    });
    const ledger: LedgerView = {
      phase: 'loading',
      epoch: 1 as Epoch,
      sequence: 0 as Sequence,
      wagonHash: '0'.repeat(64) as WagonHash,
      position: null,
      consistentFrom: null,
      bootstrap: 'b1' as BootstrapId,
    };
    return {
      source: {
        inspectSource: async () => preflight('a'),
        planBootstrap: async () => {
          const tables = this.log.map((it): TablePlan => ({ ...it, estimatedRows: 1, estimatedBytes: 1, keyed: true }));
          grow('planBootstrap');
          return { tables, warnings: [] };
        },
        notePosition: async () => {
          const position = at();
          grow('notePosition');
          return { position };
        },
        shipSchema: async () => wagon('schema'),
        planRanges: async () => ({ plan: 'plan', ranges: 1 }),
        shipRange: async ({ table }): Promise<ShippedRange> => {
          this.copied.add(table.table);
          return { wagons: [wagon('range')], rows: 1, bytesWire: 1 };
        },
        changedTables: async ({ from, to }) => ({ tables: this.log.slice(offset(from), offset(to)), otherObjects: 0 }),
      },
      target: {
        inspectTarget: async () => preflight('b'),
        beginLoading: async () => ledger,
        loadSchema: async () => ({ created: 1, deferred: 0 }),
        resetTables: async () => undefined,
        loadRange: async () => ({ rows: 1, alreadyApplied: 0 }),
        beginCatchUp: async () => ({ ...ledger, phase: 'catching-up' as const }),
      },
    };
  }
}

describe('the target’s site', () => {
  it('is told of the source’s server all that both are compared by, and no findings', async () => {
    const sites = { ...environment.newSites(), ...new GrowingSource('planBootstrap').sites() };
    const identity = {
      server: 'a',
      version: '11',
      lowerCaseTableNames: 0,
      timeZone: 'SYSTEM',
      systemTimeZone: { name: 'CET', rules: 'r' },
      characterSetCollations: '',
    };
    let told: unknown = null;
    const asked: TestSites = {
      ...sites,
      source: { ...sites.source, inspectSource: async () => ({ ...identity, engine: 'mariadb', findings: [] }) },
      target: {
        ...sites.target,
        inspectTarget: async ({ source }) => {
          told = source;
          return { engine: 'mariadb', version: '11', server: 'b', findings: [] };
        },
      },
    };
    await environment.withWorkers(asked, async () => {
      const result: BootstrapResult = await environment.temporal.client.workflow.execute('bootstrap', {
        taskQueue: sites.taskQueue,
        workflowId: `bootstrap-${randomUUID()}`,
        args: [{ route: sites.route, bootstrap: 'b1' as BootstrapId, dryRun: true } satisfies BootstrapWorkflowInput],
      });
      expect(result.outcome).toBe('planned');
    });
    expect(told).toEqual(identity);
  });
});

describe('waves of a plan', () => {
  it('are copied one after the other, however many tables are copied at a time', async () => {
    const source = new GrowingSource('planBootstrap');
    const sites = { ...environment.newSites(), ...source.sites() };
    const happened: string[] = [];
    const table = (name: string, wave?: number) => ({
      database: 'shop',
      table: name,
      estimatedRows: 1,
      estimatedBytes: 1,
      keyed: true,
      ...(wave === undefined ? {} : { wave }),
    });
    const { shipRange } = sites.source;
    const withWaves: TestSites = {
      ...sites,
      source: {
        ...sites.source,
        planBootstrap: async () => ({ tables: [table('a'), table('b'), table('c', 1), table('d', 2)], warnings: [] }),
        changedTables: async () => ({ tables: [], otherObjects: 0 }),
        shipRange: async (input) => {
          happened.push(`read ${input.table.table}`);
          if (shipRange === undefined) throw new Error('the source reads no ranges');
          return await shipRange(input);
        },
      },
      target: {
        ...sites.target,
        loadRange: async ({ table: { table: name } }) => {
          happened.push(`loaded ${name}`);
          return { rows: 1, alreadyApplied: 0 };
        },
      },
    };
    await runBootstrap(withWaves);
    const at = (what: string): number => happened.indexOf(what);
    expect(at('read c')).toBeGreaterThan(Math.max(at('loaded a'), at('loaded b')));
    expect(at('read d')).toBeGreaterThan(at('loaded c'));
    expect(Math.min(at('loaded a'), at('loaded b'), at('loaded c'), at('loaded d'))).toBeGreaterThanOrEqual(0);
  });
});

describe('a table created while a bootstrap begins', () => {
  it.each(['planBootstrap', 'notePosition'] as const)('is copied when it comes right after %s', async (moment) => {
    const source = new GrowingSource(moment);
    const sites = { ...environment.newSites(), ...source.sites() };
    expect((await runBootstrap(sites)).outcome).toBe('catching-up');
    expect([...source.copied].sort()).toEqual(['first', 'second']);
  });
});

/** The site's part of a bootstrap that fails as soon as it creates what was shipped last for `stage`. */
function refusing(stage: SchemaStage, sites: TestSites): TestSites {
  let shipped: SchemaStage | null = null;
  const { shipSchema } = sites.source;
  return {
    ...sites,
    source: {
      ...sites.source,
      shipSchema: async (input) => {
        shipped = input.stage;
        if (shipSchema === undefined) throw new Error('the source ships no schema');
        return await shipSchema(input);
      },
    },
    target: {
      ...sites.target,
      loadSchema: async () => {
        if (shipped === stage)
          throw new SrdfError('ddl-failed', { tried: 'creating the view shop.v', found: 'error 1449', action: 'mend it' });
        return { created: 1, deferred: 0 };
      },
    },
  };
}

describe('a view that the target refuses', () => {
  const failure = async (sites: TestSites): Promise<unknown> =>
    await runBootstrap(sites).catch((error: unknown) => (error as { cause?: unknown }).cause);

  it('is told before any row is copied', async () => {
    const source = new GrowingSource('planBootstrap');
    const { source: asked, target } = source.sites();
    const sites = refusing('after-data', {
      ...environment.newSites(),
      source: { ...asked, changedTables: async () => ({ tables: [], otherObjects: 0 }) },
      target,
    });
    expect(await failure(sites)).toMatchObject({ type: 'ddl-failed' });
    expect([...source.copied]).toEqual([]);
  });

  it('may be waiting for a table that was created meanwhile: then it is asked for again behind the rows', async () => {
    const source = new GrowingSource('planBootstrap');
    expect(await failure(refusing('after-data', { ...environment.newSites(), ...source.sites() }))).toMatchObject({ type: 'ddl-failed' });
    expect([...source.copied].sort()).toEqual(['first', 'second']);
  });
});

it('what changes while a schema is waited for to settle is copied with the rest', async () => {
  const source = new GrowingSource('planBootstrap');
  const { source: asked, target } = source.sites();
  const table: TableName = { database: 'shop', table: 'first' };
  let copiedSince = false;

  const busy: TestSites = {
    ...environment.newSites(),
    target,
    source: {
      ...asked,
      changedTables: async (input) => {
        const found = source.log.slice(Number(input.from.slice(1)), Number(input.to.slice(1)));
        // Somebody changes it again right behind each look that found a change behind a copy: before the next copy begins.
        if (copiedSince && found.length > 0) source.log.push(table);
        copiedSince = false;
        return { tables: found, otherObjects: 0 };
      },
      shipRange: async (input) => {
        if (asked?.shipRange === undefined) throw new Error('the source ships no ranges');
        copiedSince = true;
        return await asked.shipRange(input);
      },
    },
  };
  expect((await runBootstrap(busy)).outcome).toBe('catching-up');
});

describe('a row that the target’s table doesn’t take', () => {
  const run = async (source: GrowingSource): Promise<BootstrapResult> => {
    const { source: asked, target } = source.sites();
    let loads = 0;
    const sites: TestSites = {
      ...environment.newSites(),
      source: asked,
      target: {
        ...target,
        loadRange: async () => {
          if (++loads === 1) throw new SrdfError('apply-failed', { tried: 'loading a range', found: 'code 1265', action: 'compare' });
          return { rows: 1, alreadyApplied: 0 };
        },
      },
    };
    return await runBootstrap(sites);
  };

  it('ends the copy', async () => {
    const failure = await run(new GrowingSource('planBootstrap')).catch((error: unknown) => error);
    expect(failure).toMatchObject({ cause: { type: 'apply-failed' } });
  });

  it('is one of a table that was changed meanwhile: it is copied anew', async () => {
    const source = new GrowingSource('planBootstrap');
    source.grows = { database: 'shop', table: 'first' };
    expect((await run(source)).outcome).toBe('catching-up');
  });
});

it('tables that changed meanwhile are all gone before the first of them is made anew', async () => {
  const source = new GrowingSource('planBootstrap');
  const { source: asked, target } = source.sites();
  const changed = Array.from({ length: 6 }, (_, index): TableName => ({ database: 'shop', table: `t${index}` }));
  const happened: string[] = [];
  let looks = 0;
  const sites: TestSites = {
    ...environment.newSites(),
    source: {
      ...asked,
      changedTables: async () => ({ tables: looks++ === 0 ? changed : [], otherObjects: 0 }),
      shipSchema: async (input) => {
        if (asked?.shipSchema === undefined) throw new Error('the source ships no schema');
        if (input.only !== undefined) happened.push('made');
        return await asked.shipSchema(input);
      },
    },
    target: {
      ...target,
      resetTables: async ({ tables }) => {
        happened.push(...tables.map(({ table }) => table));
      },
    },
  };
  await runBootstrap(sites);
  expect(happened.slice(0, happened.indexOf('made'))).toEqual(expect.arrayContaining(changed.map(({ table }) => table)));
});
