/**
 * What a wagon carries, before encoding and sealing. Engine-neutral: row images, table shapes and statements
 * are the engine's own bytes, with just enough told beside them to order, count and compact them.
 */
import type { DdlStatement, Operation, RowImages } from '../engines/changes.js';
import type { Position, TableName } from '../vocabulary.js';

/**
 * A table as the log described it at this point. Two shapes are the same table in the same form when
 * database, table and bytes agree. MySQL family: `bytes` is the TABLE_MAP event's body after its table id and flags, metadata FULL included.
 */
export interface TableShape extends TableName {
  readonly bytes: Uint8Array;
}

/** Reads from a row image what compaction has to know. Pure; one implementation an engine family. */
export interface RowFormat {
  readonly name: string;
  open(shape: TableShape): RowReader;
}
export interface RowReader {
  readonly columns: readonly string[];
  /** false: the table has no primary key, and so its rows have no identity. */
  readonly keyed: boolean;
  /** The primary key's bytes in the image that starts at `start`, as a string of one character a byte. */
  keyOf(bytes: Uint8Array, start: number): string;
  /** Whether two images hold the same bytes in these columns. */
  equalIn(columns: readonly string[], a: Uint8Array, aStart: number, b: Uint8Array, bStart: number): boolean;
}

export interface ChangeCounts {
  readonly transactions: number;
  /** Row changes as the source made them. */
  readonly captured: number;
  /** Row changes that are left to apply after compaction. */
  readonly carried: number;
  /** Bytes of log they were read from. */
  readonly logBytes: number;
}

/** Changes that must be applied in source order, one run after the other, as the source did. */
export interface OrderedRun {
  /** Index into `tables`. */
  readonly table: number;
  readonly operation: Operation;
  readonly rows: RowImages;
  readonly foreignKeyChecks: boolean;
  readonly uniqueChecks: boolean;
}
/** The net effect on one table: at most one change a key. Order between tables and keys doesn't matter. */
export interface NetChanges {
  readonly table: number;
  readonly deletes: RowImages;
  readonly updates: RowImages;
  readonly inserts: RowImages;
}
export interface ChangesBody {
  readonly kind: 'changes';
  readonly rowFormat: string;
  readonly tables: readonly TableShape[];
  readonly ordered: readonly OrderedRun[];
  readonly net: readonly NetChanges[];
  readonly counts: ChangeCounts;
  /** Commit times of the first and the last transaction inside, ms since 1970. */
  readonly committed: { readonly first: number; readonly last: number };
}

/** One statement alone in its wagon: it can't share a transaction with rows. */
export interface DdlBody {
  readonly kind: 'ddl';
  readonly statement: DdlStatement;
  readonly committed: { readonly first: number; readonly last: number };
  readonly logBytes: number;
}

/** `before-data`: databases, sequences, tables. `after-data`: views, routines. `at-promotion`: triggers, events: kept, not created. */
export type SchemaStage = 'before-data' | 'after-data' | 'at-promotion';
export interface SchemaObject extends TableName {
  readonly object: 'database' | 'table' | 'view' | 'routine' | 'trigger' | 'event' | 'sequence';
  /** Statements that create it, in the session described. */
  readonly statements: readonly string[];
  readonly session: Readonly<Record<string, string>>;
  /** A trigger's table. */
  readonly on?: TableName;
}
export interface SchemaBody {
  readonly kind: 'schema';
  readonly stage: SchemaStage;
  /** Changes of these objects at or before this position are contained. */
  readonly baseline: Position;
  readonly objects: readonly SchemaObject[];
}

/** How a value of a copied range is written into SQL: as it stands, or as a string of bytes. */
export type CopyEncoding = 'number' | 'bytes';
export interface RangeBody extends TableName {
  readonly kind: 'range';
  readonly columns: readonly { readonly name: string; readonly encoding: CopyEncoding }[];
  /** Row-major: for each value a 32-bit little-endian length (0xFFFFFFFF: NULL) and its bytes. */
  readonly values: Uint8Array;
  readonly rows: number;
  /** A keyless table's snapshot: changes at or before it are contained, later ones aren't. */
  readonly asOf: Position | null;
  /** Whether more bodies of this range follow. */
  readonly part: number;
  readonly last: boolean;
}

export type WagonBody = ChangesBody | DdlBody | SchemaBody | RangeBody;
