/**
 * What the source knows of a wagon it has cut and the sealed wagon doesn't tell it any more: counts and commit times.
 * For lag and totals only; a wagon whose note is lost is replicated all the same. The newest are kept, as receipts are,
 * so that the wagons in each of the four states can be counted at any time.
 */
import { join } from 'node:path';
import type { StateTotals, WagonRef } from '../contracts.js';
import type { Spool } from '../transport/contract.js';
import type { Epoch, Sequence, StreamName } from '../vocabulary.js';
import { listFacts, readFactIfWhole, removeFact, writeFact } from './stream-files.js';

const NOTES_KEPT = 10_000;

export interface WagonNote {
  readonly transactions: number;
  readonly captured: number;
  readonly carried: number;
  readonly logBytes: number;
  readonly rawBytes: number;
  readonly wireBytes: number;
  /** Source's clock, ms since 1970; null for a wagon that holds no end of a transaction in scope. */
  readonly committed: { readonly first: number; readonly last: number } | null;
}

type Address = Pick<WagonRef, 'stream' | 'epoch' | 'sequence'>;
const name = (wagon: Address): readonly string[] => ['notes', wagon.stream, `${wagon.epoch}-${wagon.sequence}.json`];

/**
 * Notes of wagons that are confirmed, by path: neither changes any more. Read anew for every question, those of ten thousand wagons and their
 * receipts took a worker seconds each time, and longer than `srdf status` waits where it serves several streams.
 */
const settled = new Map<string, WagonNote>();
const pathOf = (stateDirectory: string, wagon: Address): string => join(stateDirectory, ...name(wagon));

export const writeNote = async (stateDirectory: string, wagon: Address, note: WagonNote): Promise<void> => {
  settled.delete(pathOf(stateDirectory, wagon));
  await writeFact(note, stateDirectory, ...name(wagon));
};
export const readNote = async (stateDirectory: string, wagon: Address): Promise<WagonNote | null> =>
  await readFactIfWhole<WagonNote>(stateDirectory, ...name(wagon));
export const removeNote = async (stateDirectory: string, wagon: Address): Promise<void> => {
  settled.delete(pathOf(stateDirectory, wagon));
  await removeFact(stateDirectory, ...name(wagon));
};

/** Wagons of which there is a note, oldest first. */
async function noted(stateDirectory: string, stream: StreamName): Promise<readonly Address[]> {
  const files = await listFacts(stateDirectory, 'notes', stream);
  return files
    .flatMap((file) => {
      const [, epoch, sequence] = /^(\d+)-(\d+)\.json$/.exec(file) ?? [];
      return epoch === undefined || sequence === undefined
        ? []
        : [{ stream, epoch: Number(epoch) as Epoch, sequence: Number(sequence) as Sequence }];
    })
    .sort((a, b) => a.epoch - b.epoch || a.sequence - b.sequence);
}

/** Leaves the newest notes; the wagons of older ones were confirmed long ago. */
export async function forgetOldNotes(stateDirectory: string, stream: StreamName): Promise<void> {
  const wagons = await noted(stateDirectory, stream);
  for (const wagon of wagons.slice(0, -NOTES_KEPT)) await removeNote(stateDirectory, wagon);
}

/** A new establishment of the stream numbers its wagons from 1 again. */
export async function forgetNotes(stateDirectory: string, stream: StreamName): Promise<void> {
  for (const wagon of await noted(stateDirectory, stream)) await removeNote(stateDirectory, wagon);
}

const NOTHING: StateTotals = { wagons: 0, transactions: 0, changes: 0, carried: 0, logBytes: 0, wireBytes: 0 };
const plus = (total: StateTotals, note: WagonNote): StateTotals => ({
  wagons: total.wagons + 1,
  transactions: total.transactions + note.transactions,
  changes: total.changes + note.captured,
  carried: total.carried + note.carried,
  logBytes: total.logBytes + note.logBytes,
  wireBytes: total.wireBytes + note.wireBytes,
});

/**
 * What has reached each state, a later state counted in the earlier ones too: captured (sealed), received (a signed receipt
 * says so), applied (the target's ledger has passed it), confirmed (its `applied` receipt is verified and the wagon released).
 */
export async function totalsByState(
  stateDirectory: string,
  stream: StreamName,
  spool: Pick<Spool, 'wagonState'>,
  ledger: { readonly epoch: Epoch; readonly sequence: Sequence } | null,
): Promise<Record<'captured' | 'received' | 'applied' | 'confirmed', StateTotals>> {
  const totals = { captured: NOTHING, received: NOTHING, applied: NOTHING, confirmed: NOTHING };
  const wagons = await noted(stateDirectory, stream);
  for (const wagon of wagons.slice(-NOTES_KEPT)) {
    const { epoch, sequence } = wagon;
    const path = pathOf(stateDirectory, wagon);
    const known = settled.get(path);
    const state = known === undefined ? await spool.wagonState({ ...wagon, kind: 'changes' }) : 'confirmed'; // `ddl` wagons lie in the same chain
    const note = known ?? (await readNote(stateDirectory, wagon));
    if (note === null || state === null) continue;
    const confirmed = state === 'confirmed';
    if (confirmed) settled.set(path, note);
    // The ledger has passed a wagon that an operator left out, too: its receipt says `refused`.
    const passed = ledger !== null && epoch === ledger.epoch && sequence <= ledger.sequence && state !== 'refused';
    const applied = confirmed || state === 'applied' || passed;
    totals.captured = plus(totals.captured, note);
    if (applied || state === 'received' || state === 'refused') totals.received = plus(totals.received, note);
    if (applied) totals.applied = plus(totals.applied, note);
    if (confirmed) totals.confirmed = plus(totals.confirmed, note);
  }
  return totals;
}
