/** The activity on whose behalf a process is held at a point, as Temporal sees it. */
import type { FaultPoint } from '../../activities/fault-points.js';
import type { Pair, Side } from '../integration/pair.js';
import { until } from './until.js';

/** Activities that come to a point. Those of the receiver come there while the source's `shipWagons` waits for the answer. */
const ACTIVITIES: Readonly<Record<string, readonly FaultPoint[]>> = {
  cutWagons: ['log-opening', 'wagon-cut', 'spool-writing', 'spool-synced', 'spool-named'],
  shipWagons: ['first-byte-sent', 'last-byte-sent', 'wagon-arriving', 'inbox-synced', 'inbox-named', 'received-signed', 'received-saved'],
  applyWagons: [
    ...(['wagon-opening', 'apply-begun', 'rows-written', 'ledger-moved', 'committed', 'applied-signed', 'inbox-released'] as const),
    ...(['ddl-intent', 'ddl-executed', 'ddl-done'] as const),
  ],
  confirmWagons: ['applied-verified', 'confirmed', 'spool-released'],
  shipSchema: ['schema-shipped'],
  loadSchema: ['schema-created'],
  shipRange: ['range-read', 'range-shipped'],
  loadRange: ['range-written', 'range-loaded'],
};
const AT_SOURCE = new Set(['cutWagons', 'shipWagons', 'confirmWagons', 'shipSchema', 'shipRange']);
const CYCLE = new Set(['cutWagons', 'shipWagons', 'applyWagons', 'confirmWagons']);

export const pointsOfActivities = (of: 'all' | 'cycle'): readonly FaultPoint[] =>
  Object.entries(ACTIVITIES).flatMap(([name, points]) => (of === 'all' || CYCLE.has(name) ? points : []));

export interface HeldActivity {
  readonly workflowId: string;
  readonly runId: string;
  readonly activityId: string;
  /** Whose worker runs it. */
  readonly side: Side;
}

export async function heldActivity(pair: Pair, point: FaultPoint | undefined): Promise<HeldActivity> {
  const name = Object.keys(ACTIVITIES).find((it) => point !== undefined && ACTIVITIES[it]?.includes(point));
  if (name === undefined) throw new Error(`no activity comes to ${point}`);
  let held: HeldActivity | null = null;
  await until(`Temporal shows ${name} at work`, 15, async () => {
    for await (const { workflowId, runId } of pair.temporalClient.client.workflow.list({ query: "ExecutionStatus = 'Running'" })) {
      const activity = (await pending(pair, workflowId, runId)).find((it) => it.name === name && it.started);
      if (activity !== undefined)
        held = { workflowId, runId, activityId: activity.activityId, side: AT_SOURCE.has(name) ? 'source' : 'target' };
    }
    return held !== null;
  });
  if (held === null) throw new Error(`Temporal shows no ${name} at work`);
  return held;
}

/** Until a later attempt of it runs, or is at least due, or nothing of it is left to do. */
export async function triedAgain(pair: Pair, { workflowId, runId, activityId }: HeldActivity, attempt: 'due' | 'running', seconds: number) {
  await until(`a second attempt is ${attempt}`, seconds, async () => {
    const activity = (await pending(pair, workflowId, runId)).find((it) => it.activityId === activityId);
    return activity === undefined || (activity.attempt > 1 && (attempt === 'due' || activity.started));
  });
}

async function pending(pair: Pair, workflowId: string, runId: string) {
  const { raw } = await pair.temporalClient.client.workflow.getHandle(workflowId, runId).describe();
  return (raw.pendingActivities ?? []).map((it) => ({
    name: it.activityType?.name ?? '',
    activityId: it.activityId ?? '',
    attempt: it.attempt ?? 1,
    // PENDING_ACTIVITY_STATE_STARTED
    started: it.state === 2,
  }));
}
