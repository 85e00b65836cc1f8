/** Fetches and verifies the target's signed `applied` receipts, and only then lets go of the wagons. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { ConfirmInput, ConfirmResult, WagonRef } from '../contracts.js';
import type { SourceSite } from '../site.js';
import type { Sequence, WagonHash } from '../vocabulary.js';
import { withHeartbeat } from './heartbeat.js';
import { requireReceiptFor } from './receipts.js';
import { readHeaderOf } from './spooled-header.js';
import { forgetOldNotes, readNote } from './wagon-notes.js';

export function createConfirmWagons(site: SourceSite): (input: ConfirmInput) => Promise<ConfirmResult> {
  /**
   * The receipt of a wagon, or the receipt of the one behind it: that one's signed header names this wagon's hash, and the target
   * applies it only after this one. So receipts that the target has lost with its disk don't hold the stream up.
   */
  async function prove(wagons: readonly WagonRef[], signal: AbortSignal): Promise<ReadonlyMap<Sequence, Uint8Array | null>> {
    const proofs = new Map<Sequence, Uint8Array | null>();
    let vouched: WagonHash | null = null;
    for (const wagon of wagons.toReversed()) {
      signal.throwIfAborted();
      if ((await site.spool.wagonState(wagon)) === 'confirmed') continue;
      const receipt = await site.sender.receipt(wagon, 'applied', signal);
      if (receipt !== null) requireReceiptFor(wagon, site.receipts.verify(receipt), ['applied']);
      else if (vouched === wagon.hash)
        site.log.warn({ wagon }, 'the target has no receipt of this wagon any more; the one behind it vouches for it');
      else
        throw new SrdfError('wagon-missing', {
          tried: `fetching the receipt of wagon ${wagon.sequence} of epoch ${wagon.epoch} of ${wagon.stream}`,
          found: 'the target has applied it and gives no receipt',
          action: 'The next cycle asks the target to give it again; nothing is released until it has',
        });
      proofs.set(wagon.sequence, receipt);
      vouched = (await readHeaderOf(site.spool, wagon)).previousHash;
    }
    return proofs;
  }

  return async ({ wagons: unordered }) =>
    await withHeartbeat(async ({ report, signal }) => {
      const started = performance.now();
      const wagons = unordered.toSorted((a, b) => a.sequence - b.sequence);
      const proofs = await prove(wagons, signal);
      const confirmed: Sequence[] = [];
      const lagMilliseconds: number[] = [];
      const contents = { transactions: 0, captured: 0, carried: 0, logBytes: 0 };
      for (const wagon of wagons) {
        const receipt = proofs.get(wagon.sequence);
        if (receipt === undefined) continue; // confirmed by an attempt before this one
        const note = await readNote(site.stateDirectory, wagon);
        if (receipt !== null) await site.spool.saveReceipt(wagon, 'applied', receipt);
        await site.spool.release(wagon);
        if (wagon.sequence % 1_000 === 0) await forgetOldNotes(site.stateDirectory, wagon.stream);
        confirmed.push(wagon.sequence);
        // Commit and confirmation are both read from the source's clock: no two clocks are compared.
        if (note?.committed) lagMilliseconds.push(Math.max(0, Date.now() - note.committed.first));
        contents.transactions += note?.transactions ?? 0;
        contents.captured += note?.captured ?? 0;
        contents.carried += note?.carried ?? 0;
        contents.logBytes += note?.logBytes ?? 0;
        report({ confirmed: wagon.sequence });
      }
      return { confirmed, contents, lagMilliseconds, milliseconds: Math.round(performance.now() - started) };
    });
}
