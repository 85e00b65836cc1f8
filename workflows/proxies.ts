/** One proxy for each task queue and retry class; workflows call activities through these alone. */
import type { Duration, RetryPolicy } from '@temporalio/common';
import { type ActivityInterfaceFor, type LocalActivityInterfaceFor, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Route, SourceActivities, TargetActivities } from '../activities/contracts.js';
import { BOOTSTRAP_RETRY, CYCLE_RETRY, QUESTION_RETRY } from '../temporal/retry-policies.js';
import { sourceQueue, targetQueue } from '../temporal/task-queues.js';

/** How long a class of activities may take. `scheduleToStartTimeout` is what tells a dead site. */
interface ActivityClass {
  readonly startToCloseTimeout: Duration;
  readonly scheduleToCloseTimeout: Duration;
  readonly scheduleToStartTimeout: Duration;
  readonly heartbeatTimeout?: Duration;
  readonly retry: RetryPolicy;
}

/** Work of a cycle: heartbeats tell a dead worker, so a single batch may take as long as a huge transaction needs. */
const cycleClass = (scheduleToStartTimeout: Duration): ActivityClass => ({
  startToCloseTimeout: '6h',
  scheduleToCloseTimeout: '12h',
  scheduleToStartTimeout,
  heartbeatTimeout: '12s',
  retry: CYCLE_RETRY,
});
/** Short steps of a bootstrap, without heartbeats: as patient as its long work, which would be lost with them. */
const BOOTSTRAP_STEP_CLASS: ActivityClass = {
  startToCloseTimeout: '2m',
  scheduleToCloseTimeout: '24h',
  scheduleToStartTimeout: '12h',
  retry: BOOTSTRAP_RETRY,
};
/** Work of a bootstrap or a comparison: outlasts the restart of a worker or a server. */
const BOOTSTRAP_CLASS: ActivityClass = { ...BOOTSTRAP_STEP_CLASS, startToCloseTimeout: '6h', heartbeatTimeout: '30s' };
/** Questions: short, without heartbeats. */
const QUESTION_CLASS: ActivityClass = {
  startToCloseTimeout: '2m',
  scheduleToCloseTimeout: '5m',
  scheduleToStartTimeout: '1m',
  retry: QUESTION_RETRY,
};

type Source = ActivityInterfaceFor<SourceActivities>;
type Target = ActivityInterfaceFor<TargetActivities>;

/** `cutWagons`, `shipWagons`, `confirmWagons` of a cycle. `patience`: how long a silent source site is waited for. */
export const sourceCycle = (route: Route, patience: Duration = '1m'): Source =>
  proxyActivities<SourceActivities>({ ...cycleClass(patience), taskQueue: sourceQueue(route) });
/** `applyWagons` of a cycle. */
export const targetCycle = (route: Route, patience: Duration = '1m'): Target =>
  proxyActivities<TargetActivities>({ ...cycleClass(patience), taskQueue: targetQueue(route) });

/** Everything long that a bootstrap or a comparison asks of the source. These activities MUST heartbeat. */
export const sourceBootstrap = (route: Route): Source =>
  proxyActivities<SourceActivities>({ ...BOOTSTRAP_CLASS, taskQueue: sourceQueue(route) });
/** Everything long that a bootstrap or a comparison asks of the target. These activities MUST heartbeat. */
export const targetBootstrap = (route: Route): Target =>
  proxyActivities<TargetActivities>({ ...BOOTSTRAP_CLASS, taskQueue: targetQueue(route) });

/** `notePosition`: no heartbeat needed. */
export const sourceBootstrapStep = (route: Route): Source =>
  proxyActivities<SourceActivities>({ ...BOOTSTRAP_STEP_CLASS, taskQueue: sourceQueue(route) });
/** `beginLoading`, `beginCatchUp`: no heartbeat needed. */
export const targetBootstrapStep = (route: Route): Target =>
  proxyActivities<TargetActivities>({ ...BOOTSTRAP_STEP_CLASS, taskQueue: targetQueue(route) });

/** `inspectSource`, `readSpool`: no heartbeat needed. */
export const sourceQuestions = (route: Route): Source =>
  proxyActivities<SourceActivities>({ ...QUESTION_CLASS, taskQueue: sourceQueue(route) });
/** `readLedger`, `inspectTarget`: no heartbeat needed. */
export const targetQuestions = (route: Route): Target =>
  proxyActivities<TargetActivities>({ ...QUESTION_CLASS, taskQueue: targetQueue(route) });

/** The target's own short reads, in the worker that runs the workflow: three history events less each time. */
export const targetLocal: LocalActivityInterfaceFor<TargetActivities> = proxyLocalActivities<TargetActivities>({
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '2m',
  retry: QUESTION_RETRY,
});
