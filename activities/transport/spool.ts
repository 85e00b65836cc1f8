/** The source's spool: sealed wagons that wait to be confirmed. */
import type { Spool, WagonAddress, WagonState } from './contract.js';
import { FileStore, type StoreOptions } from './file-store.js';

class SpoolFiles extends FileStore implements Spool {
  static async open(options: StoreOptions): Promise<SpoolFiles> {
    const spool = new SpoolFiles(options, 'spool');
    await spool.load();
    return spool;
  }

  /** A source saves only receipts it has verified, so that one being here is the proof. */
  async wagonState(address: WagonAddress): Promise<WagonState | null> {
    const wagon = await this.lying(address);
    if ((await this.receiptOf(address, 'applied')) !== null) return wagon === null ? 'confirmed' : 'applied';
    if ((await this.receiptOf(address, 'refused')) !== null) return 'refused';
    if ((await this.receiptOf(address, 'received')) !== null) return 'received';
    return wagon === null ? null : 'captured';
  }
}

/**
 * Opens the folder, making it if need be; removes leftovers of killed writers and files that aren't whole (said in the log).
 * `put` throws `spool-full` before anything is written.
 */
export function openSpool(options: StoreOptions): Promise<Spool> {
  return SpoolFiles.open(options);
}
