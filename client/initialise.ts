/** Writes the first config of a pair from the commented example. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SrdfError } from '../temporal/error-catalogue.js';

/** The folder this program is installed in: the nearest one upwards that holds the example. */
export function installationFolder(from = fileURLToPath(import.meta.url)): string {
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'srdf.example.yaml'))) return folder;
    if (folder === dirname(folder)) {
      throw new SrdfError('not-supported', {
        tried: 'looking for srdf.example.yaml beside this program',
        found: `none above ${from}`,
        action: 'Install the program whole: the example belongs to it',
      });
    }
  }
}

/** Returns the path written. Throws `config-invalid` when the file exists or the engine isn't one that can be replicated. */
export async function initialiseConfig(path: string, engine: string): Promise<string> {
  const full = resolve(path);
  const tried = `writing ${path}`;
  if (engine !== 'mariadb' && engine !== 'mysql') {
    throw new SrdfError('engine-unsupported', { tried, found: `the engine ${engine}`, action: 'Use --engine mariadb or --engine mysql' });
  }
  const folder = installationFolder();
  const example = await readFile(join(folder, 'srdf.example.yaml'), 'utf8');
  const text = example
    .replace(/^(# yaml-language-server: \$schema=).*$/m, `$1${join(folder, 'srdf.schema.json')}`)
    .replace(/^( *engine: )mariadb\b/m, `$1${engine}`);
  try {
    await writeFile(full, text, { flag: 'wx' });
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new SrdfError('config-invalid', {
      tried,
      found: exists ? 'the file is there already, and was left as it is' : (cause as Error).message,
      action: exists ? 'Name another path, or move that file away' : 'Name a path in a folder that exists and is writable',
      cause,
    });
  }
  return full;
}
