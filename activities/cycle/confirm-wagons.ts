/** Fetches and verifies the target's signed receipts, and only then lets go of the wagons: applied ones, and those an operator has left out. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { ConfirmInput, ConfirmResult, WagonRef } from '../contracts.js';
import { faultPoint } from '../fault-points.js';
import type { SourceSite } from '../site.js';
import { folderOf } from '../transport/wagon-address.js';
import type { Sequence, WagonHash } from '../vocabulary.js';
import { withHeartbeat } from './heartbeat.js';
import { DISCARDED, requireReceiptFor } from './receipts.js';
import { readHeaderOf } from './spooled-header.js';
import { forgetOldNotes, readNote } from './wagon-notes.js';

/** `receipt` null: the wagon behind it vouches for it. */
interface Proof {
  readonly receipt: Uint8Array | null;
  readonly status: 'applied' | 'refused';
}

export function createConfirmWagons(site: SourceSite): (input: ConfirmInput) => Promise<ConfirmResult> {
  /**
   * The receipt of a wagon, or the receipt of the one behind it: that one's signed header names this wagon's hash, and the target
   * applies it only after this one. So receipts that the target has lost with its disk don't hold the stream up.
   */
  async function prove(wagons: readonly WagonRef[], signal: AbortSignal): Promise<ReadonlyMap<Sequence, Proof>> {
    const proofs = new Map<Sequence, Proof>();
    let vouched: WagonHash | null = null;
    for (const wagon of wagons.toReversed()) {
      signal.throwIfAborted();
      const state = await site.spool.wagonState(wagon);
      if (state === 'confirmed' || (state === 'refused' && !(await isSpooled(wagon)))) continue;
      const receipt = await site.sender.receipt(wagon, 'applied', signal);
      const refusal = receipt === null ? await discardOf(wagon, signal) : null;
      if (receipt !== null) requireReceiptFor(wagon, site.receipts.verify(receipt), ['applied']);
      else if (refusal !== null) site.log.warn({ wagon }, 'the target has left this wagon out, by the decision of its operator');
      else if (vouched === wagon.hash)
        site.log.warn({ wagon }, 'the target has no receipt of this wagon any more; the one behind it vouches for it');
      else
        throw new SrdfError('wagon-missing', {
          tried: `fetching the receipt of wagon ${wagon.sequence} of epoch ${wagon.epoch} of ${wagon.stream}`,
          found: 'the target has applied it and gives no receipt',
          action:
            'The next cycle asks the target to give it again; nothing is released until it has. If it stays, was the spool put back from a backup? The ' +
            `target keeps the receipts of the newest 10,000 wagons alone. Then stop the worker of ${site.site}, move the folder \`spool\` in its state ` +
            'folder away, and start it again: what the target lacks is cut again from the log',
        });
      proofs.set(wagon.sequence, refusal === null ? { receipt, status: 'applied' } : { receipt: refusal, status: 'refused' });
      vouched = (await readHeaderOf(site.spool, wagon)).previousHash;
    }
    return proofs;
  }

  /** The target's signed word that the wagon was discarded. A refusal for any other reason is a dead letter's: the wagon is still to be decided on. */
  async function discardOf(wagon: WagonRef, signal: AbortSignal): Promise<Uint8Array | null> {
    const receipt = await site.sender.receipt(wagon, 'refused', signal);
    if (receipt === null) return null;
    const fields = site.receipts.verify(receipt);
    if (fields.reason !== DISCARDED) return null;
    requireReceiptFor(wagon, fields, ['refused']);
    return receipt;
  }
  const isSpooled = async (wagon: WagonRef): Promise<boolean> =>
    (await site.spool.list(wagon.stream, folderOf(wagon.kind))).some((it) => it.epoch === wagon.epoch && it.sequence === wagon.sequence);

  return async ({ wagons: unordered }) =>
    await withHeartbeat(async ({ report, signal }) => {
      const started = performance.now();
      const wagons = unordered.toSorted((a, b) => a.sequence - b.sequence);
      const proofs = await prove(wagons, signal);
      const confirmed: Sequence[] = [];
      const discarded: Sequence[] = [];
      const lagMilliseconds: number[] = [];
      const contents = { transactions: 0, captured: 0, carried: 0, logBytes: 0 };
      for (const wagon of wagons) {
        const proof = proofs.get(wagon.sequence);
        if (proof === undefined) continue; // confirmed by an attempt before this one
        const note = await readNote(site.stateDirectory, wagon);
        await faultPoint('applied-verified');
        if (proof.receipt !== null) await site.spool.saveReceipt(wagon, proof.status, proof.receipt);
        await faultPoint('confirmed');
        await site.spool.release(wagon);
        await faultPoint('spool-released');
        if (wagon.sequence % 1_000 === 0) await forgetOldNotes(site.stateDirectory, wagon.stream);
        if (proof.status === 'refused') {
          discarded.push(wagon.sequence);
          continue;
        }
        confirmed.push(wagon.sequence);
        // Commit and confirmation are both read from the source's clock: no two clocks are compared.
        if (note?.committed) lagMilliseconds.push(Math.max(0, Date.now() - note.committed.first));
        contents.transactions += note?.transactions ?? 0;
        contents.captured += note?.captured ?? 0;
        contents.carried += note?.carried ?? 0;
        contents.logBytes += note?.logBytes ?? 0;
        report({ confirmed: wagon.sequence });
      }
      return { confirmed, discarded, contents, lagMilliseconds, milliseconds: Math.round(performance.now() - started) };
    });
}
