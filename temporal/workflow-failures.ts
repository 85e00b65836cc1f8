/**
 * What becomes of a workflow whose own code fails: one that throws something else than a failure, or that the code of an upgraded worker can't
 * take further. Temporal's rule is to try such a task again for ever, with nobody told but the log. Pure.
 */
import type { WorkerOptions } from '@temporalio/worker';

/**
 * These end as failed: nothing is lost with their history, and the next run begins with the facts: a cycle with the ledger, by its schedule.
 * The others keep Temporal's rule: hours of a first copy, and an operator's decision that is awaited, wait for a worker that understands them.
 */
export const WORKFLOW_FAILURES: NonNullable<WorkerOptions['workflowFailureErrorTypes']> = {
  '*': [],
  replicationCycle: ['Error'],
  compare: ['Error'],
  compareTable: ['Error'],
  streamFacts: ['Error'],
};
