/** A wagon's address as text: on disk and on the wire. Strict, so that no name ever leads out of the store's folder. Pure. */
import type { Epoch, Sequence, StreamName } from '../vocabulary.js';
import type { WagonHeader, WagonKind } from '../wagon/contract.js';
import type { WagonAddress } from './contract.js';

const STREAM = /^[a-z][a-z0-9-]{0,39}$/; // the same rule as in the config
const KINDS: readonly WagonKind[] = ['changes', 'ddl', 'schema', 'range'];

/** `changes` and `ddl` are one chain: a sequence of it exists once, so both kinds share a folder. */
export type WagonFolder = 'chain' | 'schema' | 'range';

export function isStreamName(text: string): text is StreamName {
  return STREAM.test(text);
}

export function isChained(kind: WagonKind): boolean {
  return kind === 'changes' || kind === 'ddl';
}

export function folderOf(kind: WagonKind): WagonFolder {
  return kind === 'changes' || kind === 'ddl' ? 'chain' : kind;
}

/** Digits without sign, leading zeros or exponent, at most 2^53-1; null for anything else. */
export function parseDecimal(text: string): number | null {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}

/** The parts of a path; null when any of them isn't exactly as this program writes it. */
export function parseAddress(stream: string, kind: string, epoch: string, sequence: string): WagonAddress | null {
  const known = KINDS.find((it) => it === kind);
  const epochNumber = parseDecimal(epoch);
  const sequenceNumber = parseDecimal(sequence);
  if (!isStreamName(stream) || known === undefined || epochNumber === null || epochNumber < 1 || sequenceNumber === null) return null;
  return { stream, kind: known, epoch: epochNumber as Epoch, sequence: sequenceNumber as Sequence };
}

/** For messages and logs. */
export function describeAddress(address: WagonAddress): string {
  return `${address.kind} wagon ${address.sequence} of stream ${address.stream}, epoch ${address.epoch}`;
}

export function isValidAddress(address: WagonAddress): boolean {
  return parseAddress(address.stream, address.kind, String(address.epoch), String(address.sequence)) !== null;
}

/** What names a wagon's place: two kinds of one chain have the same. */
export function placeOf(address: WagonAddress): string {
  return `${address.stream}/${folderOf(address.kind)}/${address.epoch}/${address.sequence}`;
}

/** What differs between a header and the address it was put under; null when they agree. */
export function whyNotAt(address: WagonAddress, header: WagonHeader): string | null {
  for (const field of ['stream', 'kind', 'epoch', 'sequence'] as const) {
    if (header[field] !== address[field]) return `its header says ${field} ${header[field]}, its address ${address[field]}`;
  }
  return null;
}
