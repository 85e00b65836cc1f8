/** Opens everything a target site's activities touch: keys, inbox, an engine a stream; and the receiver, which feeds the inbox. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { openTargetEngine } from '../activities/engines/open-engine.js';
import type { TargetSite, TargetStream } from '../activities/site.js';
import { openInbox } from '../activities/transport/inbox.js';
import { startReceiver } from '../activities/transport/receiver.js';
import type { Epoch, SiteName, StreamName } from '../activities/vocabulary.js';
import { parseHeader } from '../activities/wagon/header.js';
import { loadKeyRing, trustedPeer } from '../activities/wagon/key-ring.js';
import { createOpener } from '../activities/wagon/opener.js';
import { createReceiptIssuer, NO_RECEIPT } from '../activities/wagon/receipt.js';
import { engineOf, resolveSecret, selectionOf } from '../config/load.js';
import type { SrdfConfig } from '../config/schema.js';
import { type Closable, closeAll } from './close-all.js';
import { warnOfEndingKeys } from './key-warnings.js';
import { unknownStream } from './unknown-stream.js';

export async function openTargetSite(config: SrdfConfig, log: Logger): Promise<{ readonly site: TargetSite; close(): Promise<void> }> {
  const name = config.target.name as SiteName;
  const source = config.source.name as SiteName;
  const opened: Closable[] = [];
  try {
    const ring = await loadKeyRing(config.target.keys);
    const peer = trustedPeer(ring, source);
    opened.push(warnOfEndingKeys(ring, log));
    const stateDirectory = config.target.state;
    await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
    const inbox = await openInbox({
      directory: join(stateDirectory, 'inbox'),
      maxBytes: config.target.maxBytes,
      readHeader: parseHeader,
      log,
    });
    const opener = createOpener({ ring, source: peer });
    opened.push(opener);
    const receipts = createReceiptIssuer(ring);
    const streams = new Map<StreamName, TargetStream>();
    for (const stream of config.streams) {
      const engine = openTargetEngine({
        name: engineOf(stream),
        server: stream.target,
        password: await resolveSecret(stream.target.password),
      });
      opened.push(engine);
      streams.set(stream.name as StreamName, { config: stream, selection: selectionOf(stream), engine });
    }
    const site: TargetSite = {
      pair: config.pair,
      site: name,
      source,
      stream: (wanted) => streams.get(wanted) ?? unknownStream(config, wanted),
      inbox,
      opener,
      receipts,
      stateDirectory,
      log,
    };
    const receiver = await startReceiver({
      tls: { ...ring.tls, peerCertificate: peer.tlsCertificate },
      listen: config.target.receiver.listen,
      inbox,
      log,
      knowsStream: (stream) => streams.has(stream),
      // The receiver takes wagons of the ledger's epoch and later; which one is next, the ledger decides when they are applied.
      verify: async (sealed, address) =>
        await opener.verify(sealed, {
          stream: address.stream,
          sourceSite: source,
          targetSite: name,
          epoch: (await site.stream(address.stream).engine.readLedger(address.stream))?.epoch ?? (1 as Epoch),
        }),
      issueReceipt: (address, hash) =>
        receipts.issue({
          ...address,
          wagonHash: hash,
          status: 'received',
          position: null,
          reason: '',
          previousReceipt: NO_RECEIPT,
        }),
      foreignKeys: async (stream) => {
        const { engine, selection } = site.stream(stream);
        return await engine.foreignKeys(stream, selection);
      },
    });
    opened.push(receiver);
    return { site, close: () => closeAll(opened) };
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}
