/** The source's activities of the cycle, for one site. */
import { setTimeout } from 'node:timers/promises';
import { SrdfError } from '../../temporal/error-catalogue.js';
import { toErrorReport } from '../../temporal/failures.js';
import type { SourceActivities, SpoolState } from '../contracts.js';
import type { SourceSite } from '../site.js';
import type { StreamName } from '../vocabulary.js';
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
        ...(await logEnd(site, stream)),
        states: await totalsByState(site.stateDirectory, stream, site.spool, ledger),
      };
    },
  };
}

/** Less than whoever asks for the spool waits for it, and than a machine without power is waited for, ms. */
const LOG_END_PATIENCE = 5_000;

/** While the source database is away the spool is still there to be told of. */
async function logEnd(site: SourceSite, stream: StreamName): Promise<Pick<SpoolState, 'logEnd' | 'away'>> {
  const answered = new AbortController();
  try {
    const silence = setTimeout(LOG_END_PATIENCE, undefined, { signal: answered.signal }).then(() => {
      throw new SrdfError('source-unreachable', {
        tried: 'asking the source database for the end of its log',
        found: `no answer in ${LOG_END_PATIENCE / 1_000} s`,
        action: 'See that the source database and its machine run, and that the worker there reaches it',
      });
    });
    return { logEnd: await Promise.race([site.stream(stream).engine.currentPosition(), silence]) };
  } catch (error) {
    if (error instanceof SrdfError && error.code === 'source-unreachable') return { logEnd: null, away: toErrorReport(error) };
    throw error;
  } finally {
    answered.abort();
  }
}
