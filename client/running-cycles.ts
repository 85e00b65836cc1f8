/** The cycle that the schedule has started and that runs now. */
import { ScheduleNotFoundError, WorkflowNotFoundError } from '@temporalio/client';
import type { Route } from '../activities/contracts.js';
import type { TemporalClient } from '../temporal/connection.js';
import { cycleScheduleId } from '../temporal/ids.js';

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
  for (const id of ids)
    await temporal.client.workflow
      .getHandle(id)
      .signal('finish')
      .catch((error: unknown) => {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
  return ids;
}
