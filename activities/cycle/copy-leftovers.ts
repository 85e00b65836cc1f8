/**
 * What a first copy leaves behind in the inbox: definitions and ranges that an attempt given up by Temporal, or somebody between the sites, has
 * sent again after they were loaded. Nobody asks for them any more once the ledger stands behind the copy.
 */
import { isPlan } from '../compare/plan-body.js';
import type { Ledger } from '../engines/engine.js';
import type { TargetSite } from '../site.js';

export async function releaseLeftovers(site: TargetSite, { stream, phase }: Ledger): Promise<void> {
  if (phase === 'loading') return;
  const ranges = (await site.inbox.list(stream, 'range')).filter((wagon) => !isPlan(wagon));
  for (const wagon of [...(await site.inbox.list(stream, 'schema')), ...ranges]) {
    await site.inbox.release(wagon);
    const { kind, sequence, bytes } = wagon;
    site.log.info({ stream, kind, sequence, bytes }, 'inbox: removed a wagon of a copy that is done');
  }
}
