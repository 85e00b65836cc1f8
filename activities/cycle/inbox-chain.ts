/** What of an inbox follows a ledger. Pure. */
import type { WagonRef } from '../contracts.js';
import type { Epoch, Sequence } from '../vocabulary.js';

/** The trains right behind the ledger, without a gap, each whole. A train of one is a wagon. */
export function trainsAfter(
  ledger: { readonly epoch: Epoch; readonly sequence: Sequence },
  inbox: readonly WagonRef[],
): readonly (readonly WagonRef[])[] {
  const bySequence = new Map(inbox.filter((wagon) => wagon.epoch === ledger.epoch).map((wagon) => [wagon.sequence as number, wagon]));
  const trains: WagonRef[][] = [];
  let train: WagonRef[] = [];
  for (let sequence = ledger.sequence + 1; ; sequence++) {
    const wagon = bySequence.get(sequence);
    if (wagon === undefined) return trains;
    train.push(wagon);
    if (!wagon.train.last) continue;
    trains.push(train);
    train = [];
  }
}

/** Whole trains from the front, as many as fit into `atMost` wagons; the first always, so that a long one isn't left behind. */
export function firstTrains(trains: readonly (readonly WagonRef[])[], atMost: number): readonly WagonRef[] {
  const taken: WagonRef[] = [];
  for (const train of trains) {
    if (taken.length > 0 && taken.length + train.length > atMost) break;
    taken.push(...train);
  }
  return taken;
}
