/**
 * Engines over a log and a ledger that a test writes by hand, to stop the world at an exact point. The ledger decides by the product's
 * own rules. What real servers do is tested with real servers elsewhere.
 */

import type { ApplyResult, Ledger, LogItem, SourceEngine, TargetEngine, WagonPlace } from '../../activities/engines/engine.js';
import { decide, ledgerAfter } from '../../activities/engines/mysql/ledger.js';
import { rowImages } from '../../activities/engines/row-images.js';
import { type Epoch, NO_WAGON, type Position, type Sequence, type StreamName, type WagonHash } from '../../activities/vocabulary.js';
import type { RowFormat } from '../../activities/wagon/body.js';
import { SrdfError } from '../../temporal/error-catalogue.js';

export const logPosition = (transaction: number): Position => `p${transaction}` as Position;
const numberOf = (position: Position): number => Number(position.slice(1));

/** Rows of one byte, no key: everything stays in order. */
const rowFormat: RowFormat = {
  name: 'scripted',
  open: () => ({ columns: ['value'], keyed: false, keyOf: () => '', equalIn: () => false }),
};
const table = { database: 'shop', table: 'orders', bytes: Uint8Array.of(1) };

/** A log of transactions; each inserts so many rows of one byte. Less than 0: so many, and then the source was killed and rolled them back. */
export class ScriptedSource
  implements Pick<SourceEngine, 'name' | 'rowFormat' | 'reached' | 'logFileOf' | 'readLog' | 'currentPosition' | 'close'>
{
  readonly name = 'mariadb';
  readonly rowFormat = rowFormat;
  readonly transactions: number[] = [];
  /** Bytes of a position at least, as a large GTID set makes them. */
  positionBytes = 0;
  /** Called with the number of a transaction before it is read: to break off, or to wait. */
  before: (transaction: number, signal: AbortSignal | undefined) => Promise<void> | void = () => undefined;

  readonly reached = (at: Position, mark: Position): boolean => numberOf(at) >= numberOf(mark);
  readonly logFileOf = (): string => 'log';
  currentPosition = async (): Promise<Position> => logPosition(this.transactions.length);
  close = async (): Promise<void> => undefined;

  async *readLog(from: Position, options: Parameters<SourceEngine['readLog']>[1]): ReturnType<SourceEngine['readLog']> {
    for (let at = numberOf(from); at < this.transactions.length; at++) {
      await this.before(at + 1, options.signal);
      options.signal?.throwIfAborted();
      const items: LogItem[] = [{ kind: 'begin' }];
      for (let row = 0; row < Math.abs(this.transactions[at] ?? 0); row++)
        items.push({
          kind: 'rows',
          table,
          operation: 'insert',
          rows: rowImages(Uint8Array.of(at), Int32Array.of(0, 1)),
          foreignKeyChecks: true,
          uniqueChecks: true,
        });
      if ((this.transactions[at] ?? 0) < 0) {
        yield { items: [...items, { kind: 'abandon' }] };
        continue;
      }
      items.push({
        kind: 'commit',
        position: logPosition(at + 1).padEnd(this.positionBytes) as Position,
        committedAt: 1_700_000_000_000 + at,
        transaction: `${at + 1}`,
        logBytes: 100,
      });
      yield { items };
    }
  }
}

/** A ledger and the rows applied to it. */
export class ScriptedTarget
  implements
    Pick<
      TargetEngine,
      'name' | 'outOfScope' | 'discardTrain' | 'discardedWagons' | 'readLedger' | 'boundaries' | 'applyTrain' | 'foreignKeys' | 'close'
    >
{
  readonly name = 'mariadb';
  ledger: Ledger | null = {
    stream: 'shop' as StreamName,
    phase: 'consistent',
    epoch: 1 as Epoch,
    sequence: 0 as Sequence,
    wagonHash: NO_WAGON,
    position: logPosition(0),
    consistentFrom: null,
    bootstrap: null,
    intent: null,
    updatedAt: 0,
  };
  readonly rows: number[] = [];
  /** Called before and after the commit of a train: throws what a test wants thrown. */
  beforeCommit: (places: readonly WagonPlace[]) => void = () => undefined;
  afterCommit: (places: readonly WagonPlace[]) => void = () => undefined;

  /** What the next body is found to hold that it mustn't. */
  strange: string | null = null;
  readonly discarded = new Map<WagonHash, number>();
  discardedWagons = async (): Promise<ReadonlyMap<WagonHash, number>> => this.discarded;
  discardTrain: TargetEngine['discardTrain'] = async (places) => {
    const last = places.at(-1);
    if (this.ledger === null || last === undefined || decide(this.ledger, places).do !== 'apply') throw new Error('nothing to discard');
    for (const { hash } of places) this.discarded.set(hash, 0);
    this.ledger = ledgerAfter(this.ledger, last, false, 0);
    this.afterCommit(places);
    return this.ledger;
  };
  outOfScope = (): string | null => this.strange;
  readLedger = async (): Promise<Ledger | null> => this.ledger;
  boundaries = async (): Promise<readonly Position[]> => [];
  foreignKeys = async () => [];
  close = async (): Promise<void> => undefined;

  applyTrain: TargetEngine['applyTrain'] = async (places, bodies): Promise<ApplyResult> => {
    const decision = decide(this.ledger, places);
    const last = places.at(-1);
    if (this.ledger === null || last === undefined || decision.do === 'refuse')
      throw new SrdfError(decision.do === 'refuse' ? decision.code : 'ledger-missing', {
        tried: 'applying',
        found: decision.do === 'refuse' ? decision.found : 'no ledger',
        action: 'Look',
      });
    if (decision.do === 'nothing')
      return { outcome: 'already-applied', ledger: this.ledger, rows: { inserted: 0, updated: 0, deleted: 0 } };
    const rows: number[] = [];
    for await (const body of bodies) for (const run of body.ordered) rows.push(...run.rows.bytes);
    this.beforeCommit(places);
    this.rows.push(...rows);
    this.ledger = ledgerAfter(this.ledger, last, false, 0);
    this.afterCommit(places);
    return { outcome: 'applied', ledger: this.ledger, rows: { inserted: rows.length, updated: 0, deleted: 0 } };
  };
}
