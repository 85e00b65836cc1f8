/** Receipts beside the wagons: `<sequence>.received|applied|refused`, each with the hash of the wagon it speaks of. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StreamName, WagonHash } from '../vocabulary.js';
import { errorCode, removeFile, writeFully, writeWhole } from './atomic-file.js';
import type { ReceiptStatus, WagonAddress } from './contract.js';
import { placeOf } from './wagon-address.js';
import { encodeTrailer, readWhole } from './wagon-file.js';

/** Wagons of a stream whose receipts are kept, the newest; those of wagons still in the store are kept besides. */
const RECEIPTS_KEPT = 10_000;
export const RECEIPT_STATUSES: readonly ReceiptStatus[] = ['received', 'applied', 'refused'];

interface Kept {
  readonly address: WagonAddress;
  readonly statuses: Set<ReceiptStatus>;
}

export class ReceiptFiles {
  /** A stream's receipts by place, oldest first. */
  private readonly kept = new Map<StreamName, Map<string, Kept>>();

  constructor(
    private readonly pathOf: (address: WagonAddress, suffix: string) => string,
    private readonly stillStored: (address: WagonAddress) => boolean,
    private readonly limit = RECEIPTS_KEPT,
  ) {}

  /** Takes up what a former process left, found while scanning the folders. */
  async adopt(
    found: readonly { readonly address: WagonAddress; readonly status: ReceiptStatus; readonly folder: string; readonly name: string }[],
  ): Promise<void> {
    const dated: { readonly at: number; readonly address: WagonAddress; readonly status: ReceiptStatus }[] = [];
    for (const { address, status, folder, name } of found) {
      try {
        dated.push({ at: (await stat(join(folder, name))).mtimeMs, address, status });
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') throw error;
      }
    }
    dated.sort((a, b) => a.at - b.at || a.address.sequence - b.address.sequence);
    for (const { address, status } of dated) this.note(address, status);
    for (const stream of this.kept.keys()) await this.forgetOldest(stream);
  }

  async save(address: WagonAddress, status: ReceiptStatus, receipt: Uint8Array, wagonHash: WagonHash): Promise<void> {
    const hash = createHash('sha256').update(receipt).digest('hex') as WagonHash;
    await writeWhole(this.pathOf(address, status), 'replace', async (handle) => {
      await writeFully(handle, receipt, 0);
      await writeFully(handle, encodeTrailer({ bytes: receipt.length, hash, wagonHash }), receipt.length);
    });
    this.note(address, status);
    await this.forgetOldest(address.stream);
  }

  /** null when there is none, or none that is whole. */
  async read(
    address: WagonAddress,
    status: ReceiptStatus,
  ): Promise<{ readonly receipt: Uint8Array; readonly wagonHash: WagonHash } | null> {
    const found = await readWhole(this.pathOf(address, status));
    if (found.state !== 'whole') return null;
    if (createHash('sha256').update(found.content).digest('hex') !== found.trailer.hash) return null;
    return { receipt: found.content, wagonHash: found.trailer.wagonHash };
  }

  async remove(address: WagonAddress): Promise<void> {
    for (const status of RECEIPT_STATUSES) await removeFile(this.pathOf(address, status));
    this.kept.get(address.stream)?.delete(placeOf(address));
  }

  forget(stream: StreamName): void {
    this.kept.delete(stream);
  }

  private note(address: WagonAddress, status: ReceiptStatus): void {
    let receipts = this.kept.get(address.stream);
    if (receipts === undefined) {
      receipts = new Map();
      this.kept.set(address.stream, receipts);
    }
    const place = placeOf(address);
    const known = receipts.get(place);
    receipts.delete(place); // so that it becomes the newest
    receipts.set(place, { address, statuses: (known?.statuses ?? new Set()).add(status) });
  }

  private async forgetOldest(stream: StreamName): Promise<void> {
    const receipts = this.kept.get(stream);
    if (receipts === undefined || receipts.size <= this.limit) return;
    for (const [place, { address, statuses }] of receipts) {
      if (receipts.size <= this.limit) return;
      if (this.stillStored(address)) continue;
      receipts.delete(place);
      for (const status of statuses) await removeFile(this.pathOf(address, status));
    }
  }
}
