/** The target's opener: verifies and opens in a thread, decodes here without copying row data. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { WagonOpener } from './contract.js';
import { decodeBody } from './encoding.js';
import { isLarge } from './give-back.js';
import { type KeyBundle, keyId } from './key-bundle.js';
import type { KeyRing } from './key-ring.js';
import type { KnownSigner } from './open-wagon.js';
import { startWagonThreads } from './wagon-threads.js';

export interface OpenerOptions {
  readonly ring: KeyRing;
  /** The source's bundle, as trusted (`trustedPeer(ring, sourceSite)`). */
  readonly source: KeyBundle;
  /** Default 1; 0 works in the calling thread. */
  readonly threads?: number;
  /** ms since 1970. */
  readonly now?: () => number;
}

/**
 * Throws `key-bundle-refused` unless the ring is a target's. The opener throws, in the order of its checks: `wagon-too-large`, `wagon-malformed`,
 * `wagon-suite`, `wagon-signer`, `wagon-signature`, `wagon-role`, `key-bundle-expired`, `wagon-destination`, `wagon-epoch`;
 * `open` also `wagon-recipient`, `wagon-sealed-body`, `wagon-checksum`.
 */
export function createOpener(options: OpenerOptions): WagonOpener {
  const { ring, source } = options;
  const now = options.now ?? Date.now;
  if (ring.recipient === null) {
    throw new SrdfError('key-bundle-refused', {
      tried: 'preparing to open wagons',
      found: `the keys in ${ring.directory} are of ${ring.bundle.site}, a ${ring.bundle.role} without a recipient key`,
      action: 'Check `keys` in srdf.yaml: a target opens wagons with its own key ring',
    });
  }
  const threads = startWagonThreads(
    {
      role: 'opener',
      signers: [known(source), known(ring.bundle)],
      recipientSeed: ring.recipient.seed,
      recipientKeyId: ring.recipient.keyId,
    },
    options.threads ?? 1,
  );
  return {
    verify: async (sealed, expectation) => {
      const answer = await threads.run({ task: 'verify', bytes: forThread(sealed), expectation, now: now() });
      if (answer.task !== 'verify') throw new TypeError('a wagon thread answered another question');
      return { header: answer.header, hash: answer.hash };
    },
    open: async (sealed, expectation) => {
      const answer = await threads.run({ task: 'open', bytes: forThread(sealed), expectation, now: now() });
      if (answer.task !== 'open') throw new TypeError('a wagon thread answered another question');
      const body = decodeBody(answer.bytes);
      if (body.kind !== answer.header.kind) {
        throw new SrdfError('wagon-malformed', {
          tried: `opening wagon ${answer.header.sequence} of stream ${answer.header.stream}`,
          found: `its header says ${answer.header.kind}, its body is ${body.kind}`,
          action: 'Nothing was applied. Check the source, which sealed it so',
        });
      }
      return { header: answer.header, hash: answer.hash, body };
    },
    close: () => threads.close(),
  };
}

/** A large wagon isn't held twice: the thread takes over the very buffer. A small one may lie in a pool that others use too. */
const forThread = (sealed: Uint8Array): Uint8Array => (isLarge(sealed) ? sealed : new Uint8Array(sealed));

/** The ring's own bundle is known too, so that its misuse is named as such. */
function known(bundle: KeyBundle): KnownSigner {
  const { signingPublicKey: publicKey, site, role, notAfter } = bundle;
  return { keyId: keyId(publicKey), publicKey, site, role, notAfter };
}
