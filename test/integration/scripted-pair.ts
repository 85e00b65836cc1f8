/** A pair whose keys, spool, inbox and HTTPS are real, between engines that a test writes by hand. */
import { join } from 'node:path';
import { pino } from 'pino';
import { cycleSourceActivities } from '../../activities/cycle/source.js';
import { cycleTargetActivities } from '../../activities/cycle/target.js';
import type { SourceEngine, TargetEngine } from '../../activities/engines/engine.js';
import type { SourceSite, TargetSite } from '../../activities/site.js';
import { openInbox } from '../../activities/transport/inbox.js';
import { type Receiver, startReceiver } from '../../activities/transport/receiver.js';
import { createSender } from '../../activities/transport/sender.js';
import { openSpool } from '../../activities/transport/spool.js';
import type { Epoch, SiteName, StreamName } from '../../activities/vocabulary.js';
import { parseHeader } from '../../activities/wagon/header.js';
import { generateSiteKeys, loadKeyRing, readBundle, trustBundle, trustedPeer } from '../../activities/wagon/key-ring.js';
import { createOpener } from '../../activities/wagon/opener.js';
import { createReceiptIssuer, createReceiptVerifier, NO_RECEIPT } from '../../activities/wagon/receipt.js';
import { createSealer } from '../../activities/wagon/sealer.js';
import { parseConfig } from '../../config/load.js';
import type { ScriptedSource, ScriptedTarget } from './scripted-engines.js';

const stream = 'shop' as StreamName;
const paris = 'paris' as SiteName;
const frankfurt = 'frankfurt' as SiteName;

/** Makes both key rings and exchanges the bundles. `now`: when, ms since 1970. */
export async function exchangedKeys(directory: string, now: number = Date.now()): Promise<void> {
  await generateSiteKeys(`${directory}/paris-keys`, { site: paris, role: 'source', now });
  await generateSiteKeys(`${directory}/frankfurt-keys`, { site: frankfurt, role: 'target', now });
  await trustBundle(`${directory}/paris-keys`, await readBundle(`${directory}/frankfurt-keys`), now);
  await trustBundle(`${directory}/frankfurt-keys`, await readBundle(`${directory}/paris-keys`), now);
}

export type ScriptedPair = Awaited<ReturnType<typeof openPair>>;

/** Both processes as they start on the disks below `directory`. `now`: the clock that the life of keys is measured by. */
export async function openPair(
  directory: string,
  source: ScriptedSource | SourceEngine,
  target: ScriptedTarget,
  now: () => number = Date.now,
) {
  const log = pino({ level: 'silent' });
  const config = parseConfig(`
pair: main
source: { name: paris, state: ${directory}/paris, keys: ${directory}/paris-keys }
target: { name: frankfurt, state: ${directory}/frankfurt, keys: ${directory}/frankfurt-keys, receiver: { url: "https://127.0.0.1:7443" } }
streams:
  - { name: shop, engine: mariadb, databases: [shop], wagon: { changes: 4 }, source: { host: a, user: u }, target: { host: b, user: u } }
`);
  const [streamConfig] = config.streams;
  if (streamConfig === undefined) throw new Error('no stream');
  const selection = { databases: ['shop'], include: [], exclude: [] };
  const rings = {
    paris: await loadKeyRing(`${directory}/paris-keys`, now()),
    frankfurt: await loadKeyRing(`${directory}/frankfurt-keys`, now()),
  };
  const peers = { paris: trustedPeer(rings.frankfurt, paris), frankfurt: trustedPeer(rings.paris, frankfurt) };
  const store = (site: string, kind: string) => ({
    directory: join(directory, site, kind),
    maxBytes: 2 ** 30,
    readHeader: parseHeader,
    log,
  });
  const inbox = await openInbox(store('frankfurt', 'inbox'));
  const opener = createOpener({ ring: rings.frankfurt, source: peers.paris, threads: 0, now });
  const receipts = createReceiptIssuer(rings.frankfurt);
  const receiver: Receiver = await startReceiver({
    tls: { ...rings.frankfurt.tls, peerCertificate: peers.paris.tlsCertificate },
    listen: '127.0.0.1:0',
    inbox,
    log,
    knowsStream: (name) => name === stream,
    verify: (sealed) => opener.verify(sealed, { stream, sourceSite: paris, targetSite: frankfurt, epoch: 1 as Epoch }),
    issueReceipt: (address, wagonHash) =>
      receipts.issue({ ...address, wagonHash, status: 'received', position: null, reason: '', previousReceipt: NO_RECEIPT }),
    foreignKeys: target.foreignKeys,
  });
  const spool = await openSpool(store('paris', 'spool'));
  const sender = createSender({
    url: `https://127.0.0.1:${receiver.port}`,
    tls: { ...rings.paris.tls, peerCertificate: peers.frankfurt.tlsCertificate },
    spool,
    log,
  });
  const sealer = createSealer({ ring: rings.paris, sourceSite: paris, targetSite: frankfurt, recipient: peers.frankfurt, threads: 0, now });
  const sourceSite: SourceSite = {
    pair: 'main',
    site: paris,
    target: frankfurt,
    stream: () => ({ config: streamConfig, selection, engine: source as unknown as SourceEngine }),
    spool,
    sender,
    sealer,
    receipts: createReceiptVerifier(peers.frankfurt, now),
    stateDirectory: join(directory, 'paris'),
    log,
  };
  const targetSite: TargetSite = {
    pair: 'main',
    site: frankfurt,
    source: paris,
    stream: () => ({ config: streamConfig, selection, engine: target as unknown as TargetEngine }),
    inbox,
    opener,
    receipts,
    stateDirectory: join(directory, 'frankfurt'),
    log,
  };
  return {
    ...cycleSourceActivities(sourceSite),
    ...cycleTargetActivities(targetSite),
    spool,
    inbox,
    close: async () => {
      await sender.close();
      await receiver.close();
      await sealer.close();
      await opener.close();
    },
  };
}
