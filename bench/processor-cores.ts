/** Which cores a process may use: so that what would run on other machines doesn't take the measured server's time (taskset(1)). */
import { availableParallelism } from 'node:os';
import { execa } from 'execa';

/** The first half of the machine's cores, and the other one. */
export function halves(): readonly [first: string, second: string] {
  const cores = availableParallelism();
  if (cores < 2) throw new Error('a machine with one core cannot keep two sides apart');
  const half = Math.floor(cores / 2);
  return [`0-${half - 1}`, `${half}-${cores - 1}`];
}

/** All threads of these processes, and what they start from here on. */
export async function pin(cores: string, ...pids: readonly (number | undefined)[]): Promise<void> {
  for (const pid of pids) {
    if (pid === undefined) throw new Error('a process that is not there was to be pinned');
    await execa('taskset', ['--all-tasks', '--cpu-list', '--pid', cores, String(pid)]);
  }
}
