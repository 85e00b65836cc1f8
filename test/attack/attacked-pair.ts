/** A running pair with somebody between its sites, and the keys of both for the test's own use. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { SiteName, StreamName } from '../../activities/vocabulary.js';
import type { WagonExpectation } from '../../activities/wagon/contract.js';
import { type KeyRing, loadKeyRing } from '../../activities/wagon/key-ring.js';
import { Pair } from '../integration/pair.js';
import { ManInTheMiddle } from './man-in-the-middle.js';

export const EXPECTED: Omit<WagonExpectation, 'epoch'> = {
  stream: 'shop' as StreamName,
  sourceSite: 'paris' as SiteName,
  targetSite: 'frankfurt' as SiteName,
};

export interface AttackedPair {
  readonly pair: Pair;
  readonly middle: ManInTheMiddle;
  readonly keys: { readonly source: KeyRing; readonly target: KeyRing };
  /** The target's rows and its ledger: what no attack may change. */
  standing(): Promise<string>;
  remove(): Promise<void>;
}

/** Databases, workers, a table `shop.item` with rows, established through the line that is listened to. */
export async function startAttackedPair(stream: Readonly<Record<string, unknown>> = {}): Promise<AttackedPair> {
  const pair = await Pair.start({ kind: 'mariadb', workers: false, stream });
  try {
    const config = parse(await readFile(pair.configFile, 'utf8')) as { target: { receiver: { listen: string; url: string } } };
    const [source, target] = [
      await loadKeyRing(join(pair.directory, 'source-keys')),
      await loadKeyRing(join(pair.directory, 'target-keys')),
    ];
    const middle = await ManInTheMiddle.start(Number(config.target.receiver.listen.split(':')[1]), source.tls, target.tls);
    config.target.receiver.url = `https://127.0.0.1:${middle.port}`;
    await writeFile(pair.configFile, stringify(config));
    await pair.startWorkers();
    await pair.source.sql(
      "CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY, name VARCHAR(200)); INSERT INTO shop.item VALUES (1, 'a'), (2, 'b')",
    );
    await pair.establish();
    await pair.waitConfirmed();
    return {
      pair,
      middle,
      keys: { source, target },
      standing: async () => {
        const ledger = await pair.target.sql('SELECT phase, epoch, sequence, wagon_hash, position FROM srdf.ledger');
        return JSON.stringify(ledger) + (await pair.target.dump(['shop']));
      },
      remove: async () => {
        await pair.remove();
        await middle.close();
      },
    };
  } catch (error) {
    await pair.remove();
    throw error;
  }
}
