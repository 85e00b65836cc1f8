/** Some of the environment's faults in the middle of a pair's traffic, without waiting for a point: the stream goes on by itself. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectWhole } from '../integration/kill-cases.js';
import { LiveTraffic, TRAFFIC_TABLES } from '../integration/live-traffic.js';
import { Pair } from '../integration/pair.js';
import type { Fault } from './contract.js';
import { CLOCK_FAULTS } from './faults/clock.js';
import { DISK_FAULTS } from './faults/disk.js';
import { DOUBLE_START_FAULTS } from './faults/double-start.js';
import { FILES_FAULTS } from './faults/files.js';
import { NETWORK_FAULTS } from './faults/network.js';

const SAMPLE: ReadonlySet<string> = new Set([
  'the line from source worker to receiver reset in mid-body',
  'the line from target worker to database cut',
  'the disk of the spool full',
  'the disk of the inbox full',
  'the spool deleted',
  'the inbox deleted',
  'the clock of the source worker jumps a day ahead',
  'the source worker started twice',
]);
const FAULTS: readonly Fault[] = [...NETWORK_FAULTS, ...DISK_FAULTS, ...FILES_FAULTS, ...CLOCK_FAULTS, ...DOUBLE_START_FAULTS];

let pair: Pair;
let traffic: LiveTraffic;
beforeAll(async () => {
  pair = await Pair.start({ kind: 'mariadb', workers: false, every: '1s', breakable: true, stream: { wagon: { changes: 100 } } });
  await pair.source.sql(`CREATE DATABASE shop; USE shop; ${TRAFFIC_TABLES}`);
  await pair.startWorkers();
  await pair.establish();
  traffic = new LiveTraffic(pair.source, 'shop');
});
afterAll(async () => {
  await traffic?.stop();
  await pair?.remove();
});

it.for(FAULTS.filter((it) => SAMPLE.has(it.name)))('$name', async (fault, { skip }) => {
  const why = (await fault.unavailable?.()) ?? null;
  if (why !== null) skip(why);
  traffic.start();
  const before = traffic.commits;
  const undo = await fault.inflict(pair);
  // The pair meets it while clients write on.
  await expect.poll(() => traffic.commits - before, { timeout: 60_000, interval: 100 }).toBeGreaterThan(40);
  await undo();
  await traffic.stop();
  await expectWhole(pair);
});
