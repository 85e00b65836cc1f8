/**
 * Files that exist whole or not at all, also after a kill or a power cut: written under a temporary name in the same
 * folder, fsynced, given their final name, and the folder fsynced (a name is durable only once its folder is: fsync(2)).
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type FaultPoint, faultPoint } from '../fault-points.js';

const TEMPORARY = /^\.(\d+)\.(\d+)\.([0-9a-f]{12})\.\d+\.tmp$/;
const WRITER = randomBytes(6).toString('hex');
let written = 0;

/** When a process started, in the kernel's ticks, so that a reused process id isn't taken for the writer; 0 where it can't be known. */
function startOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Fields follow the last ')': the name before it may hold anything. starttime is field 22 (proc(5)).
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 0);
  } catch {
    return 0;
  }
}
const OWN_START = startOf(process.pid);

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** No space left on the device, or none left to this user. */
export function isDiskFull(error: unknown): boolean {
  return errorCode(error) === 'ENOSPC' || errorCode(error) === 'EDQUOT';
}

/** Folders whose own name this process has made durable, or is making so: two writers of a new folder both wait for it. */
const durable = new Map<string, Promise<void>>();
/** From a wagon's folder up to the one the store lies in. */
const LEVELS = 4;

/** Makes the folder, mode 0700, and sees that its name and those above it are on the disk, whoever made them. */
export async function makeFolder(folder: string): Promise<void> {
  if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) durable.delete(folder);
  let synced = durable.get(folder);
  if (synced === undefined) {
    synced = syncAbove(folder);
    durable.set(folder, synced);
    synced.catch(() => durable.delete(folder));
  }
  await synced;
}

async function syncAbove(folder: string): Promise<void> {
  let above = dirname(folder);
  for (let level = 0; level < LEVELS && above !== dirname(above); level++, above = dirname(above)) {
    try {
      await syncFolder(above);
    } catch (error) {
      // A folder this user can't read isn't one this user has made.
      if (errorCode(error) !== 'EACCES') throw error;
    }
  }
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes all bytes at `position`; a short write of the system call is continued. */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/**
 * Writes a file through `write` and gives it its name. `create`: false when a file of that name was there already
 * (it is left as it is). `replace`: takes its place in one step. Nothing is left behind when `write` throws.
 */
export async function writeWhole(
  path: string,
  mode: 'create' | 'replace',
  write: (handle: FileHandle) => Promise<void>,
  synced?: FaultPoint,
): Promise<boolean> {
  const folder = dirname(path);
  await makeFolder(folder);
  const temporary = join(folder, `.${process.pid}.${OWN_START}.${WRITER}.${++written}.tmp`);
  const handle = await open(temporary, 'wx', 0o600);
  let renamed = false;
  try {
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (synced !== undefined) await faultPoint(synced);
    if (mode === 'replace') {
      await rename(temporary, path);
      renamed = true;
    } else if (!(await linkNew(temporary, path))) return false;
  } finally {
    if (!renamed) await unlink(temporary);
  }
  await syncFolder(folder);
  return true;
}

/** link(2) fails when the name exists, which rename(2) doesn't: the first writer wins. The folder isn't synced here. */
export async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Whether it was there. The folder isn't synced: a file that comes back after a power cut is a duplicate, not a loss. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** A file's bytes; 0 when there is none. */
export async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** Names in a folder; none when there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** Whether a name is a temporary file whose writer no longer runs. */
export function isLeftover(name: string): boolean {
  const [, pid = '', start = '', writer = ''] = TEMPORARY.exec(name) ?? [];
  if (pid === '') return false;
  // The same process id is this process, or a former one of another container: told apart by the writer.
  if (Number(pid) === process.pid) return writer !== WRITER;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
  return Number(start) !== 0 && startOf(Number(pid)) !== Number(start);
}
