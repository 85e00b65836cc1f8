/** Receipts for what the ledger says is applied: given after each apply, and given again when a crash came between. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { WagonRef } from '../contracts.js';
import type { Ledger } from '../engines/engine.js';
import { faultPoint } from '../fault-points.js';
import type { TargetSite } from '../site.js';
import type { Position, Sequence, WagonHash } from '../vocabulary.js';
import type { ReceiptFields } from '../wagon/contract.js';
import { NO_RECEIPT, receiptHash } from '../wagon/receipt.js';
import { DISCARDED } from './receipts.js';
import { readHeaderOf } from './spooled-header.js';

type Given = Pick<ReceiptFields, 'status' | 'position' | 'reason'>;

/** Signs and stores a receipt; a wagon's receipt names the one given for the wagon before it. */
export async function giveReceipt(site: TargetSite, wagon: WagonRef, given: Given): Promise<void> {
  const before = { ...wagon, sequence: (wagon.sequence - 1) as Sequence };
  const previous = wagon.sequence > 1 ? await site.inbox.readReceipt(before, 'applied') : null;
  const receipt = site.receipts.issue({
    stream: wagon.stream,
    kind: wagon.kind,
    epoch: wagon.epoch,
    sequence: wagon.sequence,
    wagonHash: wagon.hash,
    previousReceipt: previous === null ? NO_RECEIPT : receiptHash(previous),
    ...given,
  });
  await site.inbox.saveReceipt(wagon, given.status, receipt);
}

/**
 * The wagon's receipt is on disk before its bytes go: `applied`, or `refused` with the reason `discarded` for one that was left out, so that
 * no receipt ever says of it what isn't so.
 */
export async function settle(
  site: TargetSite,
  wagon: WagonRef,
  position: Position,
  discarded: ReadonlyMap<WagonHash, number>,
): Promise<void> {
  if (discarded.has(wagon.hash)) await giveReceipt(site, wagon, { status: 'refused', position, reason: DISCARDED });
  else if ((await site.inbox.readReceipt(wagon, 'applied')) === null)
    await giveReceipt(site, wagon, { status: 'applied', position, reason: '' });
  await faultPoint('applied-signed');
  await site.inbox.release(wagon);
  await faultPoint('inbox-released');
}

/**
 * Wagons at or before the ledger that still lie in the inbox: a crash came between commit and receipt. Only what the ledger's hash
 * vouches for, wagon by wagon back through the hashes their headers name, gets a receipt. Throws `wagon-fork` for anything else.
 */
export async function settleApplied(site: TargetSite, ledger: Ledger, inbox: readonly WagonRef[]): Promise<void> {
  const { position } = ledger;
  if (position === null) return;
  const passed = inbox.filter((wagon) => wagon.epoch === ledger.epoch && wagon.sequence <= ledger.sequence);
  const vouched: WagonRef[] = [];
  let expected = ledger.wagonHash;
  for (let sequence = ledger.sequence as number; ; sequence--) {
    const wagon = passed.find((it) => it.sequence === sequence);
    if (wagon === undefined) break;
    if (wagon.hash !== expected)
      throw new SrdfError('wagon-fork', {
        tried: `giving the receipt of wagon ${sequence} of epoch ${ledger.epoch} of ${ledger.stream} again`,
        found: `the inbox has ${wagon.hash.slice(0, 16)}…, the ledger has applied ${expected.slice(0, 16)}…`,
        action: 'Two versions of the stream exist. Suspend it, compare the sides (srdf verify) and see who else seals for this source',
      });
    vouched.unshift(wagon);
    expected = (await readHeaderOf(site.inbox, wagon)).previousHash;
  }
  if (vouched.length === 0) return;
  const discarded = await site.stream(ledger.stream).engine.discardedWagons(ledger.stream);
  for (const wagon of vouched) await settle(site, wagon, position, discarded);
}
