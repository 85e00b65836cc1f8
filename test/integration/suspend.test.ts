/** `srdf suspend` far behind the log, through the real workers: once it returns nothing moves, and what had begun is confirmed. */
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Route } from '../../activities/contracts.js';
import { triggerCycle } from '../../temporal/schedules.js';
import { Pair } from './pair.js';
import { executedAtSource, gtidsOf, ledgerRow } from './pair-ledger.js';

/** Each a transaction, and two or four of them a wagon: a hundred wagons or more, two an activity. */
const ROWS = 400;

let pair: Pair;
beforeAll(async () => {
  pair = await Pair.start({ kind: 'mariadb', stream: { wagon: { changes: 2 } } });
  await pair.source.sql('CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY AUTO_INCREMENT, name INT)');
  await pair.establish();
});
afterAll(async () => await pair?.remove());

const scheduled = async () => await triggerCycle(pair.temporalClient.client, { pair: 'shop', stream: 'shop' } as Route);
const byHand = async () => void pair.srdf('cycle', 'shop');

it.each([
  ['the schedule began', 'suspend shop', scheduled],
  ['somebody began by hand', 'suspend shop --drain', byHand],
] as const)('a cycle that %s ends before srdf %s returns, at a wagon’s end, with everything confirmed', async (_, command, begin) => {
  await pair.waitConfirmed();
  const before = (await ledgerRow(pair))?.sequence ?? 0;
  await pair.source.sql(Array.from({ length: ROWS }, (_row, n) => `INSERT INTO item (name) VALUES (${n})`).join(';'), 'shop');
  await begin();
  await expect.poll(async () => (await ledgerRow(pair))?.sequence ?? 0, { timeout: 60_000, interval: 20 }).toBeGreaterThan(before + 4);

  const { exitCode, stderr } = await pair.srdf(...command.split(' '));
  expect(exitCode, stderr).toBe(0);
  expect(stderr.replace(/\s+/g, ' ')).toContain('a cycle that runs ends what it has begun');
  const stands = await ledgerRow(pair);
  expect(gtidsOf(stands?.position ?? '')).not.toBe(await executedAtSource(pair));
  expect(await pair.runningActivities()).toEqual([]);
  const { captured, confirmed } = await pair.states();
  expect(confirmed).toEqual(captured);
  await setTimeout(2_000);
  expect(await ledgerRow(pair)).toEqual(stands);

  await pair.must('resume', 'shop');
  await pair.waitConfirmed();
  expect((await pair.compareBySql()).differences).toEqual([]);
});
