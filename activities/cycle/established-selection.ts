/**
 * What a stream was established with, kept by each site on its own disk. Naming another database in the config copies nothing of it: without
 * this the stream would go on as if all were well, and the standby would lack it.
 */
import { SrdfError } from '../../temporal/error-catalogue.js';
import { toErrorReport } from '../../temporal/failures.js';
import type { ErrorReport } from '../contracts.js';
import type { SourceSite, TargetSite } from '../site.js';
import type { StreamName } from '../vocabulary.js';
import { type SelectedNames, selectedNames, selectionChange } from './selection.js';
import { readFact, writeFact } from './stream-files.js';

const selectionFile = (stream: StreamName): readonly string[] => ['selections', `${stream}.json`];

/** The one that is configured now: a copy of it is being made. */
export async function rememberSelection(site: SourceSite | TargetSite, stream: StreamName): Promise<void> {
  await writeFact(selectedNames(site.stream(stream).selection), site.stateDirectory, ...selectionFile(stream));
}

/**
 * Throws `config-invalid` when the config names another one, and `state-damaged`. A site that remembers none (the stream was established by
 * an earlier version, or the state folder is new) takes the one that is configured now.
 */
export async function requireSelection(site: SourceSite | TargetSite, stream: StreamName): Promise<void> {
  const established = await readEstablished(site, stream);
  if (established === null) return await rememberSelection(site, stream);
  const change = selectionChange(established, selectedNames(site.stream(stream).selection));
  if (change === null) return;
  throw new SrdfError('config-invalid', {
    tried: `going on with the stream ${stream} at ${site.site}`,
    found: `the srdf.yaml there doesn't name what the stream was established with: ${change}`,
    action:
      `The stream stands still, and nothing is lost meanwhile. Put databases, include and exclude back as they were in the srdf.yaml of ${site.site} and start its ` +
      `worker again; or, to have a copy of what was added, change them at both sites and copy the stream anew: \`srdf establish ${stream}\` says how`,
  });
}

/** The same as a report, for whoever only asks how the stream stands; null: nothing is wrong. */
export async function selectionTrouble(site: TargetSite, stream: StreamName): Promise<ErrorReport | null> {
  try {
    await requireSelection(site, stream);
    return null;
  } catch (error) {
    if (!(error instanceof SrdfError)) throw error;
    return toErrorReport(error);
  }
}

/** One that can't be read isn't guessed: a change made meanwhile would go unseen for ever. */
async function readEstablished(site: SourceSite | TargetSite, stream: StreamName): Promise<SelectedNames | null> {
  try {
    return await readFact<SelectedNames>(site.stateDirectory, ...selectionFile(stream));
  } catch (error) {
    if (!(error instanceof SrdfError) || error.code !== 'state-damaged') throw error;
    const { tried, found } = error.facts;
    const action =
      'Look at that disk. See that databases, include and exclude of the stream are what it was established with (srdf verify tells what the ' +
      'other side lacks), then remove the file: what is configured is taken from then on';
    throw new SrdfError('state-damaged', { tried, found, action, cause: error });
  }
}
