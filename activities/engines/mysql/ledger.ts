/** What a ledger says to wagons that want to be applied. Pure: the one place where exactly-once is decided. */
import type { ErrorCode } from '../../../temporal/error-catalogue.js';
import type { Position, Sequence } from '../../vocabulary.js';
import { NO_WAGON } from '../../vocabulary.js';
import type { Ledger, WagonPlace } from '../engine.js';
import { ESTABLISH_KEEPING } from './lost-history.js';

export type Decision =
  | { readonly do: 'apply' }
  | { readonly do: 'nothing' }
  | { readonly do: 'refuse'; readonly code: ErrorCode; readonly found: string; readonly action: string };

const refuse = (code: ErrorCode, found: string, action: string): Decision => ({ do: 'refuse', code, found, action });
const brief = (hash: string): string => hash.slice(0, 12);
const FORK = `Nothing was applied. Two wagons claim one number: compare \`srdf status\` of both sites. Was the source restored from a copy? ${ESTABLISH_KEEPING}`;
const GAP = 'Nothing was applied. The source cuts again from the ledger by itself; if this stays, compare `srdf status` of both sites';

/**
 * `places`: the wagons of one train in order, or one wagon.
 * `nothing`: all of them are applied already. Rules, in this order: the ledger exists and takes changes; epochs are equal;
 * the train is one chain; a number that is taken has the same hash; the first follows the ledger in number, hash and position.
 */
export function decide(ledger: Ledger | null, places: readonly WagonPlace[]): Decision {
  const first = places[0];
  const last = places.at(-1);
  if (first === undefined || last === undefined)
    return refuse('wagon-malformed', 'a train without wagons', 'Install the same version of SRDF on both sites');
  if (ledger === null)
    return refuse('ledger-missing', 'the target has no ledger of this stream', 'Establish the stream first: srdf establish');
  if (ledger.stream !== first.stream)
    return refuse(
      'wagon-destination',
      `a wagon of stream ${first.stream} for the ledger of ${ledger.stream}`,
      'Check the stream names in srdf.yaml',
    );
  if (ledger.phase === 'loading' || ledger.position === null)
    return refuse('bootstrap-unsettled', 'the stream is still being loaded', 'Let `srdf establish` finish, or run it again');
  if (first.epoch !== ledger.epoch)
    return refuse(
      'wagon-epoch',
      first.epoch < ledger.epoch
        ? `a wagon of epoch ${first.epoch}, and the target is at ${ledger.epoch}: it was promoted since`
        : `a wagon of epoch ${first.epoch}, and the target is at ${ledger.epoch} still`,
      'Nothing was applied. Whoever sealed it doesn’t write to this target now; see `srdf status`',
    );
  const broken = brokenChain(places);
  if (broken !== null) return broken;

  const atLedger = places.find((place) => place.sequence === ledger.sequence);
  if (atLedger !== undefined && atLedger.hash !== ledger.wagonHash)
    return refuse('wagon-fork', `wagon ${atLedger.sequence} is ${brief(atLedger.hash)}, applied was ${brief(ledger.wagonHash)}`, FORK);
  if (ledger.sequence >= last.sequence) return { do: 'nothing' };
  if (ledger.sequence >= first.sequence)
    return refuse('wagon-gap', `the ledger stands at ${ledger.sequence}, inside the train ${first.sequence} to ${last.sequence}`, GAP);
  if (first.sequence !== ledger.sequence + 1)
    return refuse('wagon-gap', `the next wagon is ${ledger.sequence + 1}, this is ${first.sequence}`, GAP);
  if (first.previousHash !== ledger.wagonHash)
    return refuse('wagon-gap', `wagon ${first.sequence} follows ${brief(first.previousHash)}, applied was ${brief(ledger.wagonHash)}`, GAP);
  if (first.positionFrom !== ledger.position)
    return refuse('wagon-gap', `wagon ${first.sequence} begins at ${first.positionFrom}, the ledger stands at ${ledger.position}`, GAP);
  if (ledger.intent !== null && ledger.intent.wagonHash !== first.hash)
    return refuse(
      'wagon-fork',
      `wagon ${first.sequence} is ${brief(first.hash)}, and a DDL statement of wagon ${brief(ledger.intent.wagonHash)} was begun for that number`,
      FORK,
    );
  return { do: 'apply' };
}

/**
 * A train's wagons: one stream and epoch, numbers and hashes in a row, the position moving only with the last; its own count runs from 0 to the
 * one that says it is the last. A train that begins a second time behind cars of its own would be a transaction applied twice.
 */
function brokenChain(places: readonly WagonPlace[]): Decision | null {
  for (const [index, place] of places.entries()) {
    if (place.train.index !== index || place.train.last !== (index === places.length - 1))
      return refuse(
        'wagon-gap',
        `wagon ${place.sequence} says it is car ${place.train.index} of its train, and stands ${index} behind its first`,
        GAP,
      );
    const before = places[index - 1];
    if (before === undefined) continue;
    if (
      place.stream !== before.stream ||
      place.epoch !== before.epoch ||
      place.sequence !== before.sequence + 1 ||
      place.previousHash !== before.hash ||
      before.positionTo !== before.positionFrom ||
      place.positionFrom !== before.positionTo
    )
      return refuse('wagon-gap', `wagon ${place.sequence} of a train doesn't follow ${before.sequence}`, GAP);
  }
  return null;
}

/** The ledger once these wagons are applied. `passed`: the position a catch-up ends at is reached. */
export function ledgerAfter(ledger: Ledger, last: WagonPlace, passed: boolean, now: number): Ledger {
  return {
    ...ledger,
    phase: ledger.phase === 'catching-up' && passed ? 'consistent' : ledger.phase,
    sequence: last.sequence,
    wagonHash: last.hash,
    position: last.positionTo,
    intent: null,
    updatedAt: now,
  };
}

/** The ledger of a stream whose target is being loaded. */
export function emptyLedger(stream: Ledger['stream'], bootstrap: Ledger['bootstrap'], epoch: Ledger['epoch'], now: number): Ledger {
  return {
    stream,
    phase: 'loading',
    epoch,
    sequence: 0 as Sequence,
    wagonHash: NO_WAGON,
    position: null,
    consistentFrom: null,
    bootstrap,
    intent: null,
    updatedAt: now,
  };
}

/** Loaded: from here on the log counts. Already past `consistentFrom`: nothing has to be caught up with. */
export function catchingUp(ledger: Ledger, from: Position, consistentFrom: Position, now: number): Ledger {
  return { ...ledger, phase: from === consistentFrom ? 'consistent' : 'catching-up', position: from, consistentFrom, updatedAt: now };
}
