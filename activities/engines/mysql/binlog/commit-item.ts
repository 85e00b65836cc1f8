/** The end of a transaction as the reader hands it on. Pure. */
import type { Position } from '../../../vocabulary.js';
import type { EngineName, LogItem } from '../../engine.js';
import { type BinlogPosition, formatPosition } from '../position.js';
import { type Gtid, type GtidSetPieces, gtidName, gtidText } from './gtid-set.js';

/** What stands behind a transaction: all of it unchanging, so that it can be put into words later. */
export interface CommitFacts {
  readonly family: EngineName;
  readonly place: Omit<BinlogPosition, 'gtid'>;
  readonly executed: GtidSetPieces;
  /** null: without GTID. */
  readonly gtid: Gtid | null;
  readonly startFile: string;
  readonly startOffset: number;
}

export type CommitItem = Extract<LogItem, { kind: 'commit' }>;

/** Position and name are put into words when they are asked for: of a thousand transactions in one wagon that's one. */
export class LazyCommit implements CommitItem {
  readonly kind = 'commit';
  readonly #facts: CommitFacts;
  #words: Position | null = null;

  constructor(
    facts: CommitFacts,
    readonly committedAt: number,
    readonly logBytes: number,
  ) {
    this.#facts = facts;
  }

  get position(): Position {
    const { place, executed } = this.#facts;
    this.#words ??= formatPosition({ ...place, gtid: gtidText(executed) });
    return this.#words;
  }
  get transaction(): string {
    const { gtid, family, startFile, startOffset } = this.#facts;
    return gtid === null ? `${startFile}:${startOffset}` : gtidName(family, gtid);
  }
}
