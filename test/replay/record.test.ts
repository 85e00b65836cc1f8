/**
 * Records histories of real runs: real servers, the real workers, every workflow. Not part of `npm test`.
 *   SRDF_RECORD_HISTORIES=1 npx vitest run test/replay/record.test.ts
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { describe, expect, it } from 'vitest';
import { routeOf } from '../../client/control.js';
import { loadConfig, streamOf } from '../../config/load.js';
import { ENCRYPTED_ENCODING, EncryptingPayloadCodec, parsePayloadKey } from '../../temporal/payload-codec.js';
import { controlQueue } from '../../temporal/task-queues.js';
import type { CycleInput } from '../../workflows/cycle-result.js';
import { Pair } from '../integration/pair.js';

const directory = new URL('./histories/', import.meta.url);

describe.runIf(process.env.SRDF_RECORD_HISTORIES === '1')('recording', () => {
  it('leaves a history of every workflow', async () => {
    const pair = await Pair.start({ kind: 'mariadb', workers: false, serverOptions: ['--log-bin-trust-function-creators=ON'] });
    try {
      await pair.source.sql(`
        CREATE DATABASE shop;
        CREATE TABLE shop.orders (id INT PRIMARY KEY AUTO_INCREMENT, who VARCHAR(50), amount DECIMAL(10,2));
        INSERT INTO shop.orders (who, amount) VALUES ('secret-row 1', 1), ('secret-row 2', 2), ('secret-row 3', 3)`);
      await pair.startWorkers();
      await pair.establish();
      await keep(pair, 'bootstrap', 'done');
      await keep(pair, 'bootstrapTable', 'done');
      expect((await pair.cycle()).outcome).toBe('idle');
      await keep(pair, 'replicationCycle', 'idle');

      await pair.source.sql(`
        INSERT INTO shop.orders (who) VALUES ('secret-row 4');
        ALTER TABLE shop.orders ADD COLUMN note TEXT;
        UPDATE shop.orders SET note = 'secret-row' WHERE id = 1`);
      expect((await pair.cycle()).outcome).toBe('replicated');
      await keep(pair, 'replicationCycle', 'replicated');

      await continuously(pair);

      await pair.must('verify', pair.name);
      await keep(pair, 'compare', 'identical');
      await keep(pair, 'compareTable', 'identical');

      await pair.target.sql('DELETE FROM shop.orders WHERE id = 2');
      await pair.source.sql('UPDATE shop.orders SET amount = 7 WHERE id = 2');
      await pair.srdf('cycle', pair.name);
      await keep(pair, 'replicationCycle', 'dead-lettered');
      await pair.target.sql("INSERT INTO shop.orders (id, who, amount) VALUES (2, 'secret-row 2', 2)");
      await pair.must('dead-letters', 'retry', pair.name);
      await keep(pair, 'deadLetter', 'retried');
      await pair.waitConfirmed();
      expect((await pair.compareBySql()).differences).toEqual([]);

      await pair.must('suspend', pair.name);
      await pair.must('resume', pair.name);
      await keep(pair, 'stream', 'suspended-and-resumed');
      await pair.must('status', pair.name);
      await keep(pair, 'streamFacts', 'both-sites');
    } finally {
      await pair.remove();
    }
  }, 300_000);
});

/** A continuous cycle that goes on as a new run once, and is then asked to finish. */
async function continuously(pair: Pair): Promise<void> {
  const config = await loadConfig(pair.configFile);
  const { workflow } = pair.temporalClient.client;
  const route = routeOf(config, streamOf(config, pair.name));
  const input: CycleInput = { route, continuous: true, limits: { historyEvents: 30 } };
  const cycle = await workflow.start('replicationCycle', {
    workflowId: `continuous-${pair.name}`,
    taskQueue: controlQueue(route),
    args: [input],
  });
  const runId = async (): Promise<string> => (await workflow.getHandle(cycle.workflowId).describe()).runId;
  for (let row = 0; (await runId()) === cycle.firstExecutionRunId; row++)
    await pair.source.sql(`INSERT INTO shop.orders (who) VALUES ('secret-row of a stream ${row}')`);
  await keep(pair, 'replicationCycle', 'continued', { workflowId: cycle.workflowId, runId: cycle.firstExecutionRunId });
  await cycle.signal('finish');
  await cycle.result();
  await keep(pair, 'replicationCycle', 'finished', { workflowId: cycle.workflowId, runId: await runId() });
}

/** The newest run of that workflow, or the one named, its payloads opened, as Temporal's own JSON. */
async function keep(
  pair: Pair,
  type: string,
  what: string,
  named?: { readonly workflowId: string; readonly runId: string },
): Promise<void> {
  const { workflow } = pair.temporalClient.client;
  let newest = named ?? null;
  let since = new Date(0);
  if (named === undefined)
    for await (const run of workflow.list({ query: `WorkflowType = '${type}'` }))
      if (run.startTime > since) [newest, since] = [run, run.startTime];
  if (newest === null) throw new Error(`no run of ${type}`);
  const history = await workflow.getHandle(newest.workflowId, newest.runId).fetchHistory();
  const codec = new EncryptingPayloadCodec(parsePayloadKey(await readFile(join(pair.directory, 'payload.key'), 'utf8')));
  const plain = await opened(JSON.parse(historyToJSON(history)), codec);
  await mkdir(directory, { recursive: true });
  await writeFile(new URL(`${type}.${what}.json`, directory), `${JSON.stringify(plain, null, 1)}\n`);
}

interface JsonPayload {
  readonly metadata: Readonly<Record<string, string>>;
  readonly data: string;
}
const isSealed = (value: object): value is JsonPayload =>
  'metadata' in value &&
  typeof value.metadata === 'object' &&
  value.metadata !== null &&
  'encoding' in value.metadata &&
  value.metadata.encoding === Buffer.from(ENCRYPTED_ENCODING).toString('base64');

/** The same JSON with every sealed payload in clear: a fixture must be readable without a key of the past. */
async function opened(value: unknown, codec: EncryptingPayloadCodec): Promise<unknown> {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return await Promise.all(value.map((it) => opened(it, codec)));
  if (!isSealed(value))
    return Object.fromEntries(await Promise.all(Object.entries(value).map(async ([key, it]) => [key, await opened(it, codec)])));
  const metadata = Object.fromEntries(Object.entries(value.metadata).map(([key, it]) => [key, Buffer.from(it, 'base64')]));
  const [payload] = await codec.decode([{ metadata, data: Buffer.from(value.data, 'base64') }]);
  return {
    metadata: Object.fromEntries(Object.entries(payload?.metadata ?? {}).map(([key, it]) => [key, Buffer.from(it).toString('base64')])),
    data: Buffer.from(payload?.data ?? []).toString('base64'),
  };
}
