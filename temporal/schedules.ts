/** The schedule that starts a stream's cycles. Single flight: a tick that finds a cycle running is skipped. */
import { type Client, ScheduleAlreadyRunning, type ScheduleHandle, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Route } from '../activities/contracts.js';
import type { CycleInput } from '../workflows/cycle-result.js';
import { cycleScheduleId, cycleWorkflowId } from './ids.js';
import { workAbout } from './search-attributes.js';
import { controlQueue } from './task-queues.js';

export interface CycleScheduleOptions {
  /** From the stream's `every`: ms between ticks, or one cycle that stays on the log. */
  readonly every: number | 'continuous';
  /** Created paused: a stream that isn't established yet has nothing to replicate. */
  readonly paused?: boolean;
  /** Shown in the UI beside the schedule. */
  readonly note?: string;
}

/**
 * A missed tick needs no backfill, since a cycle goes on from the ledger: so the catch-up window is a minute
 * (the server's default is a year: a stampede after an outage), and a failed cycle never pauses the schedule.
 */
const POLICIES = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m', pauseOnFailure: false } as const;

/** Ticks of a continuous stream only start its cycle again after it has ended, be it for an error: ms. */
const CONTINUOUS_TICK = 5_000;

const action = (route: Route, every: CycleScheduleOptions['every']) => ({
  type: 'startWorkflow' as const,
  workflowType: 'replicationCycle',
  workflowId: cycleWorkflowId(route),
  taskQueue: controlQueue(route),
  args: [{ route, ...(every === 'continuous' && { continuous: true }) } satisfies CycleInput],
  typedSearchAttributes: workAbout(route, 'cycle'),
  staticSummary: `replicate ${route.stream}: ${route.source} → ${route.target}`,
});

/** Creates the schedule, or brings an existing one in line with the config; its pause is left as it is unless `paused` says otherwise. */
export async function ensureCycleSchedule(client: Client, route: Route, options: CycleScheduleOptions): Promise<ScheduleHandle> {
  const scheduleId = cycleScheduleId(route);
  const spec = { intervals: [{ every: options.every === 'continuous' ? CONTINUOUS_TICK : options.every }] };
  try {
    return await client.schedule.create({
      scheduleId,
      spec,
      action: action(route, options.every),
      policies: POLICIES,
      typedSearchAttributes: workAbout(route, 'cycle'),
      state: { paused: options.paused ?? false, ...(options.note !== undefined && { note: options.note }) },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const handle = client.schedule.getHandle(scheduleId);
    await handle.update((before) => ({
      spec,
      action: action(route, options.every),
      policies: POLICIES,
      state: { ...before.state, paused: options.paused ?? before.state.paused, ...(options.note !== undefined && { note: options.note }) },
    }));
    return handle;
  }
}

/** `note` is shown in the UI beside the pause. */
export const pauseCycles = async (client: Client, route: Route, note: string): Promise<void> =>
  await client.schedule.getHandle(cycleScheduleId(route)).pause(note);
export const unpauseCycles = async (client: Client, route: Route, note: string): Promise<void> =>
  await client.schedule.getHandle(cycleScheduleId(route)).unpause(note);
/** A tick out of turn; skipped like any other when a cycle is running. */
export const triggerCycle = async (client: Client, route: Route): Promise<void> =>
  await client.schedule.getHandle(cycleScheduleId(route)).trigger(ScheduleOverlapPolicy.SKIP);

/** Removes the schedule; false when there was none. A cycle that runs ends by itself. */
export async function deleteCycleSchedule(client: Client, route: Route): Promise<boolean> {
  try {
    await client.schedule.getHandle(cycleScheduleId(route)).delete();
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}
