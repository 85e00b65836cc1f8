/** What Temporal knows of a stream's cycles: the schedule, the one that runs, and those that have ended. */
import { ScheduleNotFoundError, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { LedgerView, Route } from '../activities/contracts.js';
import { cycleScheduleId, cycleWorkflowId } from '../temporal/ids.js';
import { OUTCOME } from '../temporal/search-attributes.js';
import type { CycleProgress, CycleResult } from '../workflows/cycle-result.js';
import { askProgress } from './ask-progress.js';
import type { PairControl } from './control.js';
import { appliedThrough, cycleFailure, type Proof, proofOf, proofOfLive, type SeenCycle } from './cycle-facts.js';
import type { StreamFacts } from './derive-status.js';
import { scheduledCycles } from './running-cycles.js';

export interface CyclesSeen extends Pick<StreamFacts, 'schedule' | 'running'> {
  /** What the continuous cycle that runs says of itself; null: none runs, or its worker is silent. */
  readonly live: CycleProgress | null;
  /** The newest that has ended, however it did. */
  readonly ended: SeenCycle | null;
  /** Those that went well, newest first. */
  readonly wentWell: readonly Run[];
}

/** During a long outage all other runs say nothing of the log's end. */
const MOST_CYCLES = 20;
/** A run that went on as a new one hasn't ended. */
const ENDED = "ExecutionStatus IN ('Completed', 'Failed', 'Canceled', 'Terminated', 'TimedOut')";
const WENT_WELL = `ExecutionStatus = 'Completed' AND (${OUTCOME.name} IS NULL OR ${OUTCOME.name} IN ('idle', 'replicated'))`;

export async function askCycles(control: PairControl, route: Route): Promise<CyclesSeen> {
  const { client } = control.temporal;
  let schedule: CyclesSeen['schedule'] = null;
  let running = false;
  try {
    const { state, info } = await client.schedule.getHandle(cycleScheduleId(route)).describe();
    schedule = {
      paused: state.paused,
      note: state.note ?? null,
      next: info.nextActionTimes[0]?.getTime() ?? null,
      since: Math.max(info.createdAt.getTime(), info.lastUpdatedAt?.getTime() ?? 0),
    };
    running = info.runningActions.length > 0;
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
  running ||= (await listRuns(control, route, "ExecutionStatus = 'Running'", 1)).length > 0;
  const live = running ? await askContinuous(control, route) : null;
  const [newest] = await listRuns(control, route, ENDED, 1);
  return {
    schedule,
    running,
    live,
    ended: newest === undefined ? null : await seen(control, route, newest),
    wentWell: await listRuns(control, route, WENT_WELL, MOST_CYCLES),
  };
}

/** Up to when all that was committed is on the target as it stands: `present` has to be asked for after the cycles. */
export async function askAppliedThrough(
  control: PairControl,
  { live, wentWell }: Pick<CyclesSeen, 'live' | 'wentWell'>,
  present: LedgerView | null,
): Promise<number | null> {
  if (present === null) return null;
  const proofs: Proof[] = live === null ? [] : [proofOfLive(live)];
  let found = appliedThrough(proofs, present);
  for (const run of wentWell) {
    if (found !== null) break;
    const result = await askResult(control, run).catch(without);
    if (result != null) proofs.push(proofOf(result, run.started));
    found = appliedThrough(proofs, present);
  }
  return found;
}

/** A continuous cycle tells while it runs what another tells when it has ended. */
async function askContinuous({ temporal }: PairControl, route: Route): Promise<CycleProgress | null> {
  for (const id of await scheduledCycles(temporal, route)) {
    const progress = await askProgress<CycleProgress>(temporal.client, id);
    if (progress?.continuous === true) return progress;
  }
  return null;
}

interface Run {
  readonly id: string;
  readonly runId: string;
  readonly started: number;
  readonly ended: number;
}

/** The stream's whole cycles, newest first: the schedule's and those by hand, but no dry runs and no single phases. */
async function listRuns({ temporal }: PairControl, route: Route, condition: string, most: number): Promise<readonly Run[]> {
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

async function seen(control: PairControl, route: Route, run: Run): Promise<SeenCycle | null> {
  const { started, ended } = run;
  try {
    const result = await askResult(control, run);
    return result && { result, started, ended };
  } catch (error) {
    if (error instanceof WorkflowFailedError) return { failure: cycleFailure(error.cause, route.stream), started, ended };
    return without(error);
  }
}

/** null: not the result of a cycle. Throws for a run that ended without one. */
async function askResult({ temporal }: PairControl, { id, runId }: Run): Promise<CycleResult | null> {
  const result = (await temporal.client.workflow.getHandle(id, runId).result()) as Partial<CycleResult>;
  return result.outcome === undefined ? null : (result as CycleResult);
}

/** Its history may be gone while the list still has it. */
function without(error: unknown): null {
  if (error instanceof WorkflowNotFoundError || error instanceof WorkflowFailedError) return null;
  throw error;
}
