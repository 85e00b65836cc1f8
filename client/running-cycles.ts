/** The cycles that run now: the one that the schedule has started, and those by hand. */
import { ScheduleNotFoundError, type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import type { Route } from '../activities/contracts.js';
import type { TemporalClient } from '../temporal/connection.js';
import { cycleScheduleId, cycleWorkflowId } from '../temporal/ids.js';
import type { CycleInput } from '../workflows/cycle-result.js';
import type { FinishRequest } from '../workflows/cycle-signals.js';

/** A cycle that doesn't replicate must not be taken for the last one by `status`: it has a name of its own. */
export const handCycleId = (route: Route, { only, dryRun = false }: Pick<CycleInput, 'only' | 'dryRun'>): string =>
  `${cycleWorkflowId(route)}${only === undefined ? '' : `-${only}-only`}${dryRun ? '-dry-run' : ''}`;
/** A dry run writes nothing, so nobody has to wait for its end. */
const BY_HAND: readonly Pick<CycleInput, 'only'>[] = [{}, { only: 'capture' }, { only: 'ship' }, { only: 'apply' }];

/** Workflow ids; none without a schedule. Never more than one, unless the schedule was made anew meanwhile. */
export async function scheduledCycles({ client }: Pick<TemporalClient, 'client'>, route: Route): Promise<readonly string[]> {
  try {
    const { info } = await client.schedule.getHandle(cycleScheduleId(route)).describe();
    return info.runningActions.map((it) => it.workflow.workflowId);
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return [];
    throw error;
  }
}

/** A continuous cycle would stay for ever: asked to finish, it ends once what it has begun is through. Returns the ids of those asked. */
export async function finishCycles(temporal: Pick<TemporalClient, 'client'>, route: Route): Promise<readonly string[]> {
  const ids = await scheduledCycles(temporal, route);
  for (const id of ids) await finish(temporal.client.workflow.getHandle(id), {});
  return ids;
}

/**
 * The stream's mode forbids cycles from now on: whatever runs, by hand as well, begins nothing more and ends at a wagon's end.
 * Returns those that were running.
 */
export async function restCycles({ client }: Pick<TemporalClient, 'client'>, route: Route): Promise<readonly WorkflowHandle[]> {
  const ids = [...(await scheduledCycles({ client }, route)), ...BY_HAND.map((it) => handCycleId(route, it))];
  const running: WorkflowHandle[] = [];
  for (const handle of ids.map((id) => client.workflow.getHandle(id))) if (await finish(handle, { rest: true })) running.push(handle);
  return running;
}

/** Whether it was running. */
async function finish(handle: WorkflowHandle, request: FinishRequest): Promise<boolean> {
  try {
    await handle.signal<[FinishRequest]>('finish', request);
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
