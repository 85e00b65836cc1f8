/** What a process has used, as the kernel tells it (proc(5)). */
import { readFile, writeFile } from 'node:fs/promises';

/** The most memory it ever had resident, bytes: VmHWM of /proc/PID/status. */
export async function peakResidentBytes(pid: number | undefined): Promise<number> {
  if (pid === undefined) throw new Error('a process that is not there was asked for its memory');
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status has no VmHWM`);
  return Number(kilobytes) * 1_024;
}

/** From here on the peak is counted anew, beginning with what is resident now. */
export const forgetPeak = async (pid: number | undefined): Promise<void> => await writeFile(`/proc/${pid}/clear_refs`, '5');

/** The same in whole MB, as figures are told. */
export const peakResidentMB = async (pid: number | undefined): Promise<number> => Math.round((await peakResidentBytes(pid)) / 1e6);
