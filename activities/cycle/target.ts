/** The target's activities of the cycle, for one site. */
import type { TargetActivities } from '../contracts.js';
import type { TargetSite } from '../site.js';
import { createApplyWagons } from './apply-wagons.js';
import { createDiscardDeadLetter } from './discard-dead-letter.js';
import { createReadLedger } from './read-ledger.js';
import { releaseDeadLetter, writeMode } from './target-facts.js';

export function cycleTargetActivities(
  site: TargetSite,
): Pick<TargetActivities, 'readLedger' | 'applyWagons' | 'setStreamMode' | 'releaseDeadLetter' | 'discardDeadLetter'> {
  return {
    readLedger: createReadLedger(site),
    applyWagons: createApplyWagons(site),
    setStreamMode: async ({ stream, mode }) => await writeMode(site, stream, mode),
    discardDeadLetter: createDiscardDeadLetter(site),
    releaseDeadLetter: async ({ stream, ...wagon }) => ({ released: await releaseDeadLetter(site, stream, wagon) }),
  };
}
