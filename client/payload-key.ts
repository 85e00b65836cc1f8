/** Makes the key of the payload codec. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { SrdfError } from '../temporal/error-catalogue.js';

/** 32 random bytes as hex in a new file of mode 0600. Throws `key-exists` when the file is there. */
export async function writePayloadKey(file: string): Promise<void> {
  try {
    await writeFile(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new SrdfError(exists ? 'key-exists' : 'key-missing', {
      tried: `writing a payload key to ${file}`,
      found: exists ? 'the file is there already, and was left as it is' : (cause as Error).message,
      action: exists ? 'Use that one, or name another file' : 'Name a file in a folder that exists and is writable',
      cause,
    });
  }
}
