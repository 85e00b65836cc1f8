/** The source's activities of the cycle, for one site. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { SourceActivities } from '../contracts.js';
import type { SourceSite } from '../site.js';
import type { Position } from '../vocabulary.js';
import { createConfirmWagons } from './confirm-wagons.js';
import { createCutWagons } from './cut-wagons.js';
import { requireSelection } from './established-selection.js';
import { createShipWagons } from './ship-wagons.js';
import { totalsByState } from './wagon-notes.js';

export function cycleSourceActivities(
  site: SourceSite,
): Pick<SourceActivities, 'cutWagons' | 'shipWagons' | 'confirmWagons' | 'readSpool'> {
  const cut = createCutWagons(site);
  return {
    cutWagons: async (input) => {
      await requireSelection(site, input.stream);
      return await cut(input);
    },
    shipWagons: createShipWagons(site),
    confirmWagons: createConfirmWagons(site),
    readSpool: async ({ stream, ledger }) => {
      const folders = ['chain', 'schema', 'range'] as const;
      const wagons = (await Promise.all(folders.map((folder) => site.spool.list(stream, folder)))).flat();
      const { maxBytes } = await site.spool.usage();
      return {
        wagons: wagons.length,
        bytes: wagons.reduce((sum, wagon) => sum + wagon.bytes, 0),
        maxBytes,
        logEnd: await logEnd(site, stream),
        states: await totalsByState(site.stateDirectory, stream, site.spool, ledger),
      };
    },
  };
}

/** null while the source database is away: the spool is still there to be told of. */
async function logEnd(site: SourceSite, stream: Parameters<SourceSite['stream']>[0]): Promise<Position | null> {
  try {
    return await site.stream(stream).engine.currentPosition();
  } catch (error) {
    if (error instanceof SrdfError && error.code === 'source-unreachable') return null;
    throw error;
  }
}
