/** Range plans on the source's disk. They hold key values: they never leave the site but inside a sealed wagon. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { RangePlan } from '../engines/engine.js';
import { errorCode, namesIn, removeFile, writeWhole } from '../transport/atomic-file.js';
import type { Position, StreamName, TableName } from '../vocabulary.js';

export interface StoredPlan {
  readonly table: TableName;
  readonly plan: RangePlan;
  /** The log's end when the plan was made: what its wagons' headers name. */
  readonly position: Position;
}

const KEPT_MILLISECONDS = 14 * 86_400_000;
/** A plan's name begins with its round, so that the target can tell a former round's wagons from this one's. */
const NAME = /^\d{6}-[0-9a-f]{40}$/;

/** Writes the plan and returns its name, from its content. */
export async function storePlan(
  stateDirectory: string,
  stream: StreamName,
  round: number,
  about: string,
  plan: StoredPlan,
): Promise<string> {
  const text = JSON.stringify(plan);
  const hash = createHash('sha256').update(`${stream}\n${about}\n${round}\n${text}`).digest('hex').slice(0, 40);
  const name = `${String(round).padStart(6, '0')}-${hash}`;
  await writeWhole(pathOf(stateDirectory, stream, name), 'replace', async (handle) => {
    await handle.writeFile(`${sumOf(text)}\n${text}`);
  });
  await removeOld(join(stateDirectory, 'range-plans', stream));
  return name;
}

/** Plans of comparisons and bootstraps that ended long ago. One that is still needed would be missed, and its table planned anew. */
async function removeOld(folder: string): Promise<void> {
  const before = Date.now() - KEPT_MILLISECONDS;
  for (const name of await namesIn(folder)) {
    const facts = await stat(join(folder, name)).catch(() => null);
    if (facts !== null && facts.mtimeMs < before) await removeFile(join(folder, name));
  }
}

/** Throws `bootstrap-range-lost` when the file is gone, damaged, or isn't this table's. */
export async function readPlan(stateDirectory: string, stream: StreamName, name: string, table: TableName): Promise<StoredPlan> {
  let file = '';
  try {
    if (NAME.test(name)) file = await readFile(pathOf(stateDirectory, stream, name), 'utf8');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  // A boundary that a bad disk has changed between two ranges would leave rows out.
  const text = file.slice(file.indexOf('\n') + 1);
  const stored = file !== '' && file === `${sumOf(text)}\n${text}` ? (JSON.parse(text) as StoredPlan) : null;
  if (stored !== null && stored.table.database === table.database && stored.table.table === table.table) return stored;
  throw new SrdfError('bootstrap-range-lost', {
    tried: `reading the range plan ${name} of ${table.database}.${table.table}`,
    found: stored === null ? 'the source’s disk doesn’t hold it (any more), or not as it was written' : 'it is another table’s',
    action: 'The table is planned and copied anew',
  });
}

const sumOf = (text: string): string => createHash('sha256').update(text).digest('hex');

const pathOf = (stateDirectory: string, stream: StreamName, name: string): string =>
  join(stateDirectory, 'range-plans', stream, `${name}.json`);
