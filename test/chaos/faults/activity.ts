/** Activities that Temporal loses, doubles or gives up while they still run: each leaves a writer whom nobody knows any more. */
import type { Pair } from '../../integration/pair.js';
import type { Fault } from '../contract.js';
import { type HeldActivity, heldActivity, pointsOfActivities, triedAgain } from '../held-activity.js';
import { until } from '../until.js';

const ALL = pointsOfActivities('all');
/** A worker's heartbeats stop for as long as it takes to be given up: 12 s in a cycle. A bootstrap has 30 s of patience. */
const CYCLE_ALONE = pointsOfActivities('cycle');
const GIVEN_UP_SECONDS = 40;
const nothing = async () => undefined;

/** As if the worker had said so itself: Temporal forgets the attempt and makes another. */
async function lose(pair: Pair, { workflowId, runId, activityId }: HeldActivity): Promise<void> {
  const { connection, namespace } = pair.temporalClient;
  await connection.workflowService.respondActivityTaskFailedById({
    namespace,
    workflowId,
    runId,
    activityId,
    identity: 'chaos',
    failure: { message: 'lost by the fault matrix', source: 'chaos', applicationFailureInfo: { type: 'lost', nonRetryable: false } },
  });
}

const lost: Fault = {
  name: 'the activity’s result lost',
  group: 'activity',
  points: ALL,
  expected: 'goes on',
  async inflict(pair, at) {
    await lose(pair, await heldActivity(pair, at));
    return nothing;
  },
};

const doubled: Fault = {
  name: 'the activity doubled',
  group: 'activity',
  points: ALL,
  expected: 'goes on',
  async inflict(pair, at) {
    const activity = await heldActivity(pair, at);
    await lose(pair, activity);
    await triedAgain(pair, activity, 'running', 30);
    return nothing;
  },
};

/** The worker stands still, as under a hypervisor that pauses it, until Temporal has given its activity up; then it goes on with it. */
const zombie: Fault = {
  name: 'the activity given up while it runs on',
  group: 'activity',
  points: CYCLE_ALONE,
  expected: 'goes on',
  async inflict(pair, at) {
    const activity = await heldActivity(pair, at);
    const { pid } = pair.workers[activity.side];
    if (pid === undefined) throw new Error(`the ${activity.side} worker doesn't run`);
    process.kill(pid, 'SIGSTOP');
    try {
      await triedAgain(pair, activity, 'due', GIVEN_UP_SECONDS);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await triedAgain(pair, activity, 'running', 30);
    return nothing;
  },
};

const orphaned: Fault = {
  name: 'the cycle ended by hand, the next one begun, while its activity runs on',
  group: 'activity',
  points: CYCLE_ALONE,
  expected: 'goes on',
  async inflict(pair, at) {
    const { workflowId, runId } = await heldActivity(pair, at);
    const { workflow } = pair.temporalClient.client;
    await workflow.getHandle(workflowId, runId).terminate('ended by the fault matrix');
    await until('the next cycle runs', 30, async () => {
      for await (const it of workflow.list({ query: "ExecutionStatus = 'Running' AND WorkflowType = 'replicationCycle'" }))
        if (it.runId !== runId) return true;
      return false;
    });
    return nothing;
  },
};

export const ACTIVITY_FAULTS: readonly Fault[] = [lost, doubled, zombie, orphaned];
