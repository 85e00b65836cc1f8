/** Whether a verified receipt speaks of this very wagon. Pure. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { WagonRef } from '../contracts.js';
import type { ReceiptFields } from '../wagon/contract.js';

/** The reason in the `refused` receipt of a wagon that an operator has left out: the ledger has passed it. */
export const DISCARDED = 'discarded';

/** Compares stream, epoch, sequence and hash. Throws `receipt-mismatch`. */
export function requireReceiptFor(wagon: WagonRef, receipt: ReceiptFields, statuses: readonly ReceiptFields['status'][]): void {
  const differs =
    receipt.stream !== wagon.stream
      ? `it is for stream ${receipt.stream}`
      : receipt.epoch !== wagon.epoch || receipt.sequence !== wagon.sequence
        ? `it is for wagon ${receipt.sequence} of epoch ${receipt.epoch}`
        : receipt.wagonHash !== wagon.hash
          ? `it is for a wagon with hash ${receipt.wagonHash.slice(0, 16)}…, not ${wagon.hash.slice(0, 16)}…`
          : !statuses.includes(receipt.status)
            ? `it says ${receipt.status}${receipt.reason === '' ? '' : ` (${receipt.reason})`}`
            : null;
  if (differs === null) return;
  throw new SrdfError('receipt-mismatch', {
    tried: `checking the receipt of wagon ${wagon.sequence} of epoch ${wagon.epoch} of ${wagon.stream}`,
    found: differs,
    action: 'The wagon stays in the spool. Compare the sides (srdf verify) and look who could answer in the name of the target',
  });
}
