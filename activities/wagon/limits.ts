/** The most a wagon, its header and its parts may be. A length beyond is refused before anything is allocated for it. */
export const LIMITS = {
  /** A body once decompressed. */
  plainBytes: 256 * 2 ** 20,
  /** A sealed wagon on the wire and on disk. */
  sealedBytes: 257 * 2 ** 20,
  /** What a receiver reads before it has to decide whose wagon this is. */
  headerBytes: 2 ** 16,
  /** A canonical position; a GTID set of many servers and gaps is long. */
  positionBytes: 32_000,
  /** Site and stream names. */
  siteBytes: 64,
  /** A database's, table's, column's or variable's name: 64 characters of at most 4 bytes. */
  nameBytes: 1024,
  statementBytes: 64 * 2 ** 20,
  tableShapeBytes: 2 ** 20,
  receiptBytes: 2 ** 20,
  bundleBytes: 2 ** 16,
} as const;
