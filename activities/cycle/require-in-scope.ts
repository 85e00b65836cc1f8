/** The target's own config decides what a wagon may touch, whatever the source has put into it. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { WagonRef } from '../contracts.js';
import type { TargetStream } from '../site.js';
import type { WagonBody } from '../wagon/body.js';

/** Right after opening, before anything of it is used. Throws `wagon-scope`. */
export function requireInScope({ engine, selection }: TargetStream, wagon: WagonRef, body: WagonBody): void {
  const found = engine.outOfScope(body, selection);
  if (found === null) return;
  throw outOfScope(
    `opening the ${wagon.kind} wagon ${wagon.sequence} of epoch ${wagon.epoch} of ${wagon.stream}`,
    found,
    body.kind === 'ddl' ? OVER_THE_EDGE : undefined,
  );
}

/** An honest source sends it too: the statement is the stream's in part, and its rows are on one side only. */
const OVER_THE_EDGE =
  'Has the source moved a table into or out of what the stream replicates (RENAME, EXCHANGE PARTITION)? Then make the target’s tables by hand what the source’s were right behind it, with their rows, and leave the statement out (srdf dead-letters discard), or copy the stream anew: `srdf establish` says how. Otherwise compare';

export const outOfScope = (tried: string, found: string, begins = 'Compare'): SrdfError =>
  new SrdfError('wagon-scope', {
    tried,
    found: `${found}: outside of what the stream replicates by this site’s config`,
    action: `Nothing of it was applied. ${begins} srdf.yaml at both sites (databases, include, exclude); when they agree, find out who else writes to the source or holds its keys`,
  });
