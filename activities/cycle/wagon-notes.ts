/**
 * What the source knows of a wagon it has cut and the sealed wagon doesn't tell it any more: counts and commit times.
 * For lag and totals only; a wagon whose note is lost is replicated all the same.
 */
import type { WagonRef } from '../contracts.js';
import { readFact, removeFact, writeFact } from './stream-files.js';

export interface WagonNote {
  readonly transactions: number;
  readonly captured: number;
  readonly carried: number;
  readonly logBytes: number;
  readonly rawBytes: number;
  /** Source's clock, ms since 1970; null for a wagon that holds no end of a transaction in scope. */
  readonly committed: { readonly first: number; readonly last: number } | null;
}

type Address = Pick<WagonRef, 'stream' | 'epoch' | 'sequence'>;
const name = (wagon: Address): readonly string[] => ['notes', wagon.stream, `${wagon.epoch}-${wagon.sequence}.json`];

export const writeNote = async (stateDirectory: string, wagon: Address, note: WagonNote): Promise<void> =>
  await writeFact(note, stateDirectory, ...name(wagon));
export const readNote = async (stateDirectory: string, wagon: Address): Promise<WagonNote | null> =>
  await readFact<WagonNote>(stateDirectory, ...name(wagon));
export const removeNote = async (stateDirectory: string, wagon: Address): Promise<void> => await removeFact(stateDirectory, ...name(wagon));
