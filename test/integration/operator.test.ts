/** The operator's commands on a stream through the real workers: a wagon that can't be applied is left out, a stream is put to rest. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cycleScheduleId } from '../../temporal/ids.js';
import type { CycleResult } from '../../workflows/cycle-result.js';
import { Pair } from './pair.js';

let pair: Pair;
beforeAll(async () => {
  pair = await Pair.start({ kind: 'mariadb' });
  await pair.source.sql(
    "CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY, name VARCHAR(20)); INSERT INTO shop.item VALUES (1, 'a'), (2, 'b')",
  );
  await pair.establish();
  await pair.waitConfirmed();
});
afterAll(async () => await pair?.remove());

const names = async (server: Pair['source']) => (await server.sql('SELECT name FROM shop.item ORDER BY id')).map((row) => row.name);
const paused = async (): Promise<boolean> => {
  const route = { pair: pair.name, stream: pair.name } as Parameters<typeof cycleScheduleId>[0];
  return (await pair.temporalClient.client.schedule.getHandle(cycleScheduleId(route)).describe()).state.paused;
};

it('a wagon that cannot be applied is left out once somebody accepts that the sides differ, and the stream goes on', async () => {
  // Somebody deletes a row on the target; the source then changes it.
  await pair.target.sql('DELETE FROM shop.item WHERE id = 1');
  await pair.source.sql("UPDATE shop.item SET name = 'changed' WHERE id = 1");
  const stopped = JSON.parse((await pair.srdf('cycle', 'shop', '--json')).stdout) as CycleResult;
  expect(stopped).toMatchObject({ outcome: 'dead-lettered', error: { code: 'target-divergence' } });
  const sequence = stopped.deadLetter?.sequence ?? 0;
  await pair.source.sql("INSERT INTO shop.item VALUES (3, 'after')");
  await pair.srdf('cycle', 'shop');
  expect(await names(pair.target)).toEqual(['b']);

  const hasty = await pair.srdf('dead-letters', 'discard', 'shop');
  expect(hasty.exitCode).not.toBe(0);
  expect(hasty.stderr).toContain('--i-accept-divergence');
  expect(await names(pair.target)).toEqual(['b']);

  await pair.must('dead-letters', 'discard', 'shop', '--i-accept-divergence');
  const wentOn = await pair.cycle();
  expect(wentOn).toMatchObject({ outcome: 'replicated', error: null, counts: { wagons: { discarded: 1 } } });
  await pair.waitConfirmed();
  expect(await names(pair.target)).toEqual(['b', 'after']);
  expect(await names(pair.source)).toEqual(['changed', 'b', 'after']);
  expect(await pair.must('dead-letters', 'list')).not.toContain('target-divergence');
  // Its receipt says what became of it, and never that it was applied.
  const trace = await pair.must('trace', 'shop', String(sequence), '--json');
  expect(trace).toContain('discarded');
  expect(trace).not.toContain('"applied"');
  expect(await pair.target.sql('SELECT sequence FROM srdf.discarded_wagons')).toEqual([{ sequence: String(sequence) }]);
});

it('what Temporal only sees sealed can be read through the codec, by the UI and by nobody from another page', async () => {
  const { workflowService } = pair.temporalClient.connection;
  const { namespace } = pair.temporalClient;
  const query = "WorkflowType = 'replicationCycle' AND ExecutionStatus = 'Completed'";
  const { value: run } = await pair.temporalClient.client.workflow.list({ query })[Symbol.asyncIterator]().next();
  const execution = { workflowId: run?.workflowId, runId: run?.runId };
  const { history } = await workflowService.getWorkflowExecutionHistory({ namespace, execution, historyEventFilterType: 2 });
  const described = await workflowService.describeWorkflowExecution({ namespace, execution });
  const sealed = [
    history?.events?.at(-1)?.workflowExecutionCompletedEventAttributes?.result?.payloads?.[0],
    described.executionConfig?.userMetadata?.summary,
  ].map((it) => ({
    metadata: Object.fromEntries(Object.entries(it?.metadata ?? {}).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
    data: Buffer.from(it?.data ?? []).toString('base64'),
  }));
  for (const it of sealed) expect(Buffer.from(it.metadata.encoding ?? '', 'base64').toString()).toBe('binary/encrypted');

  const ask = async (path: string, payloads: unknown, origin?: string) =>
    await fetch(`${pair.codecUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-namespace': namespace, ...(origin !== undefined && { origin }) },
      body: JSON.stringify({ payloads }),
    });
  const ui = pair.temporal.uiAddress ?? '';
  const response = await ask('/decode', sealed, ui);
  expect(response.headers.get('access-control-allow-origin')).toBe(ui);
  const opened = (await response.json()) as { payloads: { data: string }[] };
  const [result, summary] = opened.payloads.map((it) => JSON.parse(Buffer.from(it.data, 'base64').toString()));
  expect(result).toMatchObject({ outcome: expect.any(String), ledger: { phase: expect.any(String) } });
  expect(summary).toContain('shop');

  const encoded = (await (await ask('/encode', opened.payloads)).json()) as { payloads: unknown[] };
  expect(await (await ask('/decode', encoded.payloads)).json()).toEqual(opened);
  expect((await ask('/decode', sealed, 'https://elsewhere.example')).status).toBe(403);
  const forged = sealed.map((it) => ({ ...it, data: Buffer.alloc(60).toString('base64') }));
  expect((await ask('/decode', forged, ui)).status).toBe(400);
});

it('a suspended stream has no cycles at all, and goes on when it is resumed', async () => {
  expect(await paused()).toBe(false);
  await pair.must('suspend', 'shop', '--reason', 'new disks');
  expect(await paused()).toBe(true);
  await pair.source.sql("INSERT INTO shop.item VALUES (4, 'meanwhile')");
  expect(JSON.parse((await pair.srdf('cycle', 'shop', '--json')).stdout)).toMatchObject({ outcome: 'suspended' });
  expect((await pair.srdf('suspend', 'shop')).exitCode).not.toBe(0);
  await pair.must('resume', 'shop');
  expect(await paused()).toBe(false);
  await pair.waitConfirmed();
  expect(await names(pair.target)).toContain('meanwhile');
});

it('a stream that is established says what to throw away before it can be copied anew', async () => {
  const { exitCode, stderr } = await pair.srdf('establish', 'shop');
  expect(exitCode).not.toBe(0);
  const steps = /on the target: (.*); then srdf establish shop/.exec(stderr.replace(/\s+/g, ' '))?.[1] ?? '';
  await pair.target.sql(steps);
  await pair.establish();
  await pair.waitConfirmed();
  expect((await pair.compareBySql()).differences).toEqual([]);
});
