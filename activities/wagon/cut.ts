/**
 * Cuts a source's log into what one wagon each will carry. Pure: reads the log it is given, touches nothing else.
 *
 * The same log, start and options always give the same pieces, whatever batches the log came in: so a source that lost its
 * spool can cut again. Memory is bounded by two pieces, whatever the transaction's size.
 */

import { type ErrorFacts, SrdfError } from '../../temporal/error-catalogue.js';
import type { ForeignKeyFact, LogBatch, LogItem, Reached } from '../engines/engine.js';
import type { Position } from '../vocabulary.js';
import type { RowFormat } from './body.js';
import { type CapturedRun, compact, type KnownForeignKeys } from './compact.js';
import type { CutPiece, CutWithdrawal } from './cut-piece.js';
import { emptyWindow, Load, splitRun, type Window } from './cut-window.js';

/** An empty wagon moves the position once this much log has passed with nothing in scope, at the log's end… */
const POSITION_ONLY_LOG_BYTES = 2 ** 20;
/** …and on the way there each time this much has. */
const POSITION_ONLY_ON_THE_WAY_BYTES = 2 ** 26;

export interface CutOptions {
  readonly from: Position;
  readonly rowFormat: RowFormat;
  readonly reached: Reached;
  /** No piece spans any of these: each piece is wholly at or before, or wholly after. A piece ends where one is passed, even an empty one. */
  readonly boundaries: readonly Position[];
  /** A piece ends with the transaction that reaches one of these. A transaction larger than that becomes a train of pieces. */
  readonly maxChanges: number;
  readonly maxBytes: number;
  /**
   * Asked once, at the first rows in scope. `unknown` when the target's schema at this point can't be known yet
   * (a DDL wagon is still on its way): everything then stays in source order.
   */
  readonly foreignKeys: () => Promise<readonly ForeignKeyFact[] | 'unknown'>;
  /** The log file a position lies in: a new one moves the position, with nothing in scope too. The source may throw away the ones before it. */
  readonly logFileOf: (position: Position) => string;
  /** A monotonic clock in ms, for `compactMilliseconds`. */
  readonly clock?: () => number;
}

type Commit = Extract<LogItem, { kind: 'commit' }>;
type Ddl = Extract<LogItem, { kind: 'ddl' }>;
/** Asked for its position only where a piece begins or ends: an engine may put it into words no sooner. */
type Place = Pick<Commit, 'position'>;

/** Whatever the log has. */
const wholeMilliseconds = (commit: Commit): number => Math.floor(commit.committedAt);

export async function* cutBodies(log: AsyncIterable<LogBatch>, options: CutOptions): AsyncGenerator<CutPiece | CutWithdrawal, void, void> {
  const cut = new Cut(options);
  for await (const batch of log) {
    for (const item of batch.items) {
      if (item.kind === 'rows' && cut.facts === null) cut.facts = await options.foreignKeys();
      if (item.kind === 'abandon') {
        const withdraw = cut.abandon();
        if (withdraw > 0) yield { withdraw };
        continue;
      }
      // Not `yield*` of an asynchronous generator: a turn of the event loop an item would cost more than the item itself.
      for (const piece of cut.take(item)) yield piece;
    }
  }
  for (const piece of cut.end()) yield piece;
}

class Cut {
  /** null until the first rows in scope. */
  facts: KnownForeignKeys | null = null;
  /** Where the next piece begins. */
  #from: Place;
  /** The end of the last whole transaction. */
  #at: Place;
  #window = emptyWindow();
  /** Of the transaction being read. */
  #open = new Load();
  /** A car of the open transaction's train that may be its last; only the commit tells. */
  #held: CutPiece | null = null;
  #cars = 0;
  #yielded = 0;
  /** A statement whose transaction may hold more; only the next item tells. */
  #ddl: Ddl | null = null;
  #ddlParts = 0;
  /** As it was before the open transaction's first statement became a piece. */
  #beforeDdl: { readonly from: Place; readonly at: Place; readonly window: Window } | null = null;
  #boundaries: Position[];
  #afterDdl = false;
  readonly #clock: () => number;

  constructor(private readonly options: CutOptions) {
    this.#from = { position: options.from };
    this.#at = this.#from;
    this.#boundaries = options.boundaries.filter((mark) => !options.reached(options.from, mark));
    this.#clock = options.clock ?? (() => performance.now());
  }

  *take(item: Exclude<LogItem, { kind: 'abandon' }>): Generator<CutPiece, void, void> {
    switch (item.kind) {
      case 'begin':
        if (!this.#open.empty || this.#cars > 0 || this.#ddl !== null) {
          throw this.#corrupt('a transaction begins inside another');
        }
        return;
      case 'rows':
        if (this.#ddl !== null) yield this.#statement(this.#ddl, null);
        for (const run of splitRun(item, this.options.maxChanges, this.options.maxBytes)) yield* this.#rows(run);
        return;
      case 'ddl':
        if (this.#ddl !== null) yield this.#statement(this.#ddl, null);
        if (!this.#open.empty || this.#cars > 0) {
          throw new SrdfError('log-event-unsupported', {
            ...this.#place(),
            found: 'a schema statement behind row changes of the same transaction, which no server commits together',
            action: 'Keep the log file and report it with the statement; then establish the stream again',
          });
        }
        yield* this.#flush();
        this.#ddl = item;
        this.#afterDdl = true;
        return;
      case 'commit':
        yield* this.#commit(item);
        return;
    }
  }

  /** Forgets the open transaction. Returns how many pieces of it were given out. */
  abandon(): number {
    const given = this.#yielded + this.#ddlParts;
    if (this.#beforeDdl !== null) {
      this.#from = this.#beforeDdl.from;
      this.#at = this.#beforeDdl.at;
      this.#window = this.#beforeDdl.window;
    }
    this.#ddl = null;
    this.#held = null;
    this.#closeTransaction();
    return given;
  }

  *end(): Generator<CutPiece, void, void> {
    // An open transaction is read again from its start next time (or from behind its last statement); not so a train that is half out.
    if (this.#yielded > 0) throw this.#corrupt('the log ended inside a transaction of which a part was cut already');
    const { logBytes, transactions } = this.#window;
    const file = this.options.logFileOf;
    const newFile = this.#at !== this.#from && file(this.#at.position) !== file(this.#from.position);
    if (transactions > 0 || logBytes >= POSITION_ONLY_LOG_BYTES || newFile) yield* this.#flush({ evenEmpty: true });
  }

  *#rows(run: CapturedRun): Generator<CutPiece, void, void> {
    const { maxChanges, maxBytes } = this.options;
    this.#open.add(run);
    const { load } = this.#window;
    if (!load.empty && (load.changes + this.#open.changes > maxChanges || load.bytes + this.#open.bytes > maxBytes)) yield* this.#flush();
    if (this.#open.changes > maxChanges || this.#open.bytes > maxBytes) {
      // Too large for one wagon: a train. What came before this run is a car; this run begins the next.
      const before = new Load();
      for (const earlier of this.#open.runs.slice(0, -1)) before.add(earlier);
      if (before.empty) return;
      yield* this.#flush();
      const next = new Load();
      next.add(run);
      this.#open = next;
      yield* this.#car(before);
    }
  }

  *#car(load: Load): Generator<CutPiece, void, void> {
    if (this.#held !== null) {
      this.#yielded++;
      yield this.#held;
    }
    this.#held = this.#piece(load, { to: this.#from, train: { index: this.#cars++, last: false }, window: null });
  }

  *#commit(commit: Commit): Generator<CutPiece, void, void> {
    const committedAt = wholeMilliseconds(commit);
    const crossed = this.#boundaries.filter((mark) => this.options.reached(commit.position, mark));
    if (this.#ddl !== null) {
      yield this.#statement(this.#ddl, commit);
    } else if (this.#cars > 0) {
      if (this.#held !== null) yield this.#held;
      this.#held = null;
      const logBytes = this.#window.logBytes + commit.logBytes;
      const window = { ...emptyWindow(), transactions: 1, logBytes, first: committedAt, last: committedAt };
      this.#window = emptyWindow();
      yield this.#piece(this.#open, { to: commit, train: { index: this.#cars, last: true }, window });
      this.#from = commit;
    } else {
      const between = crossed.some((mark) => !this.options.reached(mark, commit.position));
      if (between) yield* this.#flush();
      this.#join(commit);
    }
    this.#closeTransaction();
    this.#at = commit;
    const { load, logBytes } = this.#window;
    const full = load.changes >= this.options.maxChanges || load.bytes >= this.options.maxBytes;
    const onTheWay = load.empty && logBytes >= POSITION_ONLY_ON_THE_WAY_BYTES;
    if (crossed.length > 0 || full || onTheWay) yield* this.#flush({ evenEmpty: true });
    // Only behind the piece that ends there: it still lies before it.
    if (crossed.length > 0) this.#boundaries = this.#boundaries.filter((mark) => !crossed.includes(mark));
  }

  #closeTransaction(): void {
    this.#open = new Load();
    this.#cars = 0;
    this.#yielded = 0;
    this.#ddlParts = 0;
    this.#beforeDdl = null;
  }

  /** The open transaction, whole, joins the window. */
  #join(commit: Commit): void {
    const window = this.#window;
    const inScope = !this.#open.empty;
    const committedAt = wholeMilliseconds(commit);
    window.load.append(this.#open);
    this.#window = {
      load: window.load,
      transactions: window.transactions + (inScope || this.#ddlParts > 0 ? 1 : 0),
      logBytes: window.logBytes + commit.logBytes,
      first: inScope && window.first === 0 ? committedAt : window.first,
      last: inScope ? committedAt : window.last,
      passed: committedAt,
    };
  }

  /** What has been gathered so far becomes a piece. Nothing when there is nothing, or only log out of scope (unless `evenEmpty`). */
  *#flush(how: { readonly evenEmpty?: boolean } = {}): Generator<CutPiece, void, void> {
    const window = this.#window;
    if (this.#at === this.#from || (window.transactions === 0 && how.evenEmpty !== true)) return;
    this.#window = emptyWindow();
    yield this.#piece(window.load, { to: this.#at, train: { index: 0, last: true }, window });
    this.#from = this.#at;
  }

  #piece(load: Load, where: { readonly to: Place; readonly train: CutPiece['train']; readonly window: Window | null }): CutPiece {
    const started = this.#clock();
    const facts = this.#afterDdl ? 'unknown' : (this.facts ?? []);
    // Up to the last boundary the target's tables were copied while these changes happened.
    const catchingUp = this.#boundaries.length > 0;
    const { tables, ordered, net, carried } = compact(load.runs, this.options.rowFormat, facts, catchingUp ? 'any' : 'known');
    const compactMilliseconds = this.#clock() - started;
    const { window } = where;
    const transactions = window?.transactions ?? 0;
    const logBytes = window?.logBytes ?? 0;
    const times = window === null ? null : window.transactions > 0 ? { first: window.first, last: window.last } : null;
    const passed = window?.passed ?? 0;
    return {
      body: {
        kind: 'changes',
        rowFormat: this.options.rowFormat.name,
        tables,
        ordered,
        net,
        counts: { transactions, captured: load.changes, carried, logBytes },
        committed: times ?? { first: passed, last: passed },
      },
      positionFrom: this.#from.position,
      positionTo: where.to.position,
      train: where.train,
      transactions,
      captured: load.changes,
      carried,
      logBytes,
      rawBytes: load.bytes,
      committed: times,
      compactMilliseconds,
    };
  }

  /** `commit`: the statement ends its transaction. Otherwise more of the same transaction follows. */
  #statement(ddl: Ddl, commit: Commit | null): CutPiece {
    const time = commit === null ? Math.floor(ddl.statement.session.timestamp * 1000) : wholeMilliseconds(commit);
    const committed = { first: time, last: time };
    const to: Place = commit ?? { position: ddl.resumeAfter };
    const logBytes = this.#window.logBytes + (commit?.logBytes ?? 0);
    this.#beforeDdl ??= { from: this.#from, at: this.#at, window: this.#window };
    this.#window = emptyWindow();
    const piece: CutPiece = {
      body: { kind: 'ddl', statement: ddl.statement, committed, logBytes },
      positionFrom: this.#from.position,
      positionTo: to.position,
      train: { index: 0, last: true },
      transactions: commit === null ? 0 : 1,
      captured: 0,
      carried: 0,
      logBytes,
      rawBytes: ddl.statement.sql.length,
      committed,
      compactMilliseconds: 0,
    };
    this.#ddl = null;
    this.#ddlParts++;
    this.#from = to;
    this.#at = to;
    return piece;
  }

  #place(): Pick<ErrorFacts, 'tried'> {
    return { tried: `cutting the log into wagons after ${this.#at.position}` };
  }
  #corrupt(found: string): SrdfError {
    return new SrdfError('log-corrupt', {
      ...this.#place(),
      found,
      action: 'The stream goes on from its ledger at the next cycle; if this stays, check the source server and its log files',
    });
  }
}
