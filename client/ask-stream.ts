/** Gathers what is known of a stream: from Temporal (schedule, runs, bootstrap) and, through its workers, from both sites. */
import { randomUUID } from 'node:crypto';
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { ErrorReport, Route } from '../activities/contracts.js';
import type { StreamConfig } from '../config/schema.js';
import { SrdfError } from '../temporal/error-catalogue.js';
import { bootstrapWorkflowId } from '../temporal/ids.js';
import { workAbout } from '../temporal/search-attributes.js';
import { controlQueue } from '../temporal/task-queues.js';
import type { BootstrapProgress, BootstrapResult } from '../workflows/bootstrap-result.js';
import type { StreamFactsInput, StreamFactsResult } from '../workflows/stream-facts.js';
import { askAppliedThrough, askCycles } from './ask-cycles.js';
import { askProgress } from './ask-progress.js';
import type { PairControl } from './control.js';
import { newestCycle } from './cycle-facts.js';
import type { BootstrapFacts, StreamFacts } from './derive-status.js';
import { operatorError, reportOf } from './operator-error.js';
import { renderProgress } from './rendering/establish.js';

/** How long the source's worker, and how long the target's worker, is waited for before it counts as silent, ms. */
const SOURCE_PATIENCE = 4_000;
const TARGET_PATIENCE = 10_000;

/** The cycles before the sites: a cycle that knows more than the ledger then tells of a target that went back, and not of the moment between. */
export async function askStream(control: PairControl, stream: StreamConfig): Promise<StreamFacts> {
  const route = control.route(stream);
  const [{ schedule, running, live, ended, wentWell }, bootstrap] = await Promise.all([
    askCycles(control, route),
    askBootstrap(control, route),
  ]);
  const { target, source } = await askSites(control, route);
  const present = 'known' in target ? target.known.ledger : null;
  const lastCaughtUp = await askAppliedThrough(control, { live, wentWell }, present);
  const now = Date.now();
  return {
    stream: stream.name,
    now,
    every: stream.every,
    schedule,
    running,
    lastCycle: newestCycle(live, ended, now),
    lastCaughtUp,
    target: 'known' in target ? { ledger: target.known } : target,
    source: 'known' in source ? { spool: source.known } : source,
    bootstrap,
  };
}

/** What both sites know at this moment, each site's silence told as its error. */
export async function askSites({ temporal }: Pick<PairControl, 'temporal'>, route: Route): Promise<StreamFactsResult> {
  const input: StreamFactsInput = { route, patienceMilliseconds: SOURCE_PATIENCE };
  const handle = await temporal.client.workflow.start('streamFacts', {
    workflowId: `srdf-facts-${route.pair}-${route.stream}-${randomUUID()}`,
    taskQueue: controlQueue(route),
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

async function askBootstrap({ temporal }: PairControl, route: Route): Promise<BootstrapFacts | null> {
  const handle = temporal.client.workflow.getHandle(bootstrapWorkflowId(route));
  try {
    const { status } = await handle.describe();
    if (status.name === 'RUNNING') {
      const progress = await askProgress<BootstrapProgress>(temporal.client, handle.workflowId);
      return { running: true, error: null, progress: progress && renderProgress(progress) };
    }
    const { error } = (await handle.result()) as BootstrapResult;
    return { running: false, error, progress: null };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    const known = operatorError(error);
    if (!(known instanceof SrdfError)) throw known;
    return { running: false, error: reportOf(known), progress: null };
  }
}
