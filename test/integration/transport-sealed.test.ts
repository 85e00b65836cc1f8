/** The whole way with real keys: sealed at the source, shipped under the pinned certificates of the key rings, verified, receipted, opened. */
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openInbox } from '../../activities/transport/inbox.js';
import { startReceiver } from '../../activities/transport/receiver.js';
import { createSender } from '../../activities/transport/sender.js';
import { openSpool } from '../../activities/transport/spool.js';
import { parseHeader } from '../../activities/wagon/header.js';
import { trustedPeer } from '../../activities/wagon/key-ring.js';
import { createOpener } from '../../activities/wagon/opener.js';
import { createReceiptIssuer, createReceiptVerifier, NO_RECEIPT } from '../../activities/wagon/receipt.js';
import { createSealer } from '../../activities/wagon/sealer.js';
import { changesBody, EXPECTED, FRANKFURT, headerFields, PARIS, SHOP, twoSites } from '../unit/wagon-fixture.js';
import { Closing, errorOf } from './transport-fixture.js';

const closing = new Closing();
afterEach(() => closing.all());
const signal = new AbortController().signal;
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

test('a sealed wagon arrives, its signed receipt verifies, and a spoilt one is refused', async () => {
  const sites = await twoSites();
  closing.add(() => sites.remove());
  const paris = trustedPeer(sites.target, PARIS);
  const frankfurt = trustedPeer(sites.source, FRANKFURT);
  const opener = createOpener({ ring: sites.target, source: paris });
  closing.add(() => opener.close());
  const sealer = createSealer({ ring: sites.source, sourceSite: PARIS, targetSite: FRANKFURT, recipient: frankfurt });
  closing.add(() => sealer.close());
  const issuer = createReceiptIssuer(sites.target);
  const spool = await openSpool({ directory: join(sites.directory, 'spool'), maxBytes: 2 ** 30, readHeader: parseHeader });
  const inbox = await openInbox({ directory: join(sites.directory, 'inbox'), maxBytes: 2 ** 30, readHeader: parseHeader });
  const receiver = await startReceiver({
    tls: { ...sites.target.tls, peerCertificate: paris.tlsCertificate },
    listen: '127.0.0.1:0',
    inbox,
    log,
    knowsStream: (stream) => stream === SHOP,
    verify: (sealed) => opener.verify(sealed, EXPECTED),
    issueReceipt: (address, hash) =>
      issuer.issue({ ...address, wagonHash: hash, status: 'received', position: null, reason: '', previousReceipt: NO_RECEIPT }),
    foreignKeys: async () => [],
  });
  closing.add(() => receiver.close());
  const sender = createSender({
    url: `https://127.0.0.1:${receiver.port}`,
    tls: { ...sites.source.tls, peerCertificate: frankfurt.tlsCertificate },
    spool,
    log,
  });
  closing.add(() => sender.close());

  const fields = headerFields();
  const sealed = await sealer.seal(fields, changesBody());
  const { stream, kind, epoch, sequence, positionTo, train } = fields;
  const address = { stream, kind, epoch, sequence };
  await spool.put(address, sealed.bytes);
  const [wagon] = await spool.list(SHOP, 'chain');
  expect(wagon).toEqual({ ...address, hash: sealed.hash, bytes: sealed.bytes.length, positionTo, train });
  if (wagon === undefined) throw new Error('no wagon in the spool');
  const { receipt } = await sender.ship(wagon, { signal });
  expect(createReceiptVerifier(frankfurt).verify(receipt)).toMatchObject({ ...address, status: 'received', wagonHash: sealed.hash });
  expect((await opener.open(await inbox.read(address), EXPECTED)).body.kind).toBe('changes');

  const other = await sealer.seal(headerFields({ sequence: 2 as typeof sequence }), changesBody());
  const spoilt = Uint8Array.from(other.bytes);
  spoilt[spoilt.length - 1] = (spoilt[spoilt.length - 1] ?? 0) ^ 1;
  const second = { ...address, sequence: 2 as typeof sequence };
  const { hash, bytes } = await spool.put(second, spoilt);
  expect(await errorOf(sender.ship({ ...wagon, ...second, hash, bytes }, { signal }))).toMatchObject({ code: 'wagon-signature' });
  expect(await inbox.list(SHOP, 'chain')).toEqual([wagon]);
});
