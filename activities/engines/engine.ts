/**
 * The contract of a database engine. One implementation a family (`mysql/` serves MySQL and MariaDB),
 * one conformance suite (`test/engine/`) that every implementation passes.
 *
 * Rules every implementation MUST keep
 * - A position is handed out only for the end of a source transaction, together with all of its changes.
 * - An event that isn't understood throws `log-event-unsupported` with its name and position. Never skipped.
 * - A read that begins after `currentPosition()` has resolved sees every transaction up to that position.
 * - Memory stays bounded by the batch, whatever the size of a transaction, a table or a row range.
 * - Values are exact: what is applied gives the same bytes on `SELECT` as the source does.
 */

import type { ServerConfig } from '../../config/schema.js';
import type { BootstrapId, Epoch, Position, Sequence, StreamName, TableName, WagonHash } from '../vocabulary.js';
import type { ChangesBody, DdlBody, RangeBody, RowFormat, SchemaBody, SchemaStage, TableShape, WagonBody } from '../wagon/body.js';
import type { DdlClassification, DdlStatement, Operation, RowImages } from './changes.js';
import type { ChecksumRequest, RangeChecksum, RangeIdentity, RangePlan } from './ranges.js';

export type { DdlClassification, DdlSession, DdlStatement, Operation, RowImages } from './changes.js';
export type { ChecksumRequest, RangeChecksum, RangeIdentity, RangePlan } from './ranges.js';

export type EngineName = 'mariadb' | 'mysql';

/** Which tables a stream replicates. `include` empty: all of `databases` but `exclude`. Views, routines… go with the database. */
export interface Selection {
  readonly databases: readonly string[];
  readonly include: readonly TableName[];
  readonly exclude: readonly TableName[];
}

/** One finding of a preflight: `error` refuses, `warning` lets pass. `fix` is the exact statement or command that mends it. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly check: string;
  readonly found: string;
  readonly fix: string;
}
export interface ServerIdentity {
  readonly version: string;
  /** What tells this server from every other (server_uuid, or MariaDB's server_uid or its nearest equal). */
  readonly server: string;
  /** MySQL family: how the server takes the case of tables' names. */
  readonly lowerCaseTableNames?: number | undefined;
  /** MySQL family: the zone of sessions that name none; `SYSTEM`: the one of the server's machine. */
  readonly timeZone?: string | undefined;
  /** MySQL family: the zone of the server's machine. `rules`: equal exactly when two such zones tell the same hours. */
  readonly systemTimeZone?: { readonly name: string; readonly rules: string } | undefined;
  /** MariaDB: which collation a character set stands for where none is named. */
  readonly characterSetCollations?: string | undefined;
  /** Digest of what the site's config selects. */
  readonly selection?: string | undefined;
}
export interface Preflight extends ServerIdentity {
  readonly engine: EngineName;
  readonly findings: readonly Finding[];
}

// ---------------------------------------------------------------- reading the log

export type LogItem =
  | { readonly kind: 'begin' }
  | {
      readonly kind: 'rows';
      readonly table: TableShape;
      readonly operation: Operation;
      readonly rows: RowImages;
      /** The session switches the source's transaction ran under, from the event's flags. */
      readonly foreignKeyChecks: boolean;
      readonly uniqueChecks: boolean;
    }
  | {
      readonly kind: 'ddl';
      readonly statement: DdlStatement;
      /** Resuming here yields the rest of this transaction without the statement (CREATE TABLE … SELECT has rows behind it). */
      readonly resumeAfter: Position;
    }
  | {
      readonly kind: 'commit';
      /** Resuming here yields exactly the transactions after this one. */
      readonly position: Position;
      /** When the source committed, ms since 1970 (the event header's second, or finer where the log has it). */
      readonly committedAt: number;
      /** The source's own name of the transaction, a GTID where there is one. */
      readonly transaction: string;
      /** Bytes of log this transaction took, changes out of scope included. */
      readonly logBytes: number;
    }
  /**
   * The transaction since the last `begin` never was: the source was killed while it wrote it to its log, and has rolled it back.
   * Given only where the log itself proves that; the position stays where it was before.
   */
  | { readonly kind: 'abandon' };

/** What was read in one go, in log order. A transaction may span many batches; positions come only with `commit`. */
export interface LogBatch {
  readonly items: readonly LogItem[];
  /** With `follow`, once: everything that was in the log when the read began lies at or before the end of this batch. */
  readonly reachedEnd?: boolean;
}

export interface ReadLogOptions {
  readonly selection: Selection;
  /** Stop after the last transaction that ends at or before the log's end at the time of the call (default), or follow it and say when it was reached. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/** What is known of the target's foreign keys at the ledger's position; decides what may be compacted. */
export interface ForeignKeyFact {
  readonly child: TableName;
  readonly parent: TableName;
  readonly parentColumns: readonly string[];
  /** ON DELETE or ON UPDATE other than RESTRICT / NO ACTION: the database changes the child, and the log doesn't tell. */
  readonly cascades: boolean;
}

/** Pure: whether a stream that stands at `at` has passed `mark`, or stands on it. Both of one server's log. */
export type Reached = (at: Position, mark: Position) => boolean;

export interface SourceEngine {
  readonly name: EngineName;
  readonly rowFormat: RowFormat;
  readonly reached: Reached;
  /** Pure. Which file of which server's log a position lies in: only for comparing. One that was left may be purged at any time. */
  readonly logFileOf: (position: Position) => string;
  /** Pure. Whether a table of that name belongs to a selection. */
  readonly inScope: (selection: Selection, name: TableName) => boolean;
  /** Everything that would make replication wrong or impossible, with the statement that mends it. Changes nothing. */
  inspect(selection: Selection): Promise<Preflight>;
  /** The log's end now. Everything up to it is visible to every read that begins later. */
  currentPosition(): Promise<Position>;
  /** Throws `position-purged` when the log no longer reaches back to `from`. */
  readLog(from: Position, options: ReadLogOptions): AsyncIterable<LogBatch>;
  /** DDL in scope between two positions, to find tables that changed while they were copied. */
  scanDdl(
    from: Position,
    to: Position,
    selection: Selection,
  ): Promise<readonly { position: Position; classification: DdlClassification }[]>;
  planTables(selection: Selection): Promise<readonly TablePlan[]>;
  /** Definitions of a stage's objects, in an order in which they can be created. */
  describeSchema(selection: Selection, stage: SchemaStage, only?: readonly TableName[]): Promise<SchemaBody>;
  /** Key boundaries that cut a table into ranges of about `rowsPerRange` rows; opaque, in key order. A table without key: one range. */
  planRanges(table: TableName, rowsPerRange: number): Promise<RangePlan>;
  /** Reads one range without a lock held. A keyless table gives its snapshot's position in `asOf` and may give several bodies. */
  readRange(table: TableName, plan: RangePlan, range: number, maxBytes: number): AsyncIterable<RangeBody>;
  checksumRange(request: ChecksumRequest): Promise<RangeChecksum>;
  close(): Promise<void>;
}

export interface TablePlan extends TableName {
  readonly estimatedRows: number;
  readonly estimatedBytes: number;
  readonly keyed: boolean;
  /** Copied once all tables of lower waves are in; absent: 0. */
  readonly wave?: number;
}

// ---------------------------------------------------------------- the target

export type LedgerPhase = 'loading' | 'catching-up' | 'consistent';

/** The one row per stream in the target database; written in the transaction of the data it speaks of. */
export interface Ledger {
  readonly stream: StreamName;
  readonly phase: LedgerPhase;
  readonly epoch: Epoch;
  readonly sequence: Sequence;
  readonly wagonHash: WagonHash;
  /** What has been applied, whole transactions; null while loading. */
  readonly position: Position | null;
  /** Catch-up ends when this position is passed. */
  readonly consistentFrom: Position | null;
  readonly bootstrap: BootstrapId | null;
  /** A DDL statement begun and not yet known to be done: sequence, wagon and the fingerprint before it. */
  readonly intent: { readonly sequence: Sequence; readonly wagonHash: WagonHash; readonly fingerprint: string } | null;
  readonly updatedAt: number;
}

/** A wagon's place in the stream, from its verified header: what apply is fenced by. */
export interface WagonPlace {
  readonly stream: StreamName;
  readonly epoch: Epoch;
  readonly sequence: Sequence;
  readonly previousHash: WagonHash;
  readonly hash: WagonHash;
  readonly positionFrom: Position;
  readonly positionTo: Position;
  readonly train: { readonly index: number; readonly last: boolean };
}

export interface ApplyResult {
  readonly outcome: 'applied' | 'already-applied';
  readonly ledger: Ledger;
  /** Rows really written, by operation. */
  readonly rows: { readonly inserted: number; readonly updated: number; readonly deleted: number };
}

export interface TargetEngine {
  readonly name: EngineName;
  readonly reached: Reached;
  /** Pure. What only both servers together tell: whether they can be a pair. */
  readonly compareServers: (source: ServerIdentity, target: ServerIdentity) => readonly Finding[];
  /** Preflight of the target; with `mustBeEmpty`, every selected database that already holds something is an error. */
  inspect(selection: Selection, options: { readonly mustBeEmpty: boolean }): Promise<Preflight>;
  /** Pure. What of a body lies outside of the selection, or isn't what the body says of itself; null: nothing. The source is not believed. */
  outOfScope(body: WagonBody, selection: Selection): string | null;
  /** null: this stream was never established here. Creates nothing. */
  readLedger(stream: StreamName): Promise<Ledger | null>;
  /** While catching up: positions no wagon may span (tables' baselines and `consistentFrom`). Empty otherwise. */
  boundaries(stream: StreamName): Promise<readonly Position[]>;

  /**
   * Applies a train (mostly a train of one) and moves the ledger to its last wagon in ONE transaction.
   * - ledger at or past the last wagon with the same hash: `already-applied`, nothing written.
   * - same sequence, another hash: `wagon-fork`. Not the next sequence, or another previous hash: `wagon-gap`. Older epoch: `wagon-epoch`.
   * - a row that isn't as the source says it was: `target-divergence` (not while catching up).
   * While the ledger is `catching-up`, applies idempotently and becomes `consistent` once `consistentFrom` is reached.
   * Serialised by a lock in the database itself, so that a zombie of a timed-out attempt can't interleave.
   */
  applyTrain(places: readonly WagonPlace[], bodies: AsyncIterable<ChangesBody>): Promise<ApplyResult>;
  /** Bracketed: intent and fingerprint, the statement, done. Repeatable after a crash at any point. */
  applyDdl(place: WagonPlace, body: DdlBody): Promise<ApplyResult>;
  /**
   * Moves the ledger past a train without applying it, and remembers that in the same transaction; fenced like `applyTrain`. Nothing else is
   * written. `by`: who has decided. A repeated call changes nothing.
   */
  discardTrain(places: readonly WagonPlace[], by: string): Promise<Ledger>;
  /** The stream's wagons that were discarded since it was copied, and when each was, ms since 1970. */
  discardedWagons(stream: StreamName): Promise<ReadonlyMap<WagonHash, number>>;
  foreignKeys(stream: StreamName, selection: Selection): Promise<readonly ForeignKeyFact[]>;

  // bootstrap
  /** Creates the ledger in phase `loading`. A second call for the same bootstrap is a no-op; for another one on a used stream: `target-not-empty`. */
  beginLoading(stream: StreamName, bootstrap: BootstrapId, epoch: Epoch): Promise<Ledger>;
  createSchema(
    stream: StreamName,
    bootstrap: BootstrapId,
    body: SchemaBody,
    signal?: AbortSignal,
  ): Promise<{ readonly created: number; readonly deferred: number }>;
  /**
   * Drops the tables and forgets their ranges, so that they can be copied again; changes at or before `baseline` are then not for them.
   * A table of which a plan of `round` has been loaded from already is left alone.
   */
  resetTables(
    stream: StreamName,
    bootstrap: BootstrapId,
    tables: readonly TableName[],
    baseline: Position,
    options: { readonly round: number; readonly signal?: AbortSignal },
  ): Promise<void>;
  /** Called for a table of several ranges, before the first and after the last: what makes loading it quicker, and its undoing. Repeatable. */
  prepareTable?(stream: StreamName, bootstrap: BootstrapId, table: TableName): Promise<void>;
  completeTable?(stream: StreamName, bootstrap: BootstrapId, table: TableName): Promise<void>;
  /** Rows and the range's own ledger row in one transaction; a range that is there already is left alone. */
  loadRange(
    stream: StreamName,
    bootstrap: BootstrapId,
    range: RangeIdentity,
    body: RangeBody,
  ): Promise<{ readonly outcome: 'applied' | 'already-applied'; readonly rows: number }>;
  /** Parts of a range that are in, in order: so that a repeated load needs no wagon of what is there. */
  loadedParts?(
    stream: StreamName,
    range: Omit<RangeIdentity, 'part' | 'wagonHash'>,
  ): Promise<readonly { readonly part: number; readonly wagonHash: string; readonly last: boolean }[]>;
  beginCatchUp(stream: StreamName, bootstrap: BootstrapId, from: Position, consistentFrom: Position): Promise<Ledger>;

  checksumRange(request: ChecksumRequest): Promise<RangeChecksum>;
  /** Tables of the selection that hold rows, in whatever way they came there. */
  listTables(selection: Selection): Promise<readonly TableName[]>;
  close(): Promise<void>;
}

// ---------------------------------------------------------------- opening one

export interface TargetEngineOptions {
  readonly name: EngineName;
  readonly server: ServerConfig;
  /** Already resolved; undefined: the account has none. */
  readonly password: string | undefined;
}
export interface SourceEngineOptions extends TargetEngineOptions {
  /** The reader's replica id, unique among the source's replicas. */
  readonly serverId: number;
}
