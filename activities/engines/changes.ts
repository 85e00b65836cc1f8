/** What a source's log tells, as far as every folder has to know it: row images and statements, in the engine's own bytes. */
import type { TableName } from '../vocabulary.js';

/**
 * Row images cut out of the log, as the engine wrote them. Image i of `images` starts at `offsets[first + i]` in `bytes` and ends where the
 * next one starts; behind the last stands its end. Many runs share one array, and bytes that aren't theirs lie around them.
 * insert: one after image a row. delete: one before image a row. update: before, after, before, after…
 */
export interface RowImages {
  readonly bytes: Uint8Array;
  readonly offsets: Int32Array;
  readonly first: number;
  readonly images: number;
}

export type Operation = 'insert' | 'update' | 'delete';

/** A statement of the log that isn't row data, with the session it ran in: what replaying it needs. */
export interface DdlStatement {
  /** The statement as bytes in the client's character set. */
  readonly sql: Uint8Array;
  readonly defaultDatabase: string;
  readonly session: DdlSession;
  readonly classification: DdlClassification;
}
export interface DdlSession {
  readonly sqlMode: bigint | null;
  /** Numeric collation ids as in the event's status variables. */
  readonly characterSetClient: number | null;
  readonly collationConnection: number | null;
  readonly collationServer: number | null;
  readonly databaseCollation: number | null;
  readonly timeZone: string | null;
  readonly lcTimeNames: number | null;
  readonly autoIncrementIncrement: number | null;
  readonly autoIncrementOffset: number | null;
  /** foreign_key_checks, unique_checks, sql_auto_is_null… of flags2. */
  readonly flags2: number | null;
  /** MySQL 8 and later, where the event carries them. */
  readonly defaultCollationForUtf8mb4: number | null;
  readonly explicitDefaultsForTimestamp: boolean | null;
  /** The `SET TIMESTAMP` of the statement, seconds since 1970 (defaults of NOW() in an ALTER depend on it). */
  readonly timestamp: number;
}

/** What a DDL statement does, as far as it has to be known. */
export interface DdlClassification {
  readonly verb: 'create' | 'alter' | 'drop' | 'rename' | 'truncate';
  readonly object: 'database' | 'table' | 'index' | 'view' | 'routine' | 'trigger' | 'event' | 'sequence';
  /** Every object named, databases resolved; for `database` objects `table` is ''. RENAME lists old and new in turn. */
  readonly names: readonly TableName[];
  /** A trigger's table. */
  readonly on?: TableName;
}
