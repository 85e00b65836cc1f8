/** What a workflow that runs says of itself. */
import type { Client } from '@temporalio/client';

/** How long it is waited for, ms: without a worker that runs it, Temporal would keep whoever asks waiting. */
const PATIENCE = 10_000;

/** null: it doesn't run, or its worker is silent. */
export async function askProgress<Progress>(
  client: Pick<Client, 'withDeadline' | 'workflow'>,
  workflowId: string,
  patience = PATIENCE,
): Promise<Progress | null> {
  const asked = client.withDeadline(Date.now() + patience, () => client.workflow.getHandle(workflowId).query<Progress>('progress'));
  return await asked.catch(() => null);
}
