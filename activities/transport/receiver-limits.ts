/** What the receiver grants a peer at most; a peer beyond it is refused, each cause with its own words. */
export interface ReceiverLimits {
  /** A sealed wagon's bytes. Default 512 MiB. */
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
  /** Default 64. */
  readonly connections: number;
  /** Uploads at a time. Default 8. */
  readonly uploads: number;
}

export const DEFAULT_RECEIVER_LIMITS: ReceiverLimits = {
  wagonBytes: 512 * 2 ** 20,
  headerBytes: 8 * 2 ** 10,
  headersMilliseconds: 10_000,
  handshakeMilliseconds: 10_000,
  idleMilliseconds: 120_000,
  slowWindowMilliseconds: 15_000,
  minimumBytesPerSecond: 1_024,
  connections: 64,
  uploads: 8,
};
