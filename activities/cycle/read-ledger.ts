/** Where the target stands, what its inbox holds behind that, and whether anything forbids to go on. The authority a cycle begins with. */
import type { LedgerView, TargetActivities } from '../contracts.js';
import type { Ledger } from '../engines/engine.js';
import type { TargetSite } from '../site.js';
import { type Epoch, NO_WAGON, type Sequence } from '../vocabulary.js';
import { settleApplied } from './applied-receipts.js';
import { releaseLeftovers } from './copy-leftovers.js';
import { selectionTrouble } from './established-selection.js';
import { firstTrains, trainsAfter } from './inbox-chain.js';
import { readDeadLetter, readMode } from './target-facts.js';

const INBOX_TOLD = 64;

export const ABSENT: LedgerView = {
  phase: 'absent',
  epoch: 0 as Epoch,
  sequence: 0 as Sequence,
  wagonHash: NO_WAGON,
  position: null,
  consistentFrom: null,
  bootstrap: null,
};

export const viewOf = ({ phase, epoch, sequence, wagonHash, position, consistentFrom, bootstrap }: Ledger): LedgerView => ({
  phase,
  epoch,
  sequence,
  wagonHash,
  position,
  consistentFrom,
  bootstrap,
});

export function createReadLedger(site: TargetSite): TargetActivities['readLedger'] {
  return async ({ stream, withDiscarded }) => {
    const { engine } = site.stream(stream);
    const mode = await readMode(site, stream);
    const ledger = await engine.readLedger(stream);
    if (ledger === null) return { ledger: ABSENT, inbox: [], deadLetter: null, mode, boundaries: [] };
    const inbox = await site.inbox.list(stream, 'chain');
    await settleApplied(site, ledger, inbox);
    await releaseLeftovers(site, ledger);
    // While the copy is made, the selection of the one before may still be remembered.
    const halted = ledger.phase === 'loading' ? null : await selectionTrouble(site, stream);
    const discarded = withDiscarded === true ? [...(await engine.discardedWagons(stream)).values()] : [];
    return {
      ledger: viewOf(ledger),
      inbox: firstTrains(trainsAfter(ledger, inbox), INBOX_TOLD),
      deadLetter: await readDeadLetter(site, ledger),
      mode,
      boundaries: await engine.boundaries(stream),
      ...(halted !== null && { halted }),
      ...(discarded.length > 0 && { discarded: { wagons: discarded.length, last: Math.max(...discarded) } }),
    };
  };
}
