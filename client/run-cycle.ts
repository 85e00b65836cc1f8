/**
 * One cycle out of turn. What runs already is waited for first, which spares work; that two cycles side by side do no harm
 * is the ledger's merit, not this file's.
 */
import { ScheduleNotFoundError, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { cycleScheduleId, cycleWorkflowId } from '../temporal/ids.js';
import { workAbout } from '../temporal/search-attributes.js';
import { CONTROL_QUEUE } from '../temporal/task-queues.js';
import type { CycleInput, CycleResult } from '../workflows/cycle-result.js';
import type { StreamControl } from './control.js';

export async function runCycle(
  { temporal, streamRoute: route }: StreamControl,
  options: { readonly only?: 'capture' | 'ship' | 'apply'; readonly dryRun: boolean },
  signal: AbortSignal,
): Promise<CycleResult> {
  const input: CycleInput = { route, ...(options.only && { only: options.only }), ...(options.dryRun && { dryRun: true }) };
  // A cycle that doesn't replicate must not be taken for the last one by `status`: it has a name of its own.
  const workflowId = `${cycleWorkflowId(route)}${options.only === undefined ? '' : `-${options.only}-only`}${options.dryRun ? '-dry-run' : ''}`;
  const ended = (id: string) =>
    temporal.client.workflow
      .getHandle(id)
      .result()
      .catch(() => undefined);
  try {
    const { info } = await temporal.client.schedule.getHandle(cycleScheduleId(route)).describe();
    for (const running of info.runningActions) await ended(running.workflow.workflowId);
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
  for (;;) {
    try {
      const handle = await temporal.client.workflow.start('replicationCycle', {
        workflowId,
        taskQueue: CONTROL_QUEUE,
        args: [input],
        typedSearchAttributes: workAbout(route, 'cycle'),
        staticSummary: `replicate ${route.stream} by hand: ${route.source} → ${route.target}`,
      });
      // Ctrl-C leaves nothing half done: the cycle is asked to stop, and stops at a wagon's end.
      const cancel = () => void handle.cancel().catch(() => undefined);
      signal.addEventListener('abort', cancel, { once: true });
      try {
        return (await handle.result()) as CycleResult;
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError) || signal.aborted) throw error;
      await ended(workflowId);
    }
  }
}
