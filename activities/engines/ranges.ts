/** What copies and comparisons go by: a table in ranges of its key. Types alone. */
import type { TableName, WagonHash } from '../vocabulary.js';

/** Boundaries hold key values: kept on the source's disk, sent only inside sealed wagons, never through Temporal. */
export interface RangePlan {
  readonly keyColumns: readonly string[];
  /** n boundaries make n+1 ranges: (-∞, b0], (b0, b1], … (b(n-1), +∞). Each is the key's values as SQL literals. */
  readonly boundaries: readonly (readonly string[])[];
}

export interface RangeIdentity extends TableName {
  /** Hash of the range plan: ranges of different plans don't mix. */
  readonly plan: string;
  readonly range: number;
  readonly part: number;
  readonly wagonHash: WagonHash;
}

export interface ChecksumRequest {
  readonly table: TableName;
  readonly plan: RangePlan;
  readonly range: number;
}
/** Equal on both sides exactly when every row of the range is, whatever the servers' versions in the family. */
export interface RangeChecksum {
  readonly rows: number;
  readonly checksum: string;
  /** Hash of the table's definition: equal on both sides when the definitions are. */
  readonly schema: string;
}
