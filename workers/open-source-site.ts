/** Opens everything a source site's activities touch: keys, spool, the way to the target, an engine a stream. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { openSourceEngine } from '../activities/engines/open-engine.js';
import type { SourceSite, SourceStream } from '../activities/site.js';
import { createSender } from '../activities/transport/sender.js';
import { openSpool } from '../activities/transport/spool.js';
import type { SiteName, StreamName } from '../activities/vocabulary.js';
import { parseHeader } from '../activities/wagon/header.js';
import { loadKeyRing, trustedPeer } from '../activities/wagon/key-ring.js';
import { createReceiptVerifier } from '../activities/wagon/receipt.js';
import { createSealer } from '../activities/wagon/sealer.js';
import { engineOf, resolveSecret, selectionOf } from '../config/load.js';
import type { SrdfConfig } from '../config/schema.js';
import { type Closable, closeAll } from './close-all.js';
import { warnOfEndingKeys } from './key-warnings.js';
import { replicaId } from './replica-id.js';
import { unknownStream } from './unknown-stream.js';

export async function openSourceSite(config: SrdfConfig, log: Logger): Promise<{ readonly site: SourceSite; close(): Promise<void> }> {
  const name = config.source.name as SiteName;
  const target = config.target.name as SiteName;
  const opened: Closable[] = [];
  try {
    const ring = await loadKeyRing(config.source.keys);
    const peer = trustedPeer(ring, target);
    opened.push(warnOfEndingKeys(ring, log));
    const stateDirectory = config.source.state;
    await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
    const spool = await openSpool({
      directory: join(stateDirectory, 'spool'),
      maxBytes: config.source.maxBytes,
      readHeader: parseHeader,
      log,
    });
    const sender = createSender({
      url: config.target.receiver.url,
      tls: { ...ring.tls, peerCertificate: peer.tlsCertificate },
      spool,
      log,
    });
    opened.push(sender);
    const sealer = createSealer({ ring, sourceSite: name, targetSite: target, recipient: peer });
    opened.push(sealer);
    const streams = new Map<StreamName, SourceStream>();
    for (const stream of config.streams) {
      const engine = openSourceEngine({
        name: engineOf(stream),
        server: stream.source,
        password: await resolveSecret(stream.source.password),
        serverId: stream.serverId ?? replicaId(config.pair, stream.name),
      });
      opened.push(engine);
      streams.set(stream.name as StreamName, { config: stream, selection: selectionOf(stream), engine });
    }
    const site: SourceSite = {
      pair: config.pair,
      site: name,
      target,
      stream: (wanted) => streams.get(wanted) ?? unknownStream(config, wanted),
      spool,
      sender,
      sealer,
      receipts: createReceiptVerifier(peer),
      stateDirectory,
      log,
    };
    return { site, close: () => closeAll(opened) };
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}
