/** Gathers what is known of a stream: from Temporal (schedule, runs, bootstrap) and, through its workers, from both sites. */
import { randomUUID } from 'node:crypto';
import { ScheduleNotFoundError, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { ErrorReport, Route } from '../activities/contracts.js';
import type { StreamConfig } from '../config/schema.js';
import { SrdfError } from '../temporal/error-catalogue.js';
import { bootstrapWorkflowId, cycleScheduleId, cycleWorkflowId } from '../temporal/ids.js';
import { OUTCOME, workAbout } from '../temporal/search-attributes.js';
import { CONTROL_QUEUE } from '../temporal/task-queues.js';
import type { BootstrapProgress, BootstrapResult } from '../workflows/bootstrap-result.js';
import type { CycleProgress, CycleResult } from '../workflows/cycle-result.js';
import type { StreamFactsInput, StreamFactsResult } from '../workflows/stream-facts.js';
import type { PairControl } from './control.js';
import type { BootstrapFacts, StreamFacts } from './derive-status.js';
import { operatorError } from './operator-error.js';
import { renderProgress } from './rendering/establish.js';
import { scheduledCycles } from './running-cycles.js';

/** How long the source's worker, and how long the target's worker, is waited for before it counts as silent, ms. */
const SOURCE_PATIENCE = 4_000;
const TARGET_PATIENCE = 10_000;

export async function askStream(control: PairControl, stream: StreamConfig): Promise<StreamFacts> {
  const route = control.route(stream);
  const [cycles, sites, bootstrap] = await Promise.all([askCycles(control, route), askSites(control, route), askBootstrap(control, route)]);
  return {
    stream: stream.name,
    now: Date.now(),
    every: stream.every,
    ...cycles,
    target: 'known' in sites.target ? { ledger: sites.target.known } : sites.target,
    source: 'known' in sites.source ? { spool: sites.source.known } : sites.source,
    bootstrap,
  };
}

/** What both sites know at this moment, each site's silence told as its error. */
export async function askSites({ temporal }: Pick<PairControl, 'temporal'>, route: Route): Promise<StreamFactsResult> {
  const input: StreamFactsInput = { route, patienceMilliseconds: SOURCE_PATIENCE };
  const handle = await temporal.client.workflow.start('streamFacts', {
    workflowId: `srdf-facts-${route.pair}-${route.stream}-${randomUUID()}`,
    taskQueue: CONTROL_QUEUE,
    args: [input],
    typedSearchAttributes: workAbout(route, 'status'),
    // Without a worker the question would wait for ever: it dies with the patience of whoever asked.
    workflowExecutionTimeout: TARGET_PATIENCE,
  });
  try {
    return (await handle.result()) as StreamFactsResult;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const silent: ErrorReport = {
      code: 'worker-silent',
      tried: `asking the target site ${route.target}`,
      found: `its worker gave no answer in ${TARGET_PATIENCE / 1_000} s`,
      action: 'Start the worker there: srdf worker target',
    };
    return {
      target: { error: silent },
      source: { error: { ...silent, tried: `asking the source site ${route.source} through the target's worker` } },
    };
  }
}

type CycleFacts = Pick<StreamFacts, 'schedule' | 'running' | 'lastCycle' | 'lastCaughtUp'>;

async function askCycles(control: PairControl, route: Route): Promise<CycleFacts> {
  const { client } = control.temporal;
  let schedule: CycleFacts['schedule'] = null;
  let running = false;
  try {
    const described = await client.schedule.getHandle(cycleScheduleId(route)).describe();
    schedule = {
      paused: described.state.paused,
      note: described.state.note ?? null,
      next: described.info.nextActionTimes[0]?.getTime() ?? null,
    };
    running = described.info.runningActions.length > 0;
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
  running ||= (await endedOrRunning(control, route, "ExecutionStatus = 'Running'", 1)).length > 0;
  const live = running ? await askContinuous(control, route) : null;
  if (live !== null) {
    const now = Date.now();
    return {
      schedule,
      running,
      lastCycle: { result: live.result, started: now - live.result.milliseconds.total, ended: now },
      lastCaughtUp: live.appliedThrough,
    };
  }
  const [newest] = await endedOrRunning(control, route, "ExecutionStatus = 'Completed'", 1);
  const lastCycle = newest === undefined ? null : { ...newest, result: await askResult(control, newest.id, newest.runId) };
  return {
    schedule,
    running,
    lastCycle: lastCycle?.result == null ? null : { result: lastCycle.result, started: lastCycle.started, ended: lastCycle.ended },
    lastCaughtUp: await askCaughtUp(control, route),
  };
}

/** A continuous cycle tells while it runs what another tells when it has ended. null: none runs, or its worker is silent. */
async function askContinuous({ temporal }: PairControl, route: Route): Promise<CycleProgress | null> {
  for (const id of await scheduledCycles(temporal, route)) {
    const asked = temporal.client.withDeadline(Date.now() + TARGET_PATIENCE, () =>
      temporal.client.workflow.getHandle(id).query<CycleProgress>('progress'),
    );
    const progress = await asked.catch(() => null);
    if (progress?.continuous === true) return progress;
  }
  return null;
}

/** Looks at the newest cycles that went well only: during a long outage all the others say nothing of the log's end. */
async function askCaughtUp(control: PairControl, route: Route): Promise<number | null> {
  const wentWell = `ExecutionStatus = 'Completed' AND (${OUTCOME.name} IS NULL OR ${OUTCOME.name} IN ('idle', 'replicated'))`;
  for (const run of await endedOrRunning(control, route, wentWell, MOST_CYCLES)) {
    const result = await askResult(control, run.id, run.runId);
    if (result?.caughtUp && result.error === null && LOOKED_AT_THE_LOG.has(result.outcome)) return run.started;
  }
  return null;
}
/** A suspended stream's cycle has read nothing, whatever it says of the log. */
const LOOKED_AT_THE_LOG: ReadonlySet<CycleResult['outcome']> = new Set(['idle', 'replicated']);
const MOST_CYCLES = 20;

interface Run {
  readonly id: string;
  readonly runId: string;
  readonly started: number;
  readonly ended: number;
}

/** The stream's whole cycles, newest first: the schedule's and those by hand, but no dry runs and no single phases. */
async function endedOrRunning({ temporal }: PairControl, route: Route, condition: string, most: number): Promise<readonly Run[]> {
  const base = cycleWorkflowId(route);
  // The schedule appends the time of its tick; a stream whose name only begins alike must not be taken for this one.
  const own = new RegExp(`^${base}(-\\d{4}-\\d{2}-\\d{2}T[^-]*)?$`);
  const runs: Run[] = [];
  const query = `WorkflowType = 'replicationCycle' AND WorkflowId STARTS_WITH '${base}' AND ${condition}`;
  try {
    for await (const it of temporal.client.workflow.list({ query, pageSize: 100 })) {
      if (!own.test(it.workflowId)) continue;
      const started = it.startTime.getTime();
      runs.push({ id: it.workflowId, runId: it.runId, started, ended: it.closeTime?.getTime() ?? started });
      if (runs.length === most) break;
    }
  } catch (error) {
    // A namespace in which no worker has ever registered the search attributes has no cycles either.
    if (error instanceof Error && /invalid.*query|search attribute/i.test(error.message)) return [];
    throw error;
  }
  return runs;
}

async function askResult({ temporal }: PairControl, id: string, runId: string): Promise<CycleResult | null> {
  try {
    const result = (await temporal.client.workflow.getHandle(id, runId).result()) as CycleResult & { dryRun?: boolean };
    return result.outcome === undefined ? null : result;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || error instanceof WorkflowFailedError) return null;
    throw error;
  }
}

async function askBootstrap({ temporal }: PairControl, route: Route): Promise<BootstrapFacts | null> {
  const handle = temporal.client.workflow.getHandle(bootstrapWorkflowId(route));
  try {
    const { status } = await handle.describe();
    if (status.name === 'RUNNING') {
      const progress = await handle.query<BootstrapProgress>('progress').catch(() => null);
      return { running: true, error: null, progress: progress && renderProgress(progress) };
    }
    const { error } = (await handle.result()) as BootstrapResult;
    return { running: false, error, progress: null };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    const known = operatorError(error);
    if (!(known instanceof SrdfError)) throw known;
    const { tried, found, action } = known.facts;
    return { running: false, error: { code: known.code, tried, found, action }, progress: null };
  }
}
