import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DevServer, startDevServer } from '../../temporal/dev-server.js';

describe('a Temporal dev server', () => {
  let directory = '';
  let server: DevServer | undefined;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'srdf-dev-server-'));
  });
  afterAll(async () => {
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('comes back after kill -9 with its schedules, and finds them by our search attributes', async () => {
    // A port asked for: an address in the environment doesn't stand in for it.
    server = await startDevServer({ directory, port: 17_233 + (process.pid % 1_000) });
    const connection = await Connection.connect({ address: server.address });
    const client = new Client({ connection });
    await client.schedule.create({
      scheduleId: 'kept',
      spec: { intervals: [{ every: '1h' }] },
      action: { type: 'startWorkflow', workflowType: 'nothing', taskQueue: 'nothing' },
      searchAttributes: { SrdfPair: ['paris-frankfurt'], SrdfEpoch: [1] },
    });
    await server.kill();
    await server.run();
    await expect
      .poll(
        async () => {
          const found: string[] = [];
          for await (const schedule of client.schedule.list({ query: "SrdfPair = 'paris-frankfurt' AND SrdfEpoch = 1" }))
            found.push(schedule.scheduleId);
          return found;
        },
        { timeout: 20_000 },
      )
      .toEqual(['kept']);
    await connection.close();
  });
});
