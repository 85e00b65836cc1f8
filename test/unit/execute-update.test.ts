import { WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { expect, test } from 'vitest';
import { executeUpdate } from '../../client/execute-update.js';

type Client = Parameters<typeof executeUpdate>[0];

/** A server that ends the first calls before it knows what became of them. */
function overloaded(calls: number): { readonly client: Client; readonly asked: string[] } {
  const asked: string[] = [];
  const handle = {
    executeUpdate: async (_: string, { updateId }: { updateId: string }) => {
      asked.push(updateId);
      if (asked.length <= calls) throw new WorkflowUpdateRPCTimeoutOrCancelledError('context deadline exceeded');
      return 'done';
    },
  };
  const client = { workflow: { getHandle: () => handle }, withDeadline: async (_: number, call: () => Promise<unknown>) => await call() };
  return { client: client as unknown as Client, asked };
}

test('a call that the server has ended is made again, and is the same command to it', async () => {
  const { client, asked } = overloaded(2);
  expect(await executeUpdate(client, 'srdf-stream-main.shop', 'suspend', { by: 'alice' })).toBe('done');
  expect(asked).toHaveLength(3);
  expect(new Set(asked).size).toBe(1);
});

test('a worker that takes nothing is told as silent, and not Temporal as unreachable', async () => {
  const { client } = overloaded(Number.POSITIVE_INFINITY);
  await expect(executeUpdate(client, 'srdf-stream-main.shop', 'suspend', { by: 'alice' }, 1_500)).rejects.toMatchObject({
    code: 'worker-silent',
    facts: { found: expect.stringContaining('may still be done') },
  });
});
