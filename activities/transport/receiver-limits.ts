/** What the receiver grants a peer at most; a peer beyond it is refused, each cause with its own words. */
import { LIMITS } from '../wagon/limits.js';
import type { LogBudget } from './bounded-log.js';
import type { ConnectionLimits } from './receiver-connections.js';

export interface ReceiverLimits extends ConnectionLimits, LogBudget {
  /** A sealed wagon's bytes. Default: what an opener takes. */
  readonly wagonBytes: number;
  /** All headers of a request. Default 8 KiB. */
  readonly headerBytes: number;
  /** From the first byte of a request to the last of its headers. Default 10 s. */
  readonly headersMilliseconds: number;
  /** Default 10 s. */
  readonly handshakeMilliseconds: number;
  /** A connection without a request is closed after this. Default 120 s: a cycle's connection outlives the pause between two. */
  readonly idleMilliseconds: number;
  /** A body that brings less than `minimumBytesPerSecond` over this window is given up. Default 15 s, 1 KiB/s. */
  readonly slowWindowMilliseconds: number;
  readonly minimumBytesPerSecond: number;
  /** Uploads at a time. Default 8. */
  readonly uploads: number;
}

export const DEFAULT_RECEIVER_LIMITS: ReceiverLimits = {
  wagonBytes: LIMITS.sealedBytes,
  headerBytes: 8 * 2 ** 10,
  headersMilliseconds: 10_000,
  handshakeMilliseconds: 10_000,
  idleMilliseconds: 120_000,
  slowWindowMilliseconds: 15_000,
  minimumBytesPerSecond: 1_024,
  connections: 64,
  strangers: 256,
  uploads: 8,
  logLines: 30,
  logWindowMilliseconds: 60_000,
};
