/** An operator's command to a workflow that runs, carried out once however often the way to it breaks. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { SrdfError } from '../temporal/error-catalogue.js';

/** How long the worker that runs the workflow is waited for, ms. */
const PATIENCE = 60_000;
const AGAIN = 1_000;

/**
 * A Temporal server under load ends a call before it knows what became of it, and would have an operator told that nothing was done. Asked again
 * by the same id, it answers for the update it has. Throws `worker-silent` when nobody has taken it.
 */
export async function executeUpdate<Result>(
  client: Pick<Client, 'withDeadline' | 'workflow'>,
  workflowId: string,
  name: string,
  request: unknown,
  patience = PATIENCE,
): Promise<Result> {
  const handle = client.workflow.getHandle(workflowId);
  const options = { updateId: randomUUID(), args: [request] as [unknown] };
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      return await client.withDeadline(deadline, () => handle.executeUpdate<Result, [unknown]>(name, options));
    } catch (error) {
      if (!(error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)) throw error;
      if (Date.now() + AGAIN >= deadline)
        throw new SrdfError('worker-silent', {
          tried: `telling the workflow ${workflowId} to ${name}`,
          found: `nobody answered in ${Math.round(patience / 1_000)} s; it may still be done once a worker takes it`,
          action: 'See that the worker of the target runs (srdf worker target), and what has become of it: srdf status',
          cause: error,
        });
      await pause(AGAIN);
    }
  }
}
