/** The operator's commands on a stream through the real workers: a wagon that can't be applied is left out, a stream is put to rest. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DeadLetterReport, Route, StreamMode } from '../../activities/contracts.js';
import type { StreamStatus } from '../../client/derive-status.js';
import { exitCodeOf } from '../../client/rendering/exit-codes.js';
import { cycleScheduleId, cycleWorkflowId, deadLetterWorkflowId, streamWorkflowId } from '../../temporal/ids.js';
import { deleteCycleSchedule } from '../../temporal/schedules.js';
import { controlQueue } from '../../temporal/task-queues.js';
import type { CycleInput, CycleResult } from '../../workflows/cycle-result.js';
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
const route = { pair: 'shop', stream: 'shop', source: 'paris', target: 'frankfurt' } as Route;
const paused = async (): Promise<boolean> =>
  (await pair.temporalClient.client.schedule.getHandle(cycleScheduleId(route)).describe()).state.paused;
const workflow = (id: string) => pair.temporalClient.client.workflow.getHandle(id);
const attempt = async (): Promise<CycleResult> => JSON.parse((await pair.srdf('cycle', 'shop', '--json')).stdout) as CycleResult;
const status = async (): Promise<StreamStatus | undefined> =>
  (JSON.parse(await pair.must('status', 'shop', '--json')) as { streams: StreamStatus[] }).streams[0];
/** What was said, however wide the terminal. */
const said = ({ exitCode, stderr }: { readonly exitCode: number; readonly stderr: string }) => [exitCode, stderr.replace(/\s+/g, ' ')];
/** As its disk may say, restored or written by hand. */
const remember = async (mode: StreamMode): Promise<void> => {
  const folder = join(pair.directory, 'target-state', 'modes');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'shop.json'), JSON.stringify({ mode }));
};

it('a wagon that cannot be applied is left out once somebody accepts that the sides differ, and the stream goes on', async () => {
  // Somebody deletes a row on the target; the source then changes it.
  await pair.target.sql('DELETE FROM shop.item WHERE id = 1');
  await pair.source.sql("UPDATE shop.item SET name = 'changed' WHERE id = 1");
  const stopped = await attempt();
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
  // Nothing else of a stream that goes on so well would still say it.
  expect(await status()).toMatchObject({ phase: 'consistent', discarded: { wagons: 1, last: expect.any(Number) }, deadLetter: null });
  expect(await pair.must('status', 'shop')).toMatch(/left out +1 wagon, by decision/);
});

it('a target that went back to a backup is behind by what came since, whatever the cycles before that have seen', async () => {
  await pair.waitConfirmed();
  const before = Date.now();
  await pair.target.sql('CREATE TABLE srdf.backup AS SELECT * FROM srdf.ledger');
  await setTimeout(1_500);
  await pair.source.sql("INSERT INTO shop.item VALUES (6, 'lost')");
  await pair.waitConfirmed();
  expect((await status())?.lagSeconds).toBe(0);
  await pair.target.sql('CREATE TABLE srdf.present AS SELECT * FROM srdf.ledger; REPLACE INTO srdf.ledger SELECT * FROM srdf.backup');
  expect((await status())?.lagSeconds).toBeGreaterThan((Date.now() - before) / 1_000 - 0.5);
  await pair.target.sql("UPDATE srdf.ledger SET bootstrap = 'another copy'");
  expect(await status()).toMatchObject({ lagSeconds: null });
  await pair.target.sql('REPLACE INTO srdf.ledger SELECT * FROM srdf.present; DROP TABLE srdf.backup, srdf.present');
});

it('a cycle that ends without a result is shown as the last, with what to do', async () => {
  const input: CycleInput = { route, continuous: true };
  const cycle = await pair.temporalClient.client.workflow.start('replicationCycle', {
    workflowId: cycleWorkflowId(route),
    taskQueue: controlQueue(route),
    args: [input],
  });
  await cycle.terminate('by hand');
  await expect.poll(async () => (await status())?.lastCycle?.outcome, { timeout: 30_000 }).toBe('failed');
  expect(await status()).toMatchObject({ running: false, next: expect.stringContaining('srdf cycle shop') });
  expect(await pair.must('status', 'shop')).toMatch(/why +.*it was terminated: by hand/);
  await pair.cycle();
  await expect.poll(async () => (await status())?.next, { timeout: 30_000 }).toBeNull();
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
  expect(await attempt()).toMatchObject({ outcome: 'suspended' });
  await pair.must('suspend', 'shop');
  expect(await paused()).toBe(true);
  await pair.must('resume', 'shop');
  expect(await paused()).toBe(false);
  await pair.waitConfirmed();
  expect(await names(pair.target)).toContain('meanwhile');
});

it('what the target remembers of the mode is put right by resume, whatever Temporal says of it', async () => {
  await remember('suspended');
  expect(await workflow(streamWorkflowId(route)).query('status')).toMatchObject({ mode: 'active' });
  expect(await attempt()).toMatchObject({ outcome: 'suspended' });
  await pair.must('resume', 'shop');
  await pair.source.sql("INSERT INTO shop.item VALUES (5, 'remembered')");
  await pair.waitConfirmed();
  expect(await names(pair.target)).toContain('remembered');
});

it('a Temporal built anew does not begin a stream that rests, and says how it is begun', async () => {
  await pair.must('suspend', 'shop');
  await workflow(streamWorkflowId(route)).terminate('as if it had never been');
  await deleteCycleSchedule(pair.temporalClient.client, route);
  const told = said(await pair.srdf('establish', 'shop'));
  expect(told).toEqual([exitCodeOf('stream-halted'), expect.stringContaining('srdf resume shop')]);
  expect(await workflow(streamWorkflowId(route)).query('status')).toMatchObject({ mode: 'suspended' });
  expect(await paused()).toBe(true);

  // The other way round: the entity is there and active, what the target remembers comes from before it.
  await pair.must('resume', 'shop');
  await remember('suspended');
  await deleteCycleSchedule(pair.temporalClient.client, route);
  expect(said(await pair.srdf('establish', 'shop'))).toEqual([
    exitCodeOf('stream-halted'),
    expect.stringContaining('Say which it is to be'),
  ]);
  await pair.must('resume', 'shop');
  await pair.waitConfirmed();
});

it('a decision on a wagon that the stream does not stand behind is refused, and never swallows the next one', async () => {
  const error = { code: 'target-divergence', tried: 'applying', found: 'a row is missing', action: 'put it back' };
  const dead = { epoch: 1, sequence: 1, hash: 'a'.repeat(64), since: 1, error } as DeadLetterReport;
  const begin = async () =>
    await pair.temporalClient.client.workflow.start('deadLetter', {
      workflowId: deadLetterWorkflowId(route),
      taskQueue: controlQueue(route),
      args: [{ route, dead }],
    });
  await begin();
  const past = await pair.srdf('dead-letters', 'retry', 'shop');
  expect(said(past)).toEqual([exitCodeOf('wagon-missing'), expect.stringContaining('stand behind wagon 1')]);
  expect(past.stdout).not.toContain('retried');

  await begin();
  await pair.target.sql('DELETE FROM shop.item WHERE id = 2');
  await pair.source.sql("UPDATE shop.item SET name = 'once' WHERE id = 2");
  const { deadLetter } = await attempt();
  expect(await workflow(deadLetterWorkflowId(route)).query('deadLetter')).toEqual(deadLetter);
  await pair.target.sql("INSERT INTO shop.item VALUES (2, 'b')");
  await pair.must('dead-letters', 'retry', 'shop');
  await pair.waitConfirmed();
  expect(await names(pair.target)).toContain('once');
});

it('a stream that is established says what to throw away before it can be copied anew, and what waited before waits no more', async () => {
  await pair.target.sql('DELETE FROM shop.item WHERE id = 2');
  await pair.source.sql("UPDATE shop.item SET name = 'twice' WHERE id = 2");
  expect((await attempt()).outcome).toBe('dead-lettered');
  const { exitCode, stderr } = await pair.srdf('establish', 'shop');
  expect(exitCode).not.toBe(0);
  const steps = /Then throw it away there: (.*); then srdf establish shop/.exec(stderr.replace(/\s+/g, ' '))?.[1] ?? '';
  await pair.target.sql(steps);
  await pair.establish();
  await pair.waitConfirmed();
  expect((await pair.compareBySql()).differences).toEqual([]);
  expect(await status()).toMatchObject({ discarded: null });
  expect((await workflow(deadLetterWorkflowId(route)).describe()).status.name).toBe('TERMINATED');
  expect((await pair.srdf('dead-letters', 'retry', 'shop')).exitCode).toBe(exitCodeOf('wagon-missing'));

  await pair.target.sql('DELETE FROM shop.item WHERE id = 2');
  await pair.source.sql("UPDATE shop.item SET name = 'thrice' WHERE id = 2");
  expect((await attempt()).outcome).toBe('dead-lettered');
  await pair.must('dead-letters', 'discard', 'shop', '--i-accept-divergence');
  await pair.waitConfirmed();
  expect(await names(pair.target)).not.toContain('thrice');
});
