/** What lies in a store's folders: read once when it is opened. Reads names only. */
import { join } from 'node:path';
import { isLeftover, namesIn } from './atomic-file.js';
import type { ReceiptStatus, WagonAddress } from './contract.js';
import { RECEIPT_STATUSES } from './receipt-files.js';
import { parseAddress, type WagonFolder } from './wagon-address.js';

export interface StoreScan {
  readonly wagons: readonly { readonly stream: string; readonly folder: WagonFolder; readonly epoch: string; readonly name: string }[];
  readonly receipts: readonly {
    readonly address: WagonAddress;
    readonly status: ReceiptStatus;
    readonly folder: string;
    readonly name: string;
  }[];
  /** Paths of temporary files of processes that no longer run. */
  readonly leftovers: readonly string[];
}

const FOLDERS: readonly WagonFolder[] = ['chain', 'schema', 'range'];

export async function scanStore(directory: string): Promise<StoreScan> {
  const wagons: StoreScan['wagons'][number][] = [];
  const receipts: StoreScan['receipts'][number][] = [];
  const leftovers: string[] = [];
  for (const stream of await namesIn(directory)) {
    for (const folder of FOLDERS) {
      for (const epoch of await namesIn(join(directory, stream, folder))) {
        const path = join(directory, stream, folder, epoch);
        for (const name of await namesIn(path)) {
          if (isLeftover(name)) leftovers.push(join(path, name));
          else if (/^\d+\.wagon$/.test(name)) wagons.push({ stream, folder, epoch, name });
          else {
            const [digits = '', suffix = ''] = name.split('.');
            const status = RECEIPT_STATUSES.find((it) => it === suffix);
            const address = parseAddress(stream, folder === 'chain' ? 'changes' : folder, epoch, digits.replace(/^0+(?=\d)/, ''));
            if (status !== undefined && address !== null) receipts.push({ address, status, folder: path, name });
          }
        }
      }
    }
  }
  return { wagons, receipts, leftovers };
}
