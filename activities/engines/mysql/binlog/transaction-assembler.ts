/**
 * From the events of a binary log to transactions: what begins one, what belongs to it, what ends it, and which position
 * stands behind it. Touches nothing; one event in, items out.
 */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { DdlClassification, EngineName, LogItem, Selection } from '../../engine.js';
import { type BinlogPosition, formatPosition } from '../position.js';
import { CONSUMED, EventEnvelope } from './event-envelope.js';
import { EVENT, HEADER_FLAG, HEADER_LENGTH } from './event-types.js';
import { type GtidEvent, readMariadbGtid, readMysqlGtid, readTaggedGtid } from './gtid-event.js';
import { GtidHistory } from './gtid-history.js';
import { gtidName } from './gtid-set.js';
import { KilledServer } from './killed-server.js';
import { LogPlace } from './log-place.js';
import { OpenTables } from './open-tables.js';
import { partInScope } from './part-in-scope.js';
import { type QueryEvent, readQueryEvent } from './query-event.js';
import { foreignKeysApply, ImageSlab, KNOWN_ROWS_FLAGS, ROWS_EVENTS, ROWS_FLAG, type RowsEventKind, readRows } from './rows-event.js';
import { ddlInScope, foldedNames } from './scope.js';
import { meaningOf } from './statement-meaning.js';
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

interface OpenTransaction {
  readonly gtid: GtidEvent;
  readonly startFile: string;
  readonly startOffset: number;
  /** BEGIN was seen, or the GTID event implies it: it ends with a commit. */
  explicit: boolean;
  begun: boolean;
  rowsInScope: number;
  ddlParts: number;
  /** The stream has it already; read over. */
  readonly known: boolean;
}

/** The dummy table id that ends a statement without rows. */
const NO_TABLE = 0xffffff;

export class TransactionAssembler {
  /** What was found since the reader last took it. */
  items: LogItem[] = [];
  /** Bytes of row images in `items`. */
  itemBytes = 0;
  private readonly place: LogPlace;
  private readonly envelope: EventEnvelope;
  private readonly history: GtidHistory;
  private readonly killed: KilledServer;
  private open: OpenTransaction | null = null;
  private logBytes = 0;
  private skipParts: number;
  private fileOfLastCommit: string;
  /** When the last file was closed, ms since 1970. */
  private rotatedAt = 0;
  private readonly tables: OpenTables;
  private readonly slab = new ImageSlab();

  constructor(private readonly options: AssemblerOptions) {
    const { from, family, source, selection } = options;
    this.place = new LogPlace(source, from.file, from.offset);
    this.killed = new KilledServer(this.place);
    const beginsAnew = (what: string, serverStart: boolean | null): void => {
      if (serverStart === null && family === 'mariadb' && this.inTransaction) this.killed.suspect(this.openName);
      if (this.killed.suspected) {
        if (serverStart !== null) this.killed.description(serverStart);
      } else this.noOpenTransaction(what);
      this.tables.clear();
    };
    this.envelope = new EventEnvelope(this.place, beginsAnew, from);
    this.history = new GtidHistory(family, from);
    this.tables = new OpenTables(selection, this.place);
    this.fileOfLastCommit = from.file;
    this.skipParts = from.parts;
  }

  /** Where the reader stands: behind the last event. */
  get file(): string {
    return this.place.file;
  }
  get offset(): number {
    return this.place.offset;
  }
  get inTransaction(): boolean {
    return this.open !== null || this.killed.suspected;
  }

  /** The file ends inside an event; the next one comes. false: that is damage, and nothing can explain it. */
  tornEvent(): boolean {
    if (this.options.family !== 'mariadb') return false;
    this.killed.suspect(this.open === null ? 'an event' : this.openName);
    return true;
  }

  /**
   * One event, `bytes[start, end)`, as it came over the wire. Returns the inner events of a TRANSACTION_PAYLOAD, which the
   * caller hands to `innerEvent` one by one; null for every other event.
   */
  event(bytes: Buffer, start: number, end: number): Generator<Buffer> | null {
    const bodyEnd = this.envelope.open(bytes, start, end);
    if (bodyEnd === CONSUMED) return null;
    this.logBytes += end - start;
    const type = bytes[start + 4] as number;
    const flags = bytes.readUInt16LE(start + 17);
    try {
      return this.dispatch(type, flags, bytes, start, bodyEnd);
    } catch (error) {
      throw this.place.located(error, type);
    }
  }

  /** An event out of a TRANSACTION_PAYLOAD: no checksum, no position of its own. */
  innerEvent(event: Buffer): void {
    const type = event.readUInt8(4);
    try {
      if (this.dispatch(type, event.readUInt16LE(17), event, 0, event.length) !== null)
        throw this.place.unsupported(type, 'a payload in a payload');
    } catch (error) {
      throw this.place.located(error, type);
    }
  }

  /** At the end of a read: a position in the present file, when no transaction has given one. Old files may be purged by then. */
  endOfLog(): void {
    if (this.open !== null || this.file === this.fileOfLastCommit || this.logBytes === 0) return;
    this.items.push({ kind: 'begin' });
    this.pushCommit(this.rotatedAt, '');
  }

  private dispatch(type: number, flags: number, bytes: Buffer, start: number, end: number): Generator<Buffer> | null {
    const body = start + HEADER_LENGTH;
    if (this.killed.suspected) {
      if (type === EVENT.START_ENCRYPTION) return null;
      if (type !== EVENT.MARIADB_GTID_LIST) throw this.killed.damaged();
      this.killed.list(bytes, body, end, (list) => this.history.isWhole(list));
      this.rolledBack();
      return null;
    }
    const rows = ROWS_EVENTS.get(type);
    if (rows !== undefined) {
      this.rowsEvent(rows, bytes, body, end);
      return null;
    }
    switch (type) {
      case EVENT.TABLE_MAP:
        this.tables.announce(bytes, body, end);
        return null;
      case EVENT.MARIADB_GTID:
        this.begin(readMariadbGtid(bytes, body, end, bytes.readUInt32LE(start + 5)), bytes, start);
        return null;
      case EVENT.GTID:
      case EVENT.ANONYMOUS_GTID:
        this.begin(readMysqlGtid(bytes, body, end, type === EVENT.ANONYMOUS_GTID), bytes, start);
        return null;
      case EVENT.GTID_TAGGED:
        this.begin(readTaggedGtid(bytes, body, end), bytes, start);
        return null;
      case EVENT.XID:
        this.commit(bytes.readUInt32LE(start));
        return null;
      case EVENT.QUERY:
      case EVENT.QUERY_COMPRESSED: {
        const query = readQueryEvent(
          bytes,
          body,
          end,
          bytes.readUInt32LE(start),
          type === EVENT.QUERY_COMPRESSED,
          `${this.file}:${this.offset}`,
        );
        this.query(query, bytes.readUInt32LE(start));
        return null;
      }
      case EVENT.TRANSACTION_PAYLOAD:
        return this.located(payloadEvents(bytes, body, end));
      case EVENT.XA_PREPARE:
        this.xaPrepare(bytes, body, bytes.readUInt32LE(start));
        return null;
      case EVENT.ROTATE: {
        // The file's last event. The next file begins behind its magic number; the dump thread says so again in a made-up ROTATE.
        this.noOpenTransaction('the end of the file');
        this.rotatedAt = bytes.readUInt32LE(start) * 1000;
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
        if ((flags & HEADER_FLAG.IGNORABLE) !== 0) return null;
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

  // ---------------------------------------------------------------- transactions

  private begin(gtid: GtidEvent, bytes: Buffer, start: number): void {
    this.noOpenTransaction('the next transaction');
    const mariadb = this.options.family === 'mariadb';
    const verdict = this.history.judge(gtid.gtid);
    if (verdict === 'repeated')
      throw new SrdfError('position-purged', {
        tried: this.place.tried,
        found: `transaction ${this.nameOf(gtid)}, which is contained in the position already: the log was reset`,
        action: 'Establish the stream again (srdf establish): after RESET MASTER or RESET BINARY LOGS the log is another one',
      });
    if (gtid.alterPhase)
      throw this.place.unsupported(
        EVENT.MARIADB_GTID,
        'an ALTER in two phases (SET GLOBAL binlog_alter_two_phase=OFF, then establish the stream again)',
      );
    this.open = {
      gtid,
      startFile: this.file,
      startOffset: this.offset - bytes.readUInt32LE(start + 9),
      explicit: mariadb && !gtid.standalone,
      begun: false,
      rowsInScope: 0,
      ddlParts: 0,
      known: verdict === 'known',
    };
  }

  private current(what: string): OpenTransaction {
    if (this.open === null) throw this.place.corrupt(`${what} outside a transaction`);
    return this.open;
  }

  private announce(transaction: OpenTransaction): void {
    if (transaction.begun) return;
    transaction.begun = true;
    this.items.push({ kind: 'begin' });
  }

  private commit(headerTime: number): void {
    const transaction = this.current('a commit');
    this.open = null;
    this.skipParts = 0;
    this.tables.endOfTransaction();
    if (transaction.known) return;
    this.history.add(transaction.gtid.gtid);
    this.announce(transaction);
    const name = transaction.gtid.gtid === null ? `${transaction.startFile}:${transaction.startOffset}` : this.nameOf(transaction.gtid);
    this.pushCommit(transaction.gtid.committedAt ?? headerTime * 1000, name);
  }

  private nameOf(event: GtidEvent): string {
    return event.gtid === null ? 'without GTID' : gtidName(this.options.family, event.gtid);
  }

  private pushCommit(committedAt: number, transaction: string): void {
    this.items.push({ kind: 'commit', position: formatPosition(this.position()), committedAt, transaction, logBytes: this.logBytes });
    this.logBytes = 0;
    this.fileOfLastCommit = this.file;
  }

  private position(): BinlogPosition {
    const { made } = this.envelope;
    return {
      server: this.options.server,
      file: this.place.file,
      offset: this.place.offset,
      parts: 0,
      ...(made !== undefined && { made }),
      ...this.history.fields,
    };
  }

  private get openName(): string {
    return this.open === null ? 'no transaction' : `transaction ${this.nameOf(this.open.gtid)}`;
  }

  private noOpenTransaction(before: string): void {
    if (this.open === null) return;
    throw this.place.corrupt(`${before} before ${this.openName} has ended`);
  }

  /** The server was killed while it wrote the open transaction, and has rolled it back. */
  private rolledBack(): void {
    const { open } = this;
    this.open = null;
    this.tables.endOfTransaction();
    const stays = (what: string): SrdfError =>
      new SrdfError('incident', {
        tried: this.place.tried,
        found: `the source was killed while it wrote ${open === null ? 'a transaction' : this.nameOf(open.gtid)} to its log, ${what}`,
        action: 'Compare the sides (srdf verify), then establish the stream again (srdf establish)',
      });
    if (this.skipParts > 0) throw stays('a schema statement of which the target has, and the source may not');
    if (open === null || open.known) return;
    if (open.rowsInScope > 0 && !open.gtid.transactional)
      throw stays('and it changed tables without transactions: what of it has stayed is not in the log');
    if (open.begun) this.items.push({ kind: 'abandon' });
  }

  // ---------------------------------------------------------------- statements

  private query(query: QueryEvent, headerTime: number): void {
    const { sql } = query;
    if (sql.length === 5 && sql.toString('latin1') === 'BEGIN') {
      this.current('BEGIN').explicit = true;
      return;
    }
    if (sql.length === 6 && sql.toString('latin1') === 'COMMIT') {
      this.commit(headerTime);
      return;
    }
    const transaction = this.current('a statement');
    const meaning = meaningOf(query, transaction, this.options.selection, this.place);
    if (meaning.does === 'begins') transaction.explicit = true;
    else if (meaning.does === 'ddl') this.ddl(meaning.query, meaning.classification, transaction);
    if (meaning.does === 'commits' || (meaning.alone && !transaction.explicit)) this.commit(headerTime);
  }

  private xaPrepare(bytes: Buffer, body: number, headerTime: number): void {
    const onePhase = bytes.readUInt8(body) !== 0;
    const transaction = this.current('XA PREPARE');
    if (!onePhase && !transaction.known && (transaction.rowsInScope > 0 || transaction.ddlParts > 0))
      throw this.place.unsupported(EVENT.XA_PREPARE, 'a transaction in scope that is prepared in one place and committed in another');
    this.commit(headerTime);
  }

  private ddl(query: QueryEvent, classification: DdlClassification, transaction: OpenTransaction): void {
    transaction.ddlParts++;
    if (this.skipParts >= transaction.ddlParts) return;
    const { selection, foldNames } = this.options;
    if (!ddlInScope(selection, foldNames === true ? foldedNames(classification) : classification)) return;
    if (query.errorCode !== 0)
      throw new SrdfError('log-event-unsupported', {
        tried: this.place.tried,
        found: `a statement (${classification.verb} ${classification.object}) that failed half-way at the source with error ${query.errorCode}`,
        action: 'Compare both sides (srdf verify) and establish the stream again',
      });
    this.announce(transaction);
    this.items.push({
      kind: 'ddl',
      statement: partInScope(
        { sql: Buffer.from(query.sql), defaultDatabase: query.defaultDatabase, session: query.session, classification },
        selection,
      ),
      resumeAfter: formatPosition({
        ...this.position(),
        file: transaction.startFile,
        offset: transaction.startOffset,
        parts: transaction.ddlParts,
      }),
    });
  }

  // ---------------------------------------------------------------- rows

  private rowsEvent(event: RowsEventKind, bytes: Buffer, body: number, end: number): void {
    const transaction = this.current('rows');
    const id = bytes.readUIntLE(body, 6);
    const flags = bytes.readUInt16LE(body + 6);
    if (id === NO_TABLE) return;
    const table = this.tables.get(id);
    if (table === null || transaction.known) return;
    if ((flags & ~KNOWN_ROWS_FLAGS) !== 0)
      throw this.place.unsupported(EVENT.WRITE_ROWS, `rows with the unknown flags 0x${flags.toString(16)}`);
    transaction.rowsInScope++;
    if (!this.options.rows) return;
    const rows = readRows(bytes, body + 8, end, event, table.map, this.slab);
    if (rows.offsets.length < 2) return;
    this.announce(transaction);
    this.itemBytes += rows.bytes.length;
    this.items.push({
      kind: 'rows',
      table: table.shape,
      operation: event.operation,
      rows,
      foreignKeyChecks: foreignKeysApply(flags),
      uniqueChecks: (flags & ROWS_FLAG.RELAXED_UNIQUE_CHECKS) === 0,
    });
  }
}
