import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { askProgress } from '../../client/ask-progress.js';

type Client = Parameters<typeof askProgress>[0];

/** As Temporal does with a question to a workflow whose worker is dead: it keeps it. */
const unanswered = {
  workflow: { getHandle: () => ({ query: () => new Promise(() => undefined) }) },
  withDeadline: async (deadline: number, call: () => Promise<unknown>) =>
    await Promise.race([
      call(),
      setTimeout(deadline - Date.now()).then(() => {
        throw new Error('4 DEADLINE_EXCEEDED');
      }),
    ]),
} as unknown as Client;

test('a workflow whose worker is dead is waited for a while, and not for ever', async () => {
  expect(await askProgress(unanswered, 'srdf-bootstrap-main.shop', 200)).toBeNull();
});
