/** Which faults strike at which points. Pure. */
import { BOOTSTRAP_POINTS, CYCLE_POINTS, DDL_POINTS, type FaultPoint } from '../../activities/fault-points.js';
import type { Case, Fault, FaultGroup } from './contract.js';
import { ACTIVITY_FAULTS } from './faults/activity.js';
import { CLOCK_FAULTS } from './faults/clock.js';
import { DISK_FAULTS } from './faults/disk.js';
import { DOUBLE_START_FAULTS } from './faults/double-start.js';
import { FILES_FAULTS } from './faults/files.js';
import { KILL_FAULTS } from './faults/kill.js';
import { NETWORK_FAULTS } from './faults/network.js';

export const POINTS: readonly FaultPoint[] = [...CYCLE_POINTS, ...DDL_POINTS, ...BOOTSTRAP_POINTS];
export const FAULTS: readonly Fault[] = [
  ...KILL_FAULTS,
  ...ACTIVITY_FAULTS,
  ...NETWORK_FAULTS,
  ...DISK_FAULTS,
  ...FILES_FAULTS,
  ...CLOCK_FAULTS,
  ...DOUBLE_START_FAULTS,
];

/** Processes die and activities are lost at any point; the other groups meet each stage of a cycle and of a first copy once. */
const POINTS_OF: Readonly<Record<FaultGroup, readonly FaultPoint[]>> = {
  kill: POINTS,
  activity: [],
  network: ['wagon-cut', 'last-byte-sent', 'rows-written', 'range-shipped'],
  disk: ['spool-writing', 'wagon-arriving', 'rows-written', 'schema-shipped', 'range-read', 'range-written'],
  // A wagon lies in the spool and in the inbox.
  files: ['inbox-named', 'apply-begun', 'committed'],
  clock: ['wagon-cut', 'wagon-opening', 'applied-verified', 'schema-shipped'],
  'double start': ['spool-writing', 'apply-begun'],
};
/** Groups that make sense at any point. */
const ANYWHERE: readonly FaultGroup[] = ['kill', 'network', 'disk', 'clock', 'double start'];

const casesOf = (fault: Fault, points: readonly FaultPoint[]): readonly Case[] => points.map((point) => ({ fault, point }));
const inOrder = (cases: readonly Case[]): readonly Case[] =>
  [...cases].sort((a, b) => POINTS.indexOf(a.point) - POINTS.indexOf(b.point) || FAULTS.indexOf(a.fault) - FAULTS.indexOf(b.fault));

/** What a whole run goes through, point by point. */
export const MATRIX: readonly Case[] = inOrder(FAULTS.flatMap((fault) => casesOf(fault, fault.points ?? POINTS_OF[fault.group])));
/** What a run at random chooses from. */
export const EVERYWHERE: readonly Case[] = inOrder(
  FAULTS.flatMap((fault) => casesOf(fault, fault.points ?? (ANYWHERE.includes(fault.group) ? POINTS : POINTS_OF[fault.group]))),
);

export const nameOf = ({ fault, point }: Case): string => `${fault.name} at ${point}`;
export const isBootstrapPoint = (point: FaultPoint): boolean => (BOOTSTRAP_POINTS as readonly FaultPoint[]).includes(point);

/** Cases one after the other, the same for the same seed (mulberry32). */
export function* atRandom(cases: readonly Case[], seed: number): Generator<Case, void, void> {
  for (let state = seed >>> 0; cases.length > 0; ) {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    const chosen = cases[Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * cases.length)];
    if (chosen !== undefined) yield chosen;
  }
}
