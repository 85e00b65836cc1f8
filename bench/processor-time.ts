/** Processor time that a process has used, without those it has started, as the kernel tells it (proc(5), /proc/PID/stat). */
import { readFile } from 'node:fs/promises';

/** USER_HZ: 100 on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;

/** User and system, seconds. */
export async function processorSeconds(pid: number | undefined): Promise<number> {
  if (pid === undefined) throw new Error('a process that is not there was asked for its processor time');
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold anything; fields are counted behind it: utime is the 14th, stime the 15th of the line.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
