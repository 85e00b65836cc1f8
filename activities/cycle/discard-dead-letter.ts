/** Leaves a wagon that can't be applied out, because an operator has decided so: ledger, receipts, and the dead letter is gone. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { DiscardInput, DiscardResult } from '../contracts.js';
import type { WagonPlace } from '../engines/engine.js';
import type { TargetSite } from '../site.js';
import { settleApplied } from './applied-receipts.js';
import { placeOf } from './apply-wagons.js';
import { trainsAfter } from './inbox-chain.js';
import { releaseDeadLetter } from './target-facts.js';

/**
 * Exactly the wagon that was looked at, by its hash, with the whole train it begins. Its signature is verified: where the ledger goes on is
 * taken from its header. Repeatable. Errors: `ledger-missing`, `wagon-missing`, those of verifying and of the fence.
 */
export function createDiscardDeadLetter(site: TargetSite): (input: DiscardInput) => Promise<DiscardResult> {
  return async ({ stream, epoch, sequence, hash, by }) => {
    const { engine } = site.stream(stream);
    const tried = `discarding wagon ${sequence} of epoch ${epoch} of ${stream}`;
    const before = await engine.readLedger(stream);
    if (before === null)
      throw new SrdfError('ledger-missing', { tried, found: 'the target has no ledger of it', action: `srdf establish ${stream}` });
    const inbox = await site.inbox.list(stream, 'chain');
    if ((await engine.discardedWagons(stream)).has(hash)) {
      // Done by an attempt whose answer was lost.
      await settleApplied(site, before, inbox);
      return { discarded: [sequence] };
    }
    const train = trainsAfter(before, inbox)[0];
    if (train?.[0]?.epoch !== epoch || train[0].sequence !== sequence || train[0].hash !== hash)
      throw new SrdfError('wagon-missing', {
        tried,
        found: `the ledger stands at ${before.sequence}, and this very wagon isn't what the inbox holds behind it`,
        action: `The next cycle sends it again if it is still the next: srdf cycle ${stream}; see srdf dead-letters list`,
      });
    const places: WagonPlace[] = [];
    for (const wagon of train) {
      const expectation = { stream, sourceSite: site.source, targetSite: site.site, epoch: before.epoch };
      const { header, hash: read } = await site.opener.verify(await site.inbox.read(wagon), expectation);
      places.push(placeOf(header, read));
    }
    const ledger = await engine.discardTrain(places, by);
    site.log.warn({ stream, by, discarded: places.map((it) => it.sequence) }, 'wagons were discarded: the sides differ from here on');
    await settleApplied(site, ledger, inbox);
    await releaseDeadLetter(site, stream, { sequence, hash });
    return { discarded: places.map((it) => it.sequence) };
  };
}
