/** What can be killed of a pair, and what has to be true afterwards. */
import { expect } from 'vitest';
import type { DatabaseServer } from '../servers/database-server.js';
import type { LiveTraffic } from './live-traffic.js';
import type { Pair } from './pair.js';
import { executedAtSource, gtidsOf, ledgerRow } from './pair-ledger.js';

export type Victim = 'the source worker' | 'the target worker' | 'Temporal' | 'the source database' | 'the target database';

const part = (pair: Pair, victim: Victim): { kill(): Promise<void>; run(): Promise<void> } => {
  switch (victim) {
    case 'the source worker':
      return { kill: () => pair.killWorker('source'), run: () => pair.startWorker('source') };
    case 'the target worker':
      return { kill: () => pair.killWorker('target'), run: () => pair.startWorker('target') };
    case 'Temporal':
      return pair.temporal;
    case 'the source database':
      return pair.source;
    case 'the target database':
      return pair.target;
  }
};

/** kill -9, and started again while the clients go on writing. */
export async function killAndRun(pair: Pair, victim: Victim, traffic: LiveTraffic): Promise<void> {
  const it = part(pair, victim);
  await it.kill();
  if (victim !== 'the source database') await writes(traffic, 10);
  await it.run();
  await writes(traffic, 10);
}

/** Waits until clients have committed so many transactions more. */
async function writes(traffic: LiveTraffic, transactions: number): Promise<void> {
  const from = traffic.commits;
  await expect.poll(() => traffic.commits - from, { timeout: 60_000, interval: 20 }).toBeGreaterThanOrEqual(transactions);
}

/** Sorted: rows without a key lie in the order in which they were written, clients beside each other, and not in that of the commits. */
async function dumpLines(pair: Pair, server: DatabaseServer): Promise<readonly string[]> {
  const dump = await server.dump(pair.databases);
  return dump
    .replace(/ AUTO_INCREMENT=\d+/g, '')
    .split('\n')
    .sort();
}

/** Both sides equal by plain SQL and by dump, and the ledger at the source's last transaction. The scheduled cycles alone bring it there. */
export async function expectWhole(pair: Pair): Promise<void> {
  await pair.waitConfirmed({ scheduled: true });
  await expectEqual(pair);
}

/** The same of a pair in which everything has arrived. */
export async function expectEqual(pair: Pair): Promise<void> {
  expect((await pair.compareBySql()).differences).toEqual([]);
  const [source, target] = await Promise.all([dumpLines(pair, pair.source), dumpLines(pair, pair.target)]);
  const differing = source.findIndex((line, at) => line !== target[at]);
  expect([source[differing], target[differing], target.length]).toEqual([undefined, undefined, source.length]);
  const ledger = await ledgerRow(pair);
  expect(ledger).toMatchObject({ phase: 'consistent', intent: false });
  expect(gtidsOf(ledger?.position ?? '')).toBe(await executedAtSource(pair));
}
