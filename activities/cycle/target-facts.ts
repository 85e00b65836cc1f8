/** What a target remembers of a stream beside its ledger: its mode, and the dead letter it stands behind. On the target's own disk. */

import { SrdfError } from '../../temporal/error-catalogue.js';
import { isPoison } from '../../temporal/poison.js';
import type { DeadLetterReport, StreamMode } from '../contracts.js';
import type { Ledger } from '../engines/engine.js';
import type { TargetSite } from '../site.js';
import type { BootstrapId, StreamName } from '../vocabulary.js';
import { readFact, readFactIfWhole, writeFact } from './stream-files.js';

const modeFile = (stream: StreamName): readonly string[] => ['modes', `${stream}.json`];
const deadLetterFile = (stream: StreamName): readonly string[] => ['dead-letters', `${stream}.json`];

/** Throws `state-damaged`: whether a stream was suspended isn't guessed. */
export async function readMode(site: TargetSite, stream: StreamName): Promise<StreamMode> {
  try {
    return (await readFact<{ readonly mode: StreamMode }>(site.stateDirectory, ...modeFile(stream)))?.mode ?? 'active';
  } catch (error) {
    if (!(error instanceof SrdfError) || error.code !== 'state-damaged') throw error;
    const { tried, found } = error.facts;
    const action = `Say again whether the stream is to run: srdf suspend ${stream}, and then, if it is, srdf resume ${stream}`;
    throw new SrdfError('state-damaged', { tried, found, action, cause: error });
  }
}
export async function writeMode(site: TargetSite, stream: StreamName, mode: StreamMode): Promise<void> {
  site.stream(stream);
  await writeFact({ mode }, site.stateDirectory, ...modeFile(stream));
}

/** With the bootstrap it belongs to: a stream that is established anew counts from 1 again. */
interface DeadLetterFile {
  readonly bootstrap: BootstrapId | null;
  readonly dead: DeadLetterReport;
  /** The stream doesn't stand behind it any more; kept, so that whoever asks for it again hears the same. */
  readonly released?: boolean;
}

/**
 * null as well when the ledger has moved since: the dead letter is then of the past. One that can't be read is gone: its wagon is tried again,
 * and leaves it anew.
 */
export async function readDeadLetter(site: TargetSite, ledger: Ledger): Promise<DeadLetterReport | null> {
  const file = await readFactIfWhole<DeadLetterFile>(site.stateDirectory, ...deadLetterFile(ledger.stream));
  if (file === null || file.released === true || file.bootstrap !== ledger.bootstrap) return null;
  const { dead } = file;
  return dead.epoch === ledger.epoch && dead.sequence === ledger.sequence + 1 && isPoison(dead.error.code) ? dead : null;
}
export async function writeDeadLetter(site: TargetSite, ledger: Ledger, dead: DeadLetterReport): Promise<void> {
  const file: DeadLetterFile = { bootstrap: ledger.bootstrap, dead };
  await writeFact(file, site.stateDirectory, ...deadLetterFile(ledger.stream));
}

/**
 * Only the one that was looked at, by its hash: a decision on an old dead letter doesn't touch a newer one, and a stream that was established
 * anew counts from 1 again. Repeatable: an activity whose answer is lost is asked again, and what was released mustn't then be called gone.
 */
export async function releaseDeadLetter(
  site: TargetSite,
  stream: StreamName,
  { sequence, hash }: Pick<DeadLetterReport, 'sequence' | 'hash'>,
): Promise<boolean> {
  const file = await readFactIfWhole<DeadLetterFile>(site.stateDirectory, ...deadLetterFile(stream));
  if (file?.dead.sequence !== sequence || file.dead.hash !== hash) return false;
  if (file.released !== true) await writeFact({ ...file, released: true }, site.stateDirectory, ...deadLetterFile(stream));
  return true;
}
