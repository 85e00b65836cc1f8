/**
 * From the events of a binary log to transactions: what begins one, what belongs to it, what ends it, and which position
 * stands behind it. Touches nothing; one event in, items out.
 */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { EngineName, Selection } from '../../engine.js';
import type { BinlogPosition } from '../position.js';
import { CONSUMED, EventEnvelope } from './event-envelope.js';
import { EVENT, HEADER_FLAG, HEADER_LENGTH } from './event-types.js';
import { readMariadbGtid, readMysqlGtid, readTaggedGtid } from './gtid-event.js';
import { GtidHistory } from './gtid-history.js';
import { ItemBatch } from './item-batch.js';
import { KilledServer } from './killed-server.js';
import { LogPlace } from './log-place.js';
import { OpenTables, tableId } from './open-tables.js';
import { type OpenTransaction, Transactions } from './open-transaction.js';
import type { Stretch } from './packet-framer.js';
import { partInScope } from './part-in-scope.js';
import { isBegin, type QueryEvent, readQueryEvent } from './query-event.js';
import { refuseUnfollowed } from './refused-statement.js';
import { foreignKeysApply, KNOWN_ROWS_FLAGS, OffsetSpace, ROWS_EVENTS, ROWS_FLAG, type RowsEventKind, readRows } from './rows-event.js';
import { ddlInScope, foldedNames } from './scope.js';
import { meaningOf, type SchemaStatement } from './statement-meaning.js';
import { allMatch } from './stretch-checksum.js';
import { payloadEvents } from './transaction-payload.js';

export interface AssemblerOptions {
  readonly family: EngineName;
  /** Identity of the server that is read. */
  readonly server: string;
  /** For messages: `host:port`. */
  readonly source: string;
  readonly selection: Selection;
  readonly from: BinlogPosition;
  /** false: only statements are wanted, rows are passed over. */
  readonly rows: boolean;
  /** The server has lower_case_table_names=1: names in statements mean what they are in lower case. */
  readonly foldNames?: boolean;
}

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

export class TransactionAssembler {
  /** What was found since the reader last took it. */
  readonly batch = new ItemBatch();
  private readonly place: LogPlace;
  private readonly envelope: EventEnvelope;
  private readonly history: GtidHistory;
  private readonly killed: KilledServer;
  private readonly transactions: Transactions;
  private readonly tables: OpenTables;
  private readonly offsets = new OffsetSpace();
  /** What the present event lies in, and a view of it: many events lie in one. */
  private bytes: Buffer = Buffer.alloc(0);
  private view = viewOf(this.bytes);

  constructor(private readonly options: AssemblerOptions) {
    const { from, family, server, source, selection } = options;
    this.place = new LogPlace(source, from.file, from.offset);
    this.killed = new KilledServer(this.place);
    const beginsAnew = (what: string, serverStart: boolean | null): void => {
      if (serverStart === null && family === 'mariadb' && this.inTransaction) this.killed.suspect(this.transactions.openName);
      if (this.killed.suspected) {
        if (serverStart !== null) this.killed.description(serverStart);
      } else this.transactions.noneOpen(what);
      this.tables.clear();
    };
    this.envelope = new EventEnvelope(this.place, beginsAnew, from);
    this.history = new GtidHistory(family, from);
    this.transactions = new Transactions(family, from, server, this.place, this.envelope, this.history, this.batch);
    this.tables = new OpenTables(selection, this.place);
  }

  /** Where the reader stands: behind the last event. */
  get file(): string {
    return this.place.file;
  }
  get offset(): number {
    return this.place.offset;
  }
  get inTransaction(): boolean {
    return this.transactions.open !== null || this.killed.suspected;
  }
  /** Whether it stands at `end` or behind it, wherever it began. Both of one server's log. */
  hasPassed(end: { readonly number: number; readonly offset: number }): boolean {
    return this.place.number > end.number || (this.place.number === end.number && this.place.offset >= end.offset);
  }

  /** The file ends inside an event; the next one comes. false: that is damage, and nothing can explain it. */
  tornEvent(): boolean {
    if (this.options.family !== 'mariadb') return false;
    this.killed.suspect(this.transactions.open === null ? 'an event' : this.transactions.openName);
    return true;
  }

  /** Whether all events of a stretch have been found whole: `event` needn't look at their checksums. false says nothing of a single one. */
  vouchesFor(stretch: Stretch): boolean {
    return this.envelope.checksums && allMatch(stretch);
  }

  /**
   * One event, `bytes[start, end)`, as it came over the wire. Returns the inner events of a TRANSACTION_PAYLOAD, which the
   * caller hands to `innerEvent` one by one; null for every other event. `checked`: its checksum was found right already.
   */
  event(bytes: Buffer, start: number, end: number, checked = false): Generator<Buffer> | null {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = viewOf(bytes);
    }
    const bodyEnd = this.envelope.open(bytes, this.view, start, end, checked);
    if (bodyEnd === CONSUMED) return null;
    this.transactions.logBytes += end - start;
    const type = bytes[start + 4] as number;
    try {
      return this.dispatch(type, bytes, this.view, start, bodyEnd);
    } catch (error) {
      throw this.place.located(error, type);
    }
  }

  /** An event out of a TRANSACTION_PAYLOAD: no checksum, no position of its own. */
  innerEvent(event: Buffer): void {
    const type = event.readUInt8(4);
    try {
      if (this.dispatch(type, event, viewOf(event), 0, event.length) !== null) throw this.place.unsupported(type, 'a payload in a payload');
    } catch (error) {
      throw this.place.located(error, type);
    }
  }

  /** At the end of a read: a position in the present file, when no transaction has given one. */
  endOfLog(): void {
    this.transactions.endOfLog();
  }

  private dispatch(type: number, bytes: Buffer, view: DataView, start: number, end: number): Generator<Buffer> | null {
    const body = start + HEADER_LENGTH;
    if (this.killed.suspected) {
      if (type === EVENT.START_ENCRYPTION) return null;
      if (type !== EVENT.MARIADB_GTID_LIST) throw this.killed.damaged();
      this.killed.list(bytes, body, end, (list) => this.history.isWhole(list));
      this.transactions.rolledBack();
      this.tables.endOfTransaction();
      return null;
    }
    const rows = ROWS_EVENTS[type];
    if (rows !== undefined) {
      this.rowsEvent(rows, bytes, view, body, end);
      return null;
    }
    switch (type) {
      case EVENT.TABLE_MAP:
        this.tables.announce(bytes, view, body, end);
        return null;
      case EVENT.MARIADB_GTID:
        this.transactions.begin(readMariadbGtid(bytes, body, end, view.getUint32(start + 5, true)), view.getUint32(start + 9, true));
        return null;
      case EVENT.GTID:
      case EVENT.ANONYMOUS_GTID:
        this.transactions.begin(readMysqlGtid(bytes, body, end, type === EVENT.ANONYMOUS_GTID), view.getUint32(start + 9, true));
        return null;
      case EVENT.GTID_TAGGED:
        this.transactions.begin(readTaggedGtid(bytes, body, end), view.getUint32(start + 9, true));
        return null;
      case EVENT.XID:
        this.commit(view.getUint32(start, true));
        return null;
      case EVENT.QUERY:
      case EVENT.QUERY_COMPRESSED: {
        if (type === EVENT.QUERY && isBegin(bytes, body, end)) {
          this.transactions.current('BEGIN').explicit = true;
          return null;
        }
        const query = readQueryEvent(
          bytes,
          body,
          end,
          view.getUint32(start, true),
          type === EVENT.QUERY_COMPRESSED,
          `${this.file}:${this.offset}`,
        );
        this.query(query, view.getUint32(start, true));
        return null;
      }
      case EVENT.TRANSACTION_PAYLOAD:
        return this.located(payloadEvents(bytes, body, end));
      case EVENT.XA_PREPARE:
        this.xaPrepare(bytes, body, view.getUint32(start, true));
        return null;
      case EVENT.ROTATE: {
        // The file's last event. The next file begins behind its magic number; the dump thread says so again in a made-up ROTATE.
        this.transactions.noneOpen('the end of the file');
        this.transactions.rotatedAt = view.getUint32(start, true) * 1000;
        this.place.rotate(bytes, body, end);
        return null;
      }
      case EVENT.STOP:
      case EVENT.PREVIOUS_GTIDS:
      case EVENT.MARIADB_GTID_LIST:
      case EVENT.BINLOG_CHECKPOINT:
      case EVENT.START_ENCRYPTION:
      case EVENT.ANNOTATE_ROWS:
      case EVENT.ROWS_QUERY:
      case EVENT.IGNORABLE:
      case EVENT.TRANSACTION_CONTEXT:
      case EVENT.VIEW_CHANGE:
      // Part of a statement logged as text, which halts by itself when it changes data.
      case EVENT.INTVAR:
      case EVENT.RAND:
      case EVENT.USER_VAR:
        return null;
      case EVENT.INCIDENT:
        throw new SrdfError('incident', {
          tried: this.place.tried,
          found: 'an INCIDENT event: the server says that changes are missing from its log',
          action: 'Establish the stream again (srdf establish): the log alone can no longer bring the target to the source',
        });
      default:
        if ((view.getUint16(start + 17, true) & HEADER_FLAG.IGNORABLE) !== 0) return null;
        throw this.place.unsupported(type, null);
    }
  }

  /** A payload is only looked into as its events are taken: what is wrong with it shows then. */
  private *located(events: Generator<Buffer>): Generator<Buffer> {
    try {
      yield* events;
    } catch (error) {
      throw this.place.located(error, EVENT.TRANSACTION_PAYLOAD);
    }
  }

  private commit(headerTime: number): void {
    this.transactions.commit(headerTime);
    this.tables.endOfTransaction();
  }

  // ---------------------------------------------------------------- statements

  private query(query: QueryEvent, headerTime: number): void {
    const { sql } = query;
    if (sql.length === 6 && sql.toString('latin1') === 'COMMIT') {
      this.commit(headerTime);
      return;
    }
    const transaction = this.transactions.current('a statement');
    const meaning = meaningOf(query, transaction, this.options.selection, this.place);
    if (meaning.does === 'begins') transaction.explicit = true;
    else if (meaning.does === 'ddl') this.ddl(meaning, transaction);
    else if (meaning.does === 'rolls-back') this.transactions.takeBack(transaction);
    if (meaning.does === 'commits' || meaning.does === 'rolls-back' || (meaning.alone && !transaction.explicit)) this.commit(headerTime);
  }

  private xaPrepare(bytes: Buffer, body: number, headerTime: number): void {
    const onePhase = bytes.readUInt8(body) !== 0;
    const transaction = this.transactions.current('XA PREPARE');
    if (!onePhase && !transaction.known && (transaction.rowsInScope > 0 || transaction.ddlParts > 0))
      throw this.place.unsupported(EVENT.XA_PREPARE, 'a transaction in scope that is prepared in one place and committed in another');
    this.commit(headerTime);
  }

  private ddl(statement: SchemaStatement, transaction: OpenTransaction): void {
    if (this.transactions.isDone(transaction)) return;
    const { selection, foldNames } = this.options;
    const { query } = statement;
    const classification = foldNames === true ? foldedNames(statement.classification) : statement.classification;
    if (!ddlInScope(selection, classification)) return;
    refuseUnfollowed({ ...statement, classification }, selection, foldNames === true, this.place);
    this.transactions.announce(transaction);
    this.batch.push({
      kind: 'ddl',
      statement: partInScope(
        { sql: Buffer.from(query.sql), defaultDatabase: query.defaultDatabase, session: query.session, classification },
        selection,
      ),
      resumeAfter: this.transactions.afterStatement(transaction),
    });
  }

  // ---------------------------------------------------------------- rows

  private rowsEvent(event: RowsEventKind, bytes: Buffer, view: DataView, body: number, end: number): void {
    const transaction = this.transactions.current('rows');
    const id = tableId(view, body);
    const flags = view.getUint16(body + 6, true);
    if (this.tables.isDummy(id, event, bytes, body + 8, end)) return;
    const table = this.tables.get(id);
    if (table === null || transaction.known) return;
    if ((flags & ~KNOWN_ROWS_FLAGS) !== 0)
      throw this.place.unsupported(EVENT.WRITE_ROWS, `rows with the unknown flags 0x${flags.toString(16)}`);
    transaction.rowsInScope++;
    if (!this.options.rows) return;
    const rows = readRows(bytes, body + 8, end, event, table.map, this.offsets);
    if (rows.images === 0) return;
    this.transactions.announce(transaction);
    this.batch.rows({
      kind: 'rows',
      table: table.shape,
      operation: event.operation,
      rows,
      foreignKeyChecks: foreignKeysApply(flags),
      uniqueChecks: (flags & ROWS_FLAG.RELAXED_UNIQUE_CHECKS) === 0,
    });
  }
}
