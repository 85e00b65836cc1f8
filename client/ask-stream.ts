/** Gathers what is known of a stream: from Temporal (schedule, runs, bootstrap) and, through its workers, from both sites. */
import { randomUUID } from 'node:crypto';
import { ScheduleNotFoundError, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { ErrorReport, Route } from '../activities/contracts.js';
import type { StreamConfig } from '../config/schema.js';
import { SrdfError } from '../temporal/error-catalogue.js';
import { bootstrapWorkflowId, cycleScheduleId, cycleWorkflowId } from '../temporal/ids.js';
import { workAbout } from '../temporal/search-attributes.js';
import { CONTROL_QUEUE } from '../temporal/task-queues.js';
import type { BootstrapProgress, BootstrapResult } from '../workflows/bootstrap-result.js';
import type { CycleResult } from '../workflows/cycle-result.js';
import type { StreamFactsInput, StreamFactsResult } from '../workflows/stream-facts.js';
import type { PairControl } from './control.js';
import type { BootstrapFacts, StreamFacts } from './derive-status.js';
import { operatorError } from './operator-error.js';
import { renderProgress } from './rendering/establish.js';

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
  const id = cycleWorkflowId(route);
  let schedule: CycleFacts['schedule'] = null;
  let running = false;
  const ids = new Set<string>([id]);
  try {
    const described = await client.schedule.getHandle(cycleScheduleId(route)).describe();
    schedule = {
      paused: described.state.paused,
      note: described.state.note ?? null,
      next: described.info.nextActionTimes[0]?.getTime() ?? null,
    };
    running = described.info.runningActions.length > 0;
    for (const { action } of described.info.recentActions) ids.add(action.workflow.workflowId);
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
  const runs = (await Promise.all([...ids].map((it) => askRun(control, it)))).filter((it) => it !== null);
  const ended = runs.filter((it) => it.ended !== null).sort((a, b) => (b.ended ?? 0) - (a.ended ?? 0));
  running ||= runs.some((it) => it.ended === null);
  // The newest only: a result has to be fetched and decrypted for each.
  let lastCycle: CycleFacts['lastCycle'] = null;
  let lastCaughtUp: number | null = null;
  for (const run of ended) {
    const result = await askResult(control, run.id, run.runId);
    if (result === null) continue;
    lastCycle ??= { result, started: run.started, ended: run.ended ?? run.started };
    if (result.caughtUp && result.error === null) {
      lastCaughtUp = run.started;
      break;
    }
  }
  return { schedule, running, lastCycle, lastCaughtUp };
}

interface Run {
  readonly id: string;
  readonly runId: string;
  readonly started: number;
  readonly ended: number | null;
}

async function askRun({ temporal }: PairControl, id: string): Promise<Run | null> {
  try {
    const it = await temporal.client.workflow.getHandle(id).describe();
    const ended = it.closeTime?.getTime() ?? null;
    if (ended !== null && it.status.name !== 'COMPLETED') return null;
    return { id, runId: it.runId, started: it.startTime.getTime(), ended };
  } catch (error) {
    // A namespace keeps closed runs for a while only.
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
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
