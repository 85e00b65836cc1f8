/**
 * One cycle out of turn. What runs already is waited for first (a continuous cycle is asked to finish; the schedule starts it again), which spares work; that two cycles side by side do no harm
 * is the ledger's merit, not this file's.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { workAbout } from '../temporal/search-attributes.js';
import { controlQueue } from '../temporal/task-queues.js';
import type { CycleInput, CycleResult } from '../workflows/cycle-result.js';
import type { StreamControl } from './control.js';
import { finishCycles, handCycleId } from './running-cycles.js';

export async function runCycle(
  { temporal, streamRoute: route }: StreamControl,
  options: { readonly only?: 'capture' | 'ship' | 'apply'; readonly dryRun: boolean },
  signal: AbortSignal,
): Promise<CycleResult> {
  const input: CycleInput = { route, ...(options.only && { only: options.only }), ...(options.dryRun && { dryRun: true }) };
  const workflowId = handCycleId(route, options);
  const ended = (id: string) =>
    temporal.client.workflow
      .getHandle(id)
      .result()
      .catch(() => undefined);
  for (const running of await finishCycles(temporal, route)) await ended(running);
  for (;;) {
    try {
      const handle = await temporal.client.workflow.start('replicationCycle', {
        workflowId,
        taskQueue: controlQueue(route),
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
