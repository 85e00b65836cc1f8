/**
 * What workflows may call, and all that passes through Temporal's history: references, positions, counts,
 * hashes and outcomes. No row, no key value, no file content, no secret (design, invariant 3).
 */
import type { Finding, LedgerPhase, Preflight, RangeChecksum, ServerIdentity, TablePlan } from './engines/engine.js';
import type { BootstrapId, Epoch, Position, Sequence, SiteName, StreamName, TableName, WagonHash } from './vocabulary.js';
import type { SchemaStage } from './wagon/body.js';

/** A sealed wagon by name. The bytes lie in a site's spool or inbox. */
export interface WagonRef {
  readonly stream: StreamName;
  readonly kind: 'changes' | 'ddl' | 'schema' | 'range';
  readonly epoch: Epoch;
  readonly sequence: Sequence;
  readonly hash: WagonHash;
  readonly bytes: number;
  readonly positionTo: Position;
  /** A wagon of a train: applied together with the others, once the last is there. */
  readonly train: { readonly index: number; readonly last: boolean };
}

export interface LedgerView {
  readonly phase: LedgerPhase | 'absent';
  readonly epoch: Epoch;
  readonly sequence: Sequence;
  readonly wagonHash: WagonHash;
  readonly position: Position | null;
  readonly consistentFrom: Position | null;
  readonly bootstrap: BootstrapId | null;
}

export interface StreamInput {
  readonly stream: StreamName;
}

/** An error of the catalogue as it passes through Temporal and is shown to the operator: never row data, never a secret. */
export interface ErrorReport {
  readonly code: string;
  readonly tried: string;
  readonly found: string;
  readonly action: string;
}

/** A wagon that can't be applied and that no retry will help, as the target's disk remembers it. */
export interface DeadLetterReport {
  readonly epoch: Epoch;
  readonly sequence: Sequence;
  readonly hash: WagonHash;
  readonly error: ErrorReport;
  /** ms since 1970. */
  readonly since: number;
}

/** `active`: cycles run. `draining`: what has arrived is applied, nothing new is cut. `suspended`: nothing moves. */
export type StreamMode = 'active' | 'draining' | 'suspended';

// ---- the cycle

/** Where to go on: after this wagon, from this position. */
export interface CutFrom {
  readonly epoch: Epoch;
  readonly sequence: Sequence;
  readonly wagonHash: WagonHash;
  readonly position: Position;
}
export interface CutInput extends StreamInput {
  readonly after: CutFrom;
  /** The train that the last of them belongs to goes whole. */
  readonly maxWagons: number;
  /** The stream is seen to be behind its log: wagons are larger, since they compact better and each costs its signatures. */
  readonly behind?: boolean;
  /** No wagon spans any of these positions (used while catching up after a bootstrap). */
  readonly boundaries: readonly Position[];
  /** Read and count, write nothing. */
  readonly dryRun?: boolean;
  /** A schema change is on its way to the target: what it says of its foreign keys may be stale. */
  readonly schemaInFlight?: boolean;
  /** Offer what the spool holds, read no log. */
  readonly spoolOnly?: boolean;
  /** At the log's end, stay on it for what comes next instead of returning. */
  readonly follow?: FollowLog;
}
export interface FollowLog {
  /** Returns without a wagon when so long nothing in scope was committed, ms. */
  readonly waitMilliseconds: number;
  /** How long the first change waits for others to travel with, ms. */
  readonly lingerMilliseconds: number;
}
export interface CutResult {
  readonly wagons: readonly WagonRef[];
  /** Wagons of the spool that the ledger has passed and whose receipts are yet to be verified; at most 64. */
  readonly unconfirmed: readonly WagonRef[];
  /** How many of `wagons` this very call has cut; the others lay in the spool. */
  readonly fresh: number;
  /** The log held nothing more when this returned. */
  readonly caughtUp: boolean;
  /** Where the next cut goes on. Out-of-scope transactions move the position without a wagon only together with the next wagon. */
  readonly next: CutFrom;
  readonly transactions: number;
  readonly changes: { readonly captured: number; readonly carried: number };
  readonly bytes: { readonly log: number; readonly raw: number; readonly wire: number };
  /** Commit time of the oldest and newest transaction cut, ms since 1970; null when none was. */
  readonly committed: { readonly first: number; readonly last: number } | null;
  readonly milliseconds: { readonly read: number; readonly compact: number; readonly seal: number };
}
export interface ShipInput extends StreamInput {
  readonly wagons: readonly WagonRef[];
}
export interface ShipResult {
  readonly received: readonly Sequence[];
  readonly bytesSent: number;
  readonly milliseconds: number;
}
export interface ApplyInput extends ShipInput {
  readonly dryRun?: boolean;
}
export interface ApplyOutcome {
  readonly applied: readonly Sequence[];
  readonly alreadyApplied: readonly Sequence[];
  readonly changes: number;
  readonly rows: { readonly inserted: number; readonly updated: number; readonly deleted: number };
  readonly ledger: LedgerView;
  readonly milliseconds: { readonly open: number; readonly apply: number };
}
/** Names the very wagon that was looked at. `by`: who has decided, for the record. */
export interface DiscardInput extends StreamInput {
  readonly epoch: Epoch;
  readonly sequence: Sequence;
  readonly hash: WagonHash;
  readonly by: string;
}
export interface DiscardResult {
  readonly discarded: readonly Sequence[];
}
export type ConfirmInput = ShipInput;
export interface ConfirmResult {
  readonly confirmed: readonly Sequence[];
  /** Left out by an operator's decision, as the target's signed refusal says: released as well, and in nothing below. */
  readonly discarded?: readonly Sequence[];
  /** What the confirmed wagons carried. A wagon is confirmed once, so sums over cycles are right. */
  readonly contents: { readonly transactions: number; readonly captured: number; readonly carried: number; readonly logBytes: number };
  /** From the source's commit of a wagon's oldest transaction to its verified receipt, ms, a value per wagon: no transaction in it waited longer. */
  readonly lagMilliseconds: readonly number[];
  readonly milliseconds: number;
}
export interface LedgerResult {
  readonly ledger: LedgerView;
  /** What the inbox holds right after the ledger, without a gap, at most 64; whole trains only count once complete. */
  readonly inbox: readonly WagonRef[];
  /** The dead letter the stream stops behind, if any. */
  readonly deadLetter: DeadLetterReport | null;
  readonly mode: StreamMode;
  /** What `CutInput.boundaries` wants. */
  readonly boundaries: readonly Position[];
  /** Why the stream stands still at the target, whatever lies before it; absent: nothing keeps it. */
  readonly halted?: ErrorReport;
  /** Wagons left out by an operator's decision, and when the last was, ms since 1970. Absent: none was, or nobody asked. */
  readonly discarded?: { readonly wagons: number; readonly last: number };
}

// ---- bootstrap and compare

export interface BootstrapPlan {
  readonly tables: readonly TablePlan[];
  readonly warnings: readonly Finding[];
}
export interface BootstrapInput extends StreamInput {
  readonly bootstrap: BootstrapId;
  /** Of the wagons that are sealed; default 1, the first epoch of a stream. */
  readonly epoch?: Epoch;
}
export interface RangeInput extends BootstrapInput {
  readonly table: TableName;
  readonly plan: string;
  readonly range: number;
  /** As the bootstrap's plan estimates them: at both sites the ranges of the largest table go first; default 0. */
  readonly tableBytes?: number;
}
export interface ShippedRange {
  readonly wagons: readonly WagonRef[];
  readonly rows: number;
  readonly bytesWire: number;
}
export type CompareRangeResult = RangeChecksum;

/** What a set of wagons holds, added up. */
export interface StateTotals {
  readonly wagons: number;
  readonly transactions: number;
  /** Row changes as the source made them, and those left to apply after compaction. */
  readonly changes: number;
  readonly carried: number;
  readonly logBytes: number;
  readonly wireBytes: number;
}
export interface SpoolState {
  /** Wagons of every kind in the spool, and their bytes. */
  readonly wagons: number;
  readonly bytes: number;
  readonly maxBytes: number;
  /** null while the source database is away, and then `away` says how. */
  readonly logEnd: Position | null;
  readonly away?: ErrorReport;
  /** The newest 10,000 wagons by the state they have reached, a later state counted in the earlier ones too. */
  readonly states: Readonly<Record<'captured' | 'received' | 'applied' | 'confirmed', StateTotals>>;
}

/** Activities of the site that serves. Task queue `srdf-source-{pair}.{site}`. */
export interface SourceActivities {
  inspectSource(input: StreamInput): Promise<Preflight>;
  notePosition(input: StreamInput): Promise<{ readonly position: Position }>;
  cutWagons(input: CutInput): Promise<CutResult>;
  shipWagons(input: ShipInput): Promise<ShipResult>;
  confirmWagons(input: ConfirmInput): Promise<ConfirmResult>;
  /** State of the source's side of a stream, for status. `ledger`: how far the target has applied, null when it didn't say. */
  readSpool(input: StreamInput & { readonly ledger: { readonly epoch: Epoch; readonly sequence: Sequence } | null }): Promise<SpoolState>;

  /** `bootstrap`: a copy is made by this plan, and the site remembers what it selects; absent: nothing is written. */
  planBootstrap(input: StreamInput & { readonly bootstrap?: BootstrapId }): Promise<BootstrapPlan>;
  shipSchema(
    input: BootstrapInput & { readonly stage: SchemaStage; readonly round: number; readonly only?: readonly TableName[] },
  ): Promise<WagonRef>;
  /** Cuts a table into ranges; the boundaries stay on the source's disk under the plan's name. */
  planRanges(
    input: BootstrapInput & { readonly table: TableName; readonly round: number; readonly rowsPerRange?: number },
  ): Promise<{ readonly plan: string; readonly ranges: number }>;
  shipRange(input: RangeInput): Promise<ShippedRange>;
  /** Tables whose definition changed between two positions. */
  changedTables(
    input: StreamInput & { readonly from: Position; readonly to: Position },
  ): Promise<{ readonly tables: readonly TableName[]; readonly otherObjects: number }>;

  /** Range checksums of one table; boundaries reach the target through a sealed wagon, never through Temporal. */
  checksumSource(
    input: StreamInput & { readonly table: TableName; readonly plan: string; readonly ranges: readonly number[] },
  ): Promise<{ readonly ranges: readonly CompareRangeResult[]; readonly position: Position }>;
  planCompare(
    input: StreamInput & { readonly table: TableName; readonly compare: string; readonly epoch: Epoch },
  ): Promise<{ readonly plan: string; readonly ranges: number; readonly wagon: WagonRef }>;
}

/** Activities of the site that stands by. Task queue `srdf-target-{pair}.{site}`; `readLedger` also runs as a local activity. */
export interface TargetActivities {
  /** `withDiscarded`: a query more, which no cycle needs. */
  readLedger(input: StreamInput & { readonly withDiscarded?: boolean }): Promise<LedgerResult>;
  inspectTarget(input: StreamInput & { readonly mustBeEmpty: boolean; readonly source: ServerIdentity }): Promise<Preflight>;
  applyWagons(input: ApplyInput): Promise<ApplyOutcome>;
  /** Remembers a stream's mode at the target, so that a cycle knows it without asking Temporal. */
  setStreamMode(input: StreamInput & { readonly mode: StreamMode }): Promise<void>;
  /** Forgets a dead letter, so that the next cycle tries its wagon again. Another wagon than the one given stays. */
  releaseDeadLetter(input: StreamInput & Pick<DeadLetterReport, 'sequence' | 'hash'>): Promise<{ readonly released: boolean }>;
  /** Moves the ledger past the dead letter's wagon, or the train it begins, without applying it. */
  discardDeadLetter(input: DiscardInput): Promise<DiscardResult>;

  beginLoading(input: BootstrapInput): Promise<LedgerView>;
  loadSchema(input: BootstrapInput & { readonly wagon: WagonRef }): Promise<{ readonly created: number; readonly deferred: number }>;
  /** `round`: of the copy that is begun, as its plan will have it. */
  resetTables(
    input: BootstrapInput & { readonly tables: readonly TableName[]; readonly baseline: Position; readonly round: number },
  ): Promise<void>;
  /** Before the first and after the last range of a table that has several. */
  prepareTable(input: BootstrapInput & { readonly table: TableName }): Promise<void>;
  completeTable(input: BootstrapInput & { readonly table: TableName }): Promise<void>;
  loadRange(
    input: RangeInput & { readonly wagons: readonly WagonRef[] },
  ): Promise<{ readonly rows: number; readonly alreadyApplied: number }>;
  beginCatchUp(input: BootstrapInput & { readonly from: Position; readonly consistentFrom: Position }): Promise<LedgerView>;

  /**
   * `passed`: the stream had passed `notBefore` before the first range was read.
   * `release`: the last call about this plan; its wagon is removed from the inbox.
   */
  checksumTarget(
    input: StreamInput & {
      readonly table: TableName;
      readonly plan: string;
      readonly wagon: WagonRef;
      readonly ranges: readonly number[];
      /** Where the source's log stood once its ranges were read. */
      readonly notBefore: Position;
      readonly release?: boolean;
    },
  ): Promise<{ readonly ranges: readonly CompareRangeResult[]; readonly passed: boolean }>;
  /** The stream's tables that are there. `passed`: the stream had passed `notBefore` before. */
  tablesAtTarget(
    input: StreamInput & { readonly notBefore: Position },
  ): Promise<{ readonly tables: readonly TableName[]; readonly passed: boolean }>;
}

/** Who is where, for task queues and search attributes; from the config, handed to workflows as input. */
export interface Route {
  readonly pair: string;
  readonly stream: StreamName;
  readonly source: SiteName;
  readonly target: SiteName;
}
