/** Opens a wagon that stands outside the chain, and makes sure that it is the very one the source has announced. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { WagonRef } from '../contracts.js';
import { requireInScope } from '../cycle/require-in-scope.js';
import type { TargetSite } from '../site.js';
import type { WagonBody } from '../wagon/body.js';

/**
 * Errors: `bootstrap-range-lost` (the inbox has lost it, its disk has damaged it, or another attempt's wagon took its place: waiting won't bring
 * it back, since the source keeps none), `wagon-scope`, those of opening.
 */
export async function openStandalone(site: TargetSite, wagon: WagonRef): Promise<WagonBody> {
  const sealed = await site.inbox.read(wagon).catch((error: unknown) => {
    if (!(error instanceof SrdfError) || error.code !== 'wagon-missing') throw error;
    throw new SrdfError('bootstrap-range-lost', { ...error.facts, action: 'It is read and sent again', cause: error });
  });
  const expectation = { stream: wagon.stream, sourceSite: site.source, targetSite: site.site, epoch: wagon.epoch };
  const opened = await site.opener.open(sealed, expectation).catch(async (error: unknown) => {
    if (!(await site.inbox.removeIfDamaged(wagon))) throw error;
    throw new SrdfError('bootstrap-range-lost', {
      tried: `opening the ${wagon.kind} wagon ${wagon.sequence} of ${wagon.stream}`,
      found: 'its file was damaged on the disk of the inbox',
      action: 'It is read and sent again. Look at that disk: what else is damaged there?',
    });
  });
  if (opened.hash === wagon.hash && opened.header.kind === wagon.kind && opened.header.epoch === wagon.epoch) {
    requireInScope(site.stream(wagon.stream), wagon, opened.body);
    return opened.body;
  }
  throw new SrdfError('bootstrap-range-lost', {
    tried: `opening the ${wagon.kind} wagon ${wagon.sequence} of ${wagon.stream}`,
    found: 'the inbox holds another wagon at its address, of another attempt',
    action: 'It is read and sent again',
  });
}
