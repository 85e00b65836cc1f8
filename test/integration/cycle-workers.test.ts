/** The real workers on real servers: what a cycle survives, and what a worker refuses. */
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StreamName } from '../../activities/vocabulary.js';
import { deadLetterWorkflowId } from '../../temporal/ids.js';
import { distDirectory, srdfCommand } from '../servers/worker-process.js';
import { Pair } from './pair.js';

let pair: Pair;
beforeAll(async () => {
  pair = await Pair.start({
    kind: 'mariadb',
    workers: false,
    stream: { wagon: { changes: 200 } },
    serverOptions: ['--log-bin-trust-function-creators=ON'],
  });
  await pair.source.sql(`
    CREATE DATABASE shop;
    USE shop;
    CREATE TABLE shop.orders (id INT PRIMARY KEY AUTO_INCREMENT, who VARCHAR(50), amount INT NOT NULL DEFAULT 0);
    INSERT INTO shop.orders (who) SELECT CONCAT('c', seq) FROM seq_1_to_1000`);
  await pair.startWorkers();
  await pair.establish();
});
afterAll(async () => await pair?.remove());

/** Many small transactions, so that a cycle has many wagons to carry. */
const traffic = async (transactions: number) =>
  await pair.source.sql(
    Array.from({ length: transactions }, () => 'INSERT INTO shop.orders (who) SELECT CONCAT("t", seq) FROM seq_1_to_100').join(';'),
    'shop',
  );
const equal = async () => {
  await pair.waitConfirmed();
  expect((await pair.compareBySql()).differences).toEqual([]);
  expect(await pair.compareByDump()).toEqual([]);
};

describe('a cycle', () => {
  it('costs 12 history events when there is nothing to do', async () => {
    await pair.waitConfirmed();
    const { workflow } = pair.temporalClient.client;
    const outcomes: [string, number][] = [];
    for await (const run of workflow.list({ query: "WorkflowType = 'replicationCycle' AND ExecutionStatus = 'Completed'" })) {
      const result = (await workflow.getHandle(run.workflowId, run.runId).result()) as { outcome: string };
      outcomes.push([result.outcome, Number(run.historyLength)]);
    }
    expect(outcomes.filter(([outcome]) => outcome === 'idle').length).toBeGreaterThan(0);
    for (const [outcome, events] of outcomes) if (outcome === 'idle') expect(events).toBe(12);
  });

  it.each(['source', 'target'] as const)('survives kill -9 of the %s worker in its middle', async (side) => {
    await traffic(60);
    const cycle = pair.srdf('cycle', pair.name);
    await expect.poll(async () => (await pair.runningActivities()).length, { timeout: 20_000, interval: 20 }).toBeGreaterThan(0);
    await pair.killWorker(side);
    await pair.startWorker(side);
    await cycle;
    await equal();
  });

  it('goes on after Temporal itself was killed', async () => {
    await traffic(5);
    await pair.temporal.kill();
    await traffic(5);
    await pair.temporal.run();
    await equal();
  });
});

describe('a wagon that the target contradicts', () => {
  it('stops the stream until the operator has mended and retried', async () => {
    await equal();
    await pair.target.sql('DELETE FROM shop.orders WHERE id = 2');
    await pair.source.sql('UPDATE shop.orders SET amount = 7 WHERE id = 2; INSERT INTO shop.orders (who) VALUES ("later")');
    const stopped = await pair.srdf('cycle', pair.name);
    expect(stopped.exitCode).not.toBe(0);
    const again = await pair.srdf('cycle', pair.name);
    expect(again.stdout + again.stderr).toContain('target-divergence');
    const dead = pair.temporalClient.client.workflow.getHandle(deadLetterWorkflowId({ pair: pair.name, stream: pair.name as StreamName }));
    expect(await dead.query('deadLetter')).toMatchObject({ error: { code: 'target-divergence' } });
    expect(await pair.target.sql('SELECT 1 FROM shop.orders WHERE who = "later"')).toEqual([]);
    await pair.target.sql('INSERT INTO shop.orders (id, who, amount) VALUES (2, "c2", 0)');
    await pair.must('dead-letters', 'retry', pair.name);
    await equal();
  });
});

describe('a worker', () => {
  const second = async (side: 'source' | 'target', env: Record<string, string> = {}) =>
    await execa(process.execPath, [srdfCommand, 'worker', side, '--config', pair.configFile], {
      env: { ...pair.env, ...env },
      reject: false,
      timeout: 30_000,
    });

  it.each(['source', 'target'] as const)('of the %s refuses a state directory in use', async (side) => {
    const { exitCode, stderr } = await second(side);
    expect([exitCode, stderr]).toEqual([62, expect.stringContaining('worker-running')]);
  });

  it('ends in order on SIGTERM, and its directory is free at once', async () => {
    await pair.workers.source.stop();
    expect(await pair.workers.source.logTail()).toContain('ended');
    const child = execa(process.execPath, [`${distDirectory}workers/main.js`, 'source', '--config', pair.configFile], {
      env: pair.env,
      reject: false,
    });
    await expect.poll(async () => (await pair.srdf('cycle', pair.name)).exitCode, { timeout: 60_000 }).toBe(0);
    child.kill('SIGTERM');
    expect((await child).exitCode).toBe(0);
    await pair.startWorker('source');
    await equal();
  });
});
