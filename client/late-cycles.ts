/** Tells a stream whose cycles should have come to the log's end long ago, and where no error says why they have not. Touches nothing. */
import type { SeenCycle } from './cycle-facts.js';
import { duration } from './rendering/table.js';

/** What `StreamFacts` has of them. */
interface Cycles {
  readonly stream: string;
  readonly now: number;
  readonly every: number | 'continuous';
  readonly schedule: { readonly paused: boolean; readonly since: number } | null;
  readonly running: boolean;
  readonly lastCycle: SeenCycle | null;
}
export interface LateCycles {
  /** One sentence. */
  readonly found: string;
  readonly action: string;
}

/** A cycle may take as long as a few ticks without anything being wrong; and no stream is called late before this, ms. */
const TICKS = 3;
const FLOOR = 120_000;

/** For a stream that should move: active, established, both sites answering. What a paused schedule or the last cycle's error explains isn't late. */
export function lateCycles({ stream, now, every, schedule, running, lastCycle }: Cycles, lagSeconds: number | null): LateCycles | null {
  if (schedule === null || schedule.paused) return null;
  // A stream that was resumed a moment ago has had no time yet; and of cycles long ago Temporal knows nothing any more.
  const granted = now - schedule.since;
  const ended = Math.min(now - (lastCycle?.ended ?? 0), granted);
  const behind = lagSeconds === null ? 0 : Math.min(lagSeconds * 1_000, granted);
  const patience = Math.max(FLOOR, every === 'continuous' ? 0 : TICKS * every);
  if (Math.max(ended, behind) <= patience) return null;
  // An error explains the lag, but not that no cycle has come after it.
  if (ended <= patience && lastCycle !== null && ('failure' in lastCycle || lastCycle.result.error !== null)) return null;
  if (running)
    return {
      found: `a cycle runs, and none has come to the end of the log for ${duration(Math.max(ended, behind))}`,
      action: `See whether the wagons applied move: srdf status ${stream} --watch. If they stand still, read the logs of both workers`,
    };
  if (ended > patience)
    return {
      found: `no cycle has ended for ${duration(ended)}, though ${every === 'continuous' ? 'one is always to run' : `one is to begin every ${duration(every)}`}`,
      action: `Run one by hand and see what it says: srdf cycle ${stream}. Then put the schedule right: srdf resume ${stream}. If it only waits, read the logs of both workers`,
    };
  return {
    found: `cycles run, and none has come to the end of the log for ${duration(behind)}`,
    action: `The source writes more than the cycles carry, or something holds them up: srdf cycle ${stream} says what one carries and how long it takes`,
  };
}
