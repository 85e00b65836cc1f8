/** The source's sealer: encodes here (row images aren't copied between threads), compresses, seals and signs in a thread. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { SiteName } from '../vocabulary.js';
import type { WagonSealer } from './contract.js';
import { encodeBody } from './encoding.js';
import { checkValidity, type KeyBundle, keyId } from './key-bundle.js';
import type { KeyRing } from './key-ring.js';
import { startWagonThreads } from './wagon-threads.js';

export interface SealerOptions {
  readonly ring: KeyRing;
  readonly sourceSite: SiteName;
  readonly targetSite: SiteName;
  /** The target's bundle, as trusted (`trustedPeer(ring, targetSite)`). */
  readonly recipient: KeyBundle;
  /** Default 1; 0 works in the calling thread. */
  readonly threads?: number;
  /** ms since 1970. */
  readonly now?: () => number;
}

/** Throws `key-bundle-refused` when the ring or bundle isn't of the site or role it is used for. `seal` throws `key-bundle-early`, `key-bundle-expired`. */
export function createSealer(options: SealerOptions): WagonSealer {
  const { ring, recipient, sourceSite, targetSite } = options;
  const now = options.now ?? Date.now;
  if (ring.bundle.site !== sourceSite || ring.bundle.role !== 'source')
    throw misplaced(`the keys in ${ring.directory} are of ${ring.bundle.site} (${ring.bundle.role}), not of the source ${sourceSite}`);
  if (recipient.site !== targetSite || recipient.role !== 'target' || recipient.recipientPublicKey === null) {
    throw misplaced(`the trusted bundle is of ${recipient.site} (${recipient.role}), not of the target ${targetSite}`);
  }
  const threads = startWagonThreads(
    {
      role: 'sealer',
      signingSeed: ring.signingSeed,
      signerKeyId: ring.signingKeyId,
      recipientPublicKey: recipient.recipientPublicKey,
      recipientKeyId: keyId(recipient.recipientPublicKey),
    },
    options.threads ?? 1,
  );
  return {
    seal: async (header, body) => {
      checkValidity(recipient, now());
      if (header.kind !== body.kind || header.sourceSite !== sourceSite || header.targetSite !== targetSite) {
        throw new TypeError(
          `a header of a ${header.kind} wagon from ${header.sourceSite} to ${header.targetSite} around a ${body.kind} body from ${sourceSite} to ${targetSite}`,
        );
      }
      const answer = await threads.run({ task: 'seal', header, bytes: encodeBody(body) });
      if (answer.task !== 'seal') throw new TypeError('a wagon thread answered another question');
      return { bytes: answer.bytes, hash: answer.hash, plainBytes: answer.plainBytes };
    },
    close: () => threads.close(),
  };
}

function misplaced(found: string): SrdfError {
  return new SrdfError('key-bundle-refused', {
    tried: 'preparing to seal wagons',
    found,
    action: 'Check `keys` and the site names in srdf.yaml, and what `srdf keys trust` was given',
  });
}
