/** kill -9 of a worker while it works on a wagon, and its return. */
import type { Pair, Side } from '../test/integration/pair.js';

const ACTIVITIES: Readonly<Record<Side, readonly string[]>> = {
  source: ['cutWagons', 'shipWagons', 'confirmWagons'],
  target: ['applyWagons'],
};

/**
 * Waits until one of the site's own activities of a cycle runs, kills the worker then, and starts it again.
 * @returns what it was doing when it died; null: none was seen in time, and nothing was killed
 */
export async function interrupt(
  pair: Pair,
  side: Side,
  options: { readonly seconds: number; readonly downMilliseconds: number },
): Promise<string | null> {
  for (const deadline = Date.now() + options.seconds * 1_000; Date.now() < deadline; ) {
    const running = (await pair.runningActivities()).find((it) => ACTIVITIES[side].includes(it));
    if (running === undefined) continue;
    await pair.killWorker(side);
    await new Promise((resolve) => setTimeout(resolve, options.downMilliseconds));
    await pair.startWorker(side);
    return running;
  }
  return null;
}
