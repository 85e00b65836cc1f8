/** The files that fuzzing starts from, and the inputs that once found something. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The same for the sources and for what is compiled from them. */
const rootAbove = (folder: string): string => (existsSync(join(folder, 'package.json')) ? folder : rootAbove(dirname(folder)));
export const packageRoot = rootAbove(dirname(fileURLToPath(import.meta.url)));
const FUZZ = join(packageRoot, 'test/fuzz');
export const CORPUS_FOLDER = join(FUZZ, 'corpus');
export const FOUND_FOLDER = join(FUZZ, 'found');

export interface CorpusFile {
  readonly name: string;
  readonly bytes: Buffer;
}

export function corpusFiles(folder: string): readonly CorpusFile[] {
  return filesIn(join(CORPUS_FOLDER, folder));
}
/** Inputs of a target that once got an answer they shouldn't have: they stay tested. */
export function foundInputs(target: string): readonly CorpusFile[] {
  return filesIn(join(FOUND_FOLDER, target));
}

function filesIn(path: string): readonly CorpusFile[] {
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .sort()
    .map((name) => ({ name, bytes: readFileSync(join(path, name)) }));
}
