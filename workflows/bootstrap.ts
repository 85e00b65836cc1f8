/** The first copy of a stream, or a new one: after it the scheduled cycles catch up and make the target consistent. */
import {
  isCancellation,
  ParentClosePolicy,
  patched,
  setCurrentDetails,
  setHandler,
  sleep,
  startChild,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { BootstrapPlan, ErrorReport, Route } from '../activities/contracts.js';
import type { Finding } from '../activities/engines/engine.js';
import type { Position, TableName } from '../activities/vocabulary.js';
import { bootstrapTableWorkflowId } from '../temporal/ids.js';
import { OUTCOME, workAbout } from '../temporal/search-attributes.js';
import { isRangeLost, passOn, refusal, unsettled } from './bootstrap-failure.js';
import {
  type BootstrapProgress,
  type BootstrapResult,
  type BootstrapWorkflowInput,
  bootstrapDetails,
  identityOf,
  type TableCopy,
} from './bootstrap-result.js';
import { progressQuery, tableProgress } from './bootstrap-signals.js';
import type { bootstrapTable } from './bootstrap-table.js';
import { reportOf } from './cycle-failure.js';
import { sourceBootstrap, sourceBootstrapStep, sourceQuestions, targetBootstrap, targetBootstrapStep, targetQuestions } from './proxies.js';

export type { BootstrapResult, BootstrapWorkflowInput } from './bootstrap-result.js';

/** Rounds of copying tables again that changed meanwhile, and of re-reading views, routines, triggers and events. */
const COPY_ROUNDS = 5;
const OBJECT_ROUNDS = 10;
/** A table's own attempts count below this; the workflow's rounds above. */
const ATTEMPTS_A_ROUND = 100;

/**
 * Preflights → position P0 → plan → ledger `loading` → databases, sequences, tables → views and routines, tried → ranges → tables that changed
 * meanwhile, again → views, routines, what waits for the promotion → position P1 → ledger `catching-up` from P0, `consistent` behind P1.
 * Preflight errors end it before anything is written, as a result; every later failure is the run's, of the catalogue's type.
 */
export async function bootstrap(input: BootstrapWorkflowInput): Promise<BootstrapResult> {
  return await new Bootstrap(input).run().catch((error: unknown) => {
    if (isCancellation(error)) throw error;
    throw passOn(error);
  });
}

class Bootstrap {
  private readonly started = Date.now();
  private readonly route: Route;
  private readonly source;
  private readonly target;
  private phase: BootstrapProgress['phase'] = 'checking';
  private round = 1;
  private plan: BootstrapPlan = { tables: [], warnings: [] };
  private toCopy: readonly TableName[] = [];
  private from: Position | null = null;
  private readonly done = new Set<string>();
  private readonly current = new Map<string, TableCopy>();
  private copied: TableCopy = { rows: 0, bytesWire: 0, ranges: 0 };
  private copiedAgain = 0;
  private objects = { created: 0, deferred: 0 };
  private findings: { source: readonly Finding[]; target: readonly Finding[] } = { source: [], target: [] };

  constructor(private readonly input: BootstrapWorkflowInput) {
    this.route = input.route;
    this.source = sourceBootstrap(input.route);
    this.target = targetBootstrap(input.route);
    setHandler(progressQuery, () => this.progress());
    setHandler(tableProgress, ({ name, rows, bytesWire, ranges }) => {
      if (!this.current.has(name)) return;
      this.current.set(name, { rows, bytesWire, ranges });
      this.show();
    });
  }

  async run(): Promise<BootstrapResult> {
    const { stream } = this.route;
    const { bootstrap } = this.input;
    const source = await sourceQuestions(this.route).inspectSource({ stream });
    this.findings = { source: source.findings, target: [] };
    const refusedBySource = refusal('source', source);
    if (refusedBySource !== null) return this.end('refused', 'refused', refusedBySource);
    const target = await targetQuestions(this.route).inspectTarget({
      stream,
      mustBeEmpty: true,
      source: identityOf(source),
    });
    this.findings = { source: source.findings, target: target.findings };
    const refusedByTarget = refusal('target', target);
    if (refusedByTarget !== null) return this.end('refused', 'refused', refusedByTarget);

    this.enter('planning');
    if (this.input.dryRun === true) {
      this.plan = await this.source.planBootstrap({ stream });
      return this.end('planned', 'planned');
    }
    // Before the tables are listed: one that is created in between is in the list or in the log behind the position, or in both.
    const from = await this.notePosition();
    this.from = from;
    this.plan = await this.source.planBootstrap({ stream, bootstrap });
    await targetBootstrapStep(this.route).beginLoading({ stream, bootstrap });
    this.enter('schema');
    await this.schema('before-data', 0);
    if (patched('views-before-rows')) await this.tryObjects(from);
    this.enter('copying');
    for (const wave of [...new Set(this.plan.tables.map((it) => it.wave ?? 0))].sort((a, b) => a - b))
      await this.copyTables(
        this.plan.tables.filter((it) => (it.wave ?? 0) === wave),
        true,
      );
    await this.settle(from);
    const consistentFrom = await this.notePosition();
    await targetBootstrapStep(this.route).beginCatchUp({ stream, bootstrap, from, consistentFrom });
    return this.end('catching-up', 'catching-up', null, from, consistentFrom);
  }

  private async notePosition(): Promise<Position> {
    return (await sourceBootstrapStep(this.route).notePosition({ stream: this.route.stream })).position;
  }

  /** Ships and loads a stage; a wagon that got lost on its way is read anew. */
  private async schema(stage: 'before-data' | 'after-data' | 'at-promotion', round: number): Promise<void> {
    const { stream } = this.route;
    const { bootstrap } = this.input;
    for (let attempt = 1; ; attempt++) {
      try {
        const wagon = await this.source.shipSchema.executeWithOptions({ summary: stage }, [{ stream, bootstrap, stage, round }]);
        const { created, deferred } = await this.target.loadSchema.executeWithOptions({ summary: stage }, [{ stream, bootstrap, wagon }]);
        if (stage === 'at-promotion') this.objects.deferred = deferred;
        else if (stage === 'before-data' || round > 0) this.objects.created += created;
        return;
      } catch (error) {
        if (!isRangeLost(error) || attempt === 3) throw error;
      }
    }
  }

  /**
   * Views and routines that can't be created would end the copy behind all of its rows, hours later: they are created now for the first time. One
   * may lack a table that has come meanwhile: as long as definitions change, only the look behind the rows counts.
   */
  private async tryObjects(from: Position): Promise<void> {
    try {
      await this.schema('after-data', 0);
    } catch (error) {
      if (reportOf(error)?.code !== 'ddl-failed') throw error;
      const to = await this.notePosition();
      const { stream } = this.route;
      const changed = await this.source.changedTables.executeWithOptions({ summary: 'first look' }, [{ stream, from, to }]);
      if (changed.tables.length === 0 && changed.otherObjects === 0) throw error;
    }
  }

  /** Until nothing has changed between one look and the next: tables again, then views, routines, triggers and events again. */
  private async settle(copiedFrom: Position): Promise<void> {
    const { stream } = this.route;
    this.enter('settling');
    let from = copiedFrom;
    let objectsRead = false;
    for (let look = 1, objectRounds = 0; ; look++) {
      const to = await this.notePosition();
      const changed = await this.source.changedTables.executeWithOptions({ summary: `look ${look}` }, [{ stream, from, to }]);
      from = to;
      if (changed.tables.length > 0) {
        if (this.round > COPY_ROUNDS)
          throw unsettled(`${changed.tables.length} tables were changed again in each of ${COPY_ROUNDS} rounds`);
        let tables = changed.tables;
        // Changes of a schema come in rows: later rounds wait for their end, and what changes while they wait is copied with the rest, not after it.
        if (this.round > 1) {
          await sleep(Math.min(1_000 * 2 ** this.round, 60_000), { summary: 'for the schema to settle' });
          if (patched('look-behind-the-wait')) {
            const now = await this.notePosition();
            const more = await this.source.changedTables.executeWithOptions({ summary: `look ${look}, again` }, [
              { stream, from, to: now },
            ]);
            tables = [...tables, ...more.tables.filter((it) => !tables.some((known) => isSame(known, it)))];
            from = now;
          }
        }
        this.round++;
        this.copiedAgain += tables.length;
        // All are gone before the first is made anew: a key between two of them fits their new forms alone.
        if (patched('gone-together'))
          await this.target.resetTables({ stream, bootstrap: this.input.bootstrap, tables, baseline: from, round: this.roundOfTables() });
        await this.copyTables(tables, false);
        objectsRead = false;
      } else if (!objectsRead || changed.otherObjects > 0) {
        if (++objectRounds > OBJECT_ROUNDS)
          throw unsettled(`views, routines, triggers or events were changed in each of ${OBJECT_ROUNDS} looks`);
        this.enter('objects');
        await this.schema('after-data', look);
        await this.schema('at-promotion', look);
        objectsRead = true;
      } else return;
    }
  }

  private async copyTables(tables: readonly TableName[], created: boolean): Promise<void> {
    this.toCopy = tables;
    this.done.clear();
    let next = 0;
    let failure: { readonly error: unknown } | null = null;
    const lane = async (): Promise<void> => {
      for (let table = tables[next++]; table !== undefined && failure === null; table = tables[next++]) {
        try {
          await this.copyTable(table, created);
        } catch (error) {
          failure ??= { error };
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.input.parallel ?? 4, tables.length) }, lane));
    const failed = failure as { readonly error: unknown } | null;
    if (failed !== null) throw failed.error;
  }

  private async copyTable(table: TableName, created: boolean): Promise<void> {
    const { bootstrap, rowsPerRange } = this.input;
    const name = `${table.database}.${table.table}`;
    const round = this.roundOfTables();
    const planned = this.plan.tables.find((it) => it.database === table.database && it.table === table.table);
    this.current.set(name, { rows: 0, bytesWire: 0, ranges: 0 });
    this.show();
    try {
      const child = await startChild<typeof bootstrapTable>('bootstrapTable', {
        workflowId: `${bootstrapTableWorkflowId(this.route, bootstrap, table.database, table.table)}-${this.round}`,
        args: [
          {
            route: this.route,
            bootstrap,
            table: { database: table.database, table: table.table },
            round,
            created,
            tableBytes: planned?.estimatedBytes ?? 0,
            ...(this.from === null ? {} : { from: this.from }),
            ...(rowsPerRange === undefined ? {} : { rowsPerRange }),
          },
        ],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        typedSearchAttributes: workAbout(this.route, 'bootstrap'),
        staticSummary: `copy of ${name}${this.round > 1 ? `, round ${this.round}` : ''}`,
      });
      const copy = await child.result();
      this.copied = {
        rows: this.copied.rows + copy.rows,
        bytesWire: this.copied.bytesWire + copy.bytesWire,
        ranges: this.copied.ranges + copy.ranges,
      };
      this.done.add(name);
    } finally {
      this.current.delete(name);
      this.show();
    }
  }

  /** Of the first of their attempts in this round. */
  private roundOfTables(): number {
    return (this.round - 1) * ATTEMPTS_A_ROUND;
  }

  private enter(phase: BootstrapProgress['phase']): void {
    this.phase = phase;
    this.show();
  }
  private show(): void {
    setCurrentDetails(bootstrapDetails(this.progress()));
  }
  private progress(): BootstrapProgress {
    const running = [...this.current.values()];
    const sum = (list: readonly number[]): number => list.reduce((total, it) => total + it, 0);
    return {
      phase: this.phase,
      round: this.round,
      tables: { done: this.done.size, total: this.toCopy.length === 0 ? this.plan.tables.length : this.toCopy.length },
      rows: {
        copied: this.copied.rows + sum(running.map((it) => it.rows)),
        estimated: sum(this.plan.tables.map((it) => it.estimatedRows)),
      },
      bytes: {
        wire: this.copied.bytesWire + sum(running.map((it) => it.bytesWire)),
        estimated: sum(this.plan.tables.map((it) => it.estimatedBytes)),
      },
      current: [...this.current.keys()],
    };
  }

  private end(
    outcome: BootstrapResult['outcome'],
    phase: BootstrapProgress['phase'],
    error: ErrorReport | null = null,
    from: Position | null = null,
    consistentFrom: Position | null = null,
  ): BootstrapResult {
    this.enter(phase);
    upsertSearchAttributes([{ key: OUTCOME, value: outcome }]);
    return {
      outcome,
      plan: this.plan,
      findings: this.findings,
      error,
      tables: this.plan.tables.length,
      rows: this.copied.rows,
      bytesWire: this.copied.bytesWire,
      ranges: this.copied.ranges,
      copiedAgain: this.copiedAgain,
      objects: this.objects,
      from,
      consistentFrom,
      milliseconds: Date.now() - this.started,
    };
  }
}

const isSame = (a: TableName, b: TableName): boolean => a.database === b.database && a.table === b.table;
