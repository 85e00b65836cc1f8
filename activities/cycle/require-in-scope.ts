/** The target's own config decides what a wagon may touch, whatever the source has put into it. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { WagonRef } from '../contracts.js';
import type { TargetStream } from '../site.js';
import type { WagonBody } from '../wagon/body.js';

/** Right after opening, before anything of it is used. Throws `wagon-scope`. */
export function requireInScope({ engine, selection }: TargetStream, wagon: WagonRef, body: WagonBody): void {
  const found = engine.outOfScope(body, selection);
  if (found !== null)
    throw outOfScope(`opening the ${wagon.kind} wagon ${wagon.sequence} of epoch ${wagon.epoch} of ${wagon.stream}`, found);
}

export const outOfScope = (tried: string, found: string): SrdfError =>
  new SrdfError('wagon-scope', {
    tried,
    found: `${found}: outside of what the stream replicates by this site’s config`,
    action:
      'Nothing of it was applied. Compare srdf.yaml at both sites (databases, include, exclude); when they agree, find out who else writes to the source or holds its keys',
  });
