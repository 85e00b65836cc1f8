import type { NativeConnection } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { registerSearchAttributes } from '../../temporal/search-attribute-registration.js';

/** As a server answers that can't list them. */
const answering = (code: number, message: string): NativeConnection => {
  const listSearchAttributes = async () => {
    throw Object.assign(new Error(`${code}: ${message}`), { code });
  };
  return { operatorService: { listSearchAttributes } } as unknown as NativeConnection;
};

// A worker waits for what is unreachable, and ends by any other error: a unit that has ended twenty times isn't started again.
test.each([
  ['whose database is starting', 14, 'unable to retrieve metadata', 'temporal-unreachable'],
  ['that doesn’t answer in time', 4, 'context deadline exceeded', 'temporal-unreachable'],
  ['with more to do than it can', 8, 'namespace rate limit exceeded', 'temporal-unreachable'],
  ['built anew, whose namespace is yet to be made', 5, 'Namespace main is not found', 'temporal-unreachable'],
  ['whose operator service is closed to us', 7, 'request unauthorized', 'temporal-missing'],
])('a server %s', async (_, code, message, expected) => {
  await expect(registerSearchAttributes(answering(code, message), 'main')).rejects.toMatchObject({ code: expected });
});
