/** kill -9 of a worker while it works on a wagon, and its return. */
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pair, Side } from '../test/integration/pair.js';

/** Where a wagon on its way leaves its first trace: at the source before it is spooled, at the target when it has arrived and isn't applied. */
const TRACES: Readonly<Record<Side, (pair: Pair) => { readonly folder: string; readonly file: RegExp }>> = {
  source: (pair) => ({ folder: join(pair.directory, 'source-state', 'notes', pair.name), file: /\.json$/ }),
  target: (pair) => ({ folder: join(pair.directory, 'target-state', 'inbox', pair.name, 'chain', '1'), file: /\.wagon$/ }),
};

/**
 * Waits until the site has a wagon in hand, kills the worker at that moment, and starts it again.
 * @returns what was under way when it died; null: no wagon was seen in time, and nothing was killed
 */
export async function interrupt(
  pair: Pair,
  side: Side,
  options: { readonly seconds: number; readonly downMilliseconds: number },
): Promise<string | null> {
  const { folder, file } = TRACES[side](pair);
  const signal = AbortSignal.timeout(options.seconds * 1_000);
  try {
    for await (const { filename } of watch(folder, { signal })) if (filename !== null && file.test(filename)) break;
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
  await pair.killWorker(side);
  const back = Date.now() + options.downMilliseconds;
  let doing: string | undefined;
  while (Date.now() < back) {
    doing ??= (await pair.runningActivities())[0];
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await pair.startWorker(side);
  return doing ?? 'a cycle';
}
