/** Small facts about a stream on a site's own disk: written whole, read back whole, gone when released. */
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SrdfError } from '../../temporal/error-catalogue.js';

/** Two writers of one fact in one process, such as two who find that it is missing, each need a file of their own. */
let written = 0;

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** null: there is no such file. The shape is the writer's: only this program writes here. Throws `state-damaged`. */
export async function readFact<T>(directory: string, ...path: readonly string[]): Promise<T | null> {
  const file = join(directory, ...path);
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    if (isMissing(error)) return null;
    if (!(error instanceof SyntaxError)) throw error;
    throw new SrdfError('state-damaged', {
      tried: `reading ${file}`,
      found: 'it is not what was written there (bad disk, or changed by hand?)',
      action: 'Look at that disk. Then remove the file, if nothing else is said of it',
    });
  }
}

/** The same where a fact that is damaged is no more needed than one that is missing. */
export async function readFactIfWhole<T>(directory: string, ...path: readonly string[]): Promise<T | null> {
  try {
    return await readFact<T>(directory, ...path);
  } catch (error) {
    if (error instanceof SrdfError && error.code === 'state-damaged') return null;
    throw error;
  }
}

/** Temporary name, fsync, rename, fsync of the folder: after a crash the old fact or the new one, never half of one. */
export async function writeFact(fact: unknown, directory: string, ...path: readonly string[]): Promise<void> {
  const file = join(directory, ...path);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.${written++}.tmp`;
  try {
    const handle = await open(temporary, 'w', 0o600);
    try {
      await handle.writeFile(JSON.stringify(fact));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export const removeFact = async (directory: string, ...path: readonly string[]): Promise<void> =>
  await rm(join(directory, ...path), { force: true });

/** Names of the facts in a folder; none when there is no such folder. */
export async function listFacts(directory: string, ...path: readonly string[]): Promise<readonly string[]> {
  try {
    return (await readdir(join(directory, ...path))).filter((file) => !file.endsWith('.tmp'));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
