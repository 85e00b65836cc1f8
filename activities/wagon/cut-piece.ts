/** What a cut gives out: the content of one wagon each. */
import type { Position } from '../vocabulary.js';
import type { ChangesBody, DdlBody } from './body.js';

export interface CutPiece {
  readonly body: ChangesBody | DdlBody;
  readonly positionFrom: Position;
  /** Equals `positionFrom` for every car of a train but the last: the position moves only with the last. */
  readonly positionTo: Position;
  readonly train: { readonly index: number; readonly last: boolean };
  /** Transactions in scope that end in this piece; 0 for the cars of a train before its last. */
  readonly transactions: number;
  readonly captured: number;
  readonly carried: number;
  /** Bytes of log whose transactions end in this piece. */
  readonly logBytes: number;
  /** Bytes of row images or statement before compaction. */
  readonly rawBytes: number;
  /** Commit times, ms since 1970; null when the piece holds no end of a transaction in scope. */
  readonly committed: { readonly first: number; readonly last: number } | null;
  readonly compactMilliseconds: number;
}

/** The last `withdraw` pieces are void: the source has rolled their transaction back. The next piece begins where the first of them did. */
export interface CutWithdrawal {
  readonly withdraw: number;
}
