/** Waits for what must come true. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Throws `not in N s: what` when it doesn't. */
export async function until(what: string, seconds: number, isTrue: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + seconds * 1_000; !(await isTrue()); await sleep(50))
    if (Date.now() > deadline) throw new Error(`not in ${seconds} s: ${what}`);
}
