/**
 * From the events of a binary log to transactions: what begins one, what belongs to it, what ends it, and which position
 * stands behind it. Touches nothing; one event in, items out.
 */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { TableShape } from '../../../wagon/body.js';
import type { EngineName, LogItem, Selection } from '../../engine.js';
import { classifyStatement } from '../ddl/classify.js';
import { type BinlogPosition, formatPosition } from '../position.js';
import { announcedAlgorithm, type ChecksumAlgorithm, crcMatches, formatDescriptionMatches, isMadeUp } from './event-checksum.js';
import { EVENT, eventName, HEADER_FLAG, HEADER_LENGTH } from './event-types.js';
import { type GtidEvent, readMariadbGtid, readMysqlGtid, readTaggedGtid } from './gtid-event.js';
import { type GtidSet, gtidName, parseGtidSet } from './gtid-set.js';
import { type QueryEvent, readQueryEvent } from './query-event.js';
import { foreignKeysApply, ImageSlab, KNOWN_ROWS_FLAGS, ROWS_EVENTS, ROWS_FLAG, type RowsEventKind, readRows } from './rows-event.js';
import { databaseInScope, ddlInScope, tableInScope } from './scope.js';
import { parseTableMap, readTableName, type TableMap } from './table-map.js';
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
}

interface OpenTable {
  readonly body: Buffer;
  /** null: out of scope. */
  readonly inside: { readonly shape: TableShape; readonly map: TableMap } | null;
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
  header: number;
}

/** The dummy table id that ends a statement without rows. */
const NO_TABLE = 0xffffff;

export class TransactionAssembler {
  /** What was found since the reader last took it. */
  items: LogItem[] = [];
  /** Bytes of row images in `items`. */
  itemBytes = 0;
  /** Where the reader stands: behind the last event. */
  file: string;
  offset: number;

  private algorithm: ChecksumAlgorithm | null = null;
  private readonly gtids: GtidSet;
  private readonly knownAll: boolean;
  private known: GtidSet | null;
  private open: OpenTransaction | null = null;
  private logBytes = 0;
  private skipParts: number;
  private fileOfLastCommit: string;
  /** When the last file was closed, ms since 1970. */
  private rotatedAt = 0;
  private readonly openTables = new Map<number, OpenTable>();
  private readonly slab = new ImageSlab();

  constructor(private readonly options: AssemblerOptions) {
    const { from, family } = options;
    this.file = from.file;
    this.fileOfLastCommit = from.file;
    this.offset = from.offset;
    this.skipParts = from.parts;
    this.gtids = parseGtidSet(family, from.gtid);
    this.knownAll = from.known === 'all';
    this.known = from.known === '' || this.knownAll ? null : parseGtidSet(family, from.known);
  }

  get inTransaction(): boolean {
    return this.open !== null;
  }

  /**
   * One event, `bytes[start, end)`, as it came over the wire. Returns the inner events of a TRANSACTION_PAYLOAD, which the
   * caller hands to `innerEvent` one by one; null for every other event.
   */
  event(bytes: Buffer, start: number, end: number): Generator<Buffer> | null {
    const length = end - start;
    if (length < HEADER_LENGTH || bytes.readUInt32LE(start + 9) !== length)
      throw this.corrupt(`an event of ${length} bytes that says ${length < HEADER_LENGTH ? 'nothing' : bytes.readUInt32LE(start + 9)}`);
    const type = bytes[start + 4] as number;
    const flags = bytes.readUInt16LE(start + 17);
    const endPosition = bytes.readUInt32LE(start + 13);

    if (isMadeUp(type, flags, endPosition)) {
      if (type === EVENT.ROTATE) this.madeUpRotate(bytes, start, end);
      return null;
    }
    if (type === EVENT.FORMAT_DESCRIPTION) {
      this.formatDescription(bytes, start, end, endPosition);
      return null;
    }
    if (this.algorithm === null) throw this.corrupt(`${eventName(type)} before the file's format description`);
    let bodyEnd = end;
    if (this.algorithm === 'crc32') {
      if (!crcMatches(bytes, start, end)) throw this.corrupt(`the checksum of a ${eventName(type)} event is wrong`);
      bodyEnd = end - 4;
    }
    if ((flags & HEADER_FLAG.ARTIFICIAL) !== 0) {
      // Made for us by the dump thread (MariaDB's GTID_LIST after a connect by GTID): in no file, so it moves no position.
      if (type === EVENT.MARIADB_GTID_LIST || type === EVENT.PREVIOUS_GTIDS) return null;
      throw this.unsupported(type, 'an artificial event');
    }
    this.advance(length, endPosition);
    this.logBytes += length;
    try {
      return this.dispatch(type, flags, bytes, start, bodyEnd);
    } catch (error) {
      throw this.located(error, type);
    }
  }

  /** An event out of a TRANSACTION_PAYLOAD: no checksum, no position of its own. */
  innerEvent(event: Buffer): void {
    const type = event.readUInt8(4);
    try {
      if (this.dispatch(type, event.readUInt16LE(17), event, 0, event.length) !== null)
        throw this.unsupported(type, 'a payload in a payload');
    } catch (error) {
      throw this.located(error, type);
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
    const rows = ROWS_EVENTS.get(type);
    if (rows !== undefined) {
      this.rowsEvent(rows, bytes, body, end);
      return null;
    }
    switch (type) {
      case EVENT.TABLE_MAP:
        this.tableMap(bytes, body, end);
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
        const query = readQueryEvent(bytes, body, end, bytes.readUInt32LE(start), type === EVENT.QUERY_COMPRESSED, this.at());
        this.query(query, bytes.readUInt32LE(start));
        return null;
      }
      case EVENT.TRANSACTION_PAYLOAD:
        return payloadEvents(bytes, body, end);
      case EVENT.XA_PREPARE:
        this.xaPrepare(bytes, body, bytes.readUInt32LE(start));
        return null;
      case EVENT.ROTATE: {
        // The file's last event. The next file begins behind its magic number; the dump thread says so again in a made-up ROTATE.
        this.noOpenTransaction('the end of the file');
        this.rotatedAt = bytes.readUInt32LE(start) * 1000;
        this.file = this.checkedFileName(bytes.toString('latin1', body + 8, end));
        this.offset = Number(bytes.readBigUInt64LE(body));
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
          tried: `reading the binary log of ${this.options.source} at ${this.at()}`,
          found: 'an INCIDENT event: the server says that changes are missing from its log',
          action: 'Establish the stream again (srdf establish): the log alone can no longer bring the target to the source',
        });
      default:
        if ((flags & HEADER_FLAG.IGNORABLE) !== 0) return null;
        throw this.unsupported(type, null);
    }
  }

  // ---------------------------------------------------------------- files and positions

  private madeUpRotate(bytes: Buffer, start: number, end: number): void {
    const bodyEnd = crcMatches(bytes, start, end) ? end - 4 : end;
    const file = this.checkedFileName(bytes.toString('latin1', start + HEADER_LENGTH + 8, bodyEnd));
    const offset = Number(bytes.readBigUInt64LE(start + HEADER_LENGTH));
    if (file !== this.file) this.noOpenTransaction(`the beginning of ${file}`);
    this.file = file;
    this.offset = offset;
  }

  private checkedFileName(name: string): string {
    // A damaged made-up ROTATE can't be told by its checksum; its name can.
    if (!/^[\x21-\x3a\x3c-\x7e]+\.\d{6,}$/.test(name)) throw this.corrupt('a ROTATE event without a file name');
    return name;
  }

  private formatDescription(bytes: Buffer, start: number, end: number, endPosition: number): void {
    const algorithm = announcedAlgorithm(bytes, end);
    if (
      bytes.readUInt16LE(start + HEADER_LENGTH) !== 4 ||
      algorithm === null ||
      bytes.readUInt8(start + HEADER_LENGTH + 56) !== HEADER_LENGTH
    )
      throw this.unsupported(EVENT.FORMAT_DESCRIPTION, 'a log format or checksum other than version 4 with NONE or CRC32');
    if (algorithm === 'crc32' && !formatDescriptionMatches(bytes, start, end))
      throw this.corrupt("the checksum of the file's format description is wrong");
    this.noOpenTransaction('a format description');
    this.algorithm = algorithm;
    this.openTables.clear();
    // Sent again at a start in the middle of a file, where it has no position.
    if (endPosition !== 0 && this.offset < endPosition) {
      this.advance(end - start, endPosition);
      this.logBytes += end - start;
    }
  }

  /**
   * Moves behind an event. The header has 32 bits, a file may be longer; and MariaDB 11.4 and later write 0 inside a
   * transaction: then it is counted.
   */
  private advance(length: number, endPosition: number): void {
    const counted = this.offset + length;
    if (endPosition === 0) {
      this.offset = counted;
      return;
    }
    // Events that the dump thread leaves out lie between: the next position from `counted` on with these low 32 bits.
    const high = Math.floor(counted / 2 ** 32);
    const candidate = high * 2 ** 32 + endPosition;
    this.offset = candidate >= counted ? candidate : candidate + 2 ** 32;
    if (this.offset - counted > 2 ** 31) throw this.corrupt(`an event that ends at ${endPosition}, before the one it follows`);
  }

  private at(): string {
    return `${this.file}:${this.offset}`;
  }

  // ---------------------------------------------------------------- transactions

  private begin(gtid: GtidEvent, bytes: Buffer, start: number): void {
    this.noOpenTransaction('the next transaction');
    const mariadb = this.options.family === 'mariadb';
    let known = false;
    if (gtid.gtid !== null) {
      if (this.knownAll || this.known !== null) {
        known = this.knownAll ? this.gtids.contains(gtid.gtid) : (this.known?.contains(gtid.gtid) ?? false);
      } else if (mariadb ? this.repeats(gtid.gtid) : this.gtids.contains(gtid.gtid)) {
        throw new SrdfError('position-purged', {
          tried: `reading the binary log of ${this.options.source} at ${this.at()}`,
          found: `transaction ${gtidName(this.options.family, gtid.gtid)}, which is contained in the position already: the log was reset`,
          action: 'Establish the stream again (srdf establish): after RESET MASTER or RESET BINARY LOGS the log is another one',
        });
      }
    }
    if (gtid.alterPhase)
      throw this.unsupported(
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
      known,
      header: bytes.readUInt32LE(start),
    };
  }

  /** MariaDB: numbers of one server in one domain rise, in strict mode and out of it. */
  private repeats(gtid: { readonly source: string; readonly server: number; readonly sequence: number }): boolean {
    if (this.gtids.family !== 'mariadb') return false;
    const last = (this.gtids as import('./gtid-set.js').MariadbGtidSet).domains.get(gtid.source);
    return last !== undefined && last.server === gtid.server && gtid.sequence <= last.sequence;
  }

  private current(what: string): OpenTransaction {
    if (this.open === null) throw this.corrupt(`${what} outside a transaction`);
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
    if (this.openTables.size > 4096) this.openTables.clear();
    const { gtid } = transaction.gtid;
    if (transaction.known) return;
    if (gtid !== null) {
      this.gtids.add(gtid);
      if (this.known?.family === 'mariadb') this.forgetKnown(gtid.source);
    }
    this.announce(transaction);
    const name = gtid === null ? `${transaction.startFile}:${transaction.startOffset}` : gtidName(this.options.family, gtid);
    this.pushCommit(transaction.gtid.committedAt ?? headerTime * 1000, name);
  }

  private pushCommit(committedAt: number, transaction: string): void {
    this.items.push({ kind: 'commit', position: formatPosition(this.position()), committedAt, transaction, logBytes: this.logBytes });
    this.logBytes = 0;
    this.fileOfLastCommit = this.file;
  }

  private position(): BinlogPosition {
    return {
      server: this.options.server,
      file: this.file,
      offset: this.offset,
      parts: 0,
      gtid: this.gtids.toString(),
      known: this.knownAll ? 'all' : (this.known?.toString() ?? ''),
    };
  }

  /** A domain that has moved on is past everything that was known of it. */
  private forgetKnown(domain: string): void {
    const known = this.known as import('./gtid-set.js').MariadbGtidSet;
    known.domains.delete(domain);
    this.known =
      known.domains.size === 0
        ? null
        : parseGtidSet('mariadb', [...known.domains].map(([d, it]) => `${d}-${it.server}-${it.sequence}`).join(','));
  }

  private noOpenTransaction(before: string): void {
    if (this.open === null) return;
    throw this.corrupt(
      `${before} before transaction ${this.open.gtid.gtid === null ? '' : gtidName(this.options.family, this.open.gtid.gtid)} has ended`,
    );
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
    const session = generated(sql, transaction.explicit) ? { ...query.session, ...UTF8_CLIENT } : query.session;
    const kind = classifyStatement(sql, query.defaultDatabase, session);
    switch (kind.kind) {
      case 'transaction':
        this.transactionStatement(kind.verb, sql, transaction, headerTime);
        return;
      case 'ddl':
        if (!transaction.known) this.ddl({ ...query, session }, kind.classification, transaction);
        break;
      case 'outside':
        break;
      case 'statement-change':
        if (!transaction.known && !this.surelyOutside(query))
          throw new SrdfError('log-event-unsupported', {
            tried: `reading the binary log of ${this.options.source} at ${this.at()}`,
            found: `a change logged as a statement (${kind.what}): binlog_format was not ROW in that session`,
            action: 'On the source: SET GLOBAL binlog_format=ROW, and in every session that sets its own; then establish the stream again',
          });
        break;
      case 'unclassifiable':
        if (!transaction.known && !this.surelyOutside(query))
          throw new SrdfError('statement-unclassifiable', {
            tried: `reading the binary log of ${this.options.source} at ${this.at()}`,
            found: kind.found,
            action: `Look at the statement (SHOW BINLOG EVENTS IN '${transaction.startFile}' FROM ${transaction.startOffset} LIMIT 5); if it concerns the stream, establish it again, and report the statement`,
          });
        break;
    }
    if (!transaction.explicit) this.commit(headerTime);
  }

  private transactionStatement(verb: string, sql: Buffer, transaction: OpenTransaction, headerTime: number): void {
    const text = sql.toString('latin1', 0, 200);
    if (verb === 'begin') transaction.explicit = true;
    else if (verb === 'commit') this.commit(headerTime);
    else if (verb === 'rollback') {
      if (transaction.rowsInScope > 0 || transaction.ddlParts > 0)
        throw this.unsupported(EVENT.QUERY, 'ROLLBACK of a transaction whose changes of non-transactional tables stay');
      if (!/^\s*ROLLBACK\s+(WORK\s+)?TO\b/i.test(text)) this.commit(headerTime);
    } else if (verb === 'xa') {
      if (/^\s*XA\s+(START|BEGIN)\b/i.test(text)) transaction.explicit = true;
      // Its changes were in the group that XA PREPARE ended, and none of them was in scope: that would have halted.
      else if (/^\s*XA\s+(COMMIT|ROLLBACK)\b/i.test(text)) this.commit(headerTime);
    }
  }

  private xaPrepare(bytes: Buffer, body: number, headerTime: number): void {
    const onePhase = bytes.readUInt8(body) !== 0;
    const transaction = this.current('XA PREPARE');
    if (!onePhase && !transaction.known && (transaction.rowsInScope > 0 || transaction.ddlParts > 0))
      throw this.unsupported(EVENT.XA_PREPARE, 'a transaction in scope that is prepared in one place and committed in another');
    this.commit(headerTime);
  }

  private ddl(query: QueryEvent, classification: import('../../engine.js').DdlClassification, transaction: OpenTransaction): void {
    transaction.ddlParts++;
    if (this.skipParts >= transaction.ddlParts) return;
    if (!ddlInScope(this.options.selection, classification)) return;
    if (query.errorCode !== 0)
      throw new SrdfError('log-event-unsupported', {
        tried: `reading the binary log of ${this.options.source} at ${this.at()}`,
        found: `a statement (${classification.verb} ${classification.object}) that failed half-way at the source with error ${query.errorCode}`,
        action: 'Compare both sides (srdf verify) and establish the stream again',
      });
    this.announce(transaction);
    this.items.push({
      kind: 'ddl',
      statement: { sql: Buffer.from(query.sql), defaultDatabase: query.defaultDatabase, session: query.session, classification },
      resumeAfter: formatPosition({
        ...this.position(),
        file: transaction.startFile,
        offset: transaction.startOffset,
        parts: transaction.ddlParts,
      }),
    });
  }

  /** MySQL names the databases a statement touched; when none is ours, it doesn't matter what the statement does. */
  private surelyOutside(query: QueryEvent): boolean {
    const touched = query.updatedDatabases;
    return touched !== null && touched.length > 0 && touched.every((it) => it !== '' && !databaseInScope(this.options.selection, it));
  }

  // ---------------------------------------------------------------- rows

  private tableMap(bytes: Buffer, body: number, end: number): void {
    const id = bytes.readUIntLE(body, 6);
    const known = this.openTables.get(id);
    if (known !== undefined && bytes.compare(known.body, 0, known.body.length, body + 8, end) === 0) return;
    const own = Buffer.from(bytes.subarray(body + 8, end));
    const name = readTableName(own);
    let inside: OpenTable['inside'] = null;
    if (tableInScope(this.options.selection, name)) {
      const map = parseTableMap(own);
      if (map.metadata.names === null || map.metadata.names.length !== map.columnCount)
        throw new SrdfError('source-preflight', {
          tried: `reading the table map of ${name.database}.${name.table} at ${this.at()}`,
          found: 'no column names: binlog_row_metadata was not FULL when it was written',
          action: 'On the source: SET GLOBAL binlog_row_metadata=FULL; then establish the stream again',
        });
      inside = { shape: { database: name.database, table: name.table, bytes: own }, map };
    }
    this.openTables.set(id, { body: own, inside });
  }

  private rowsEvent(event: RowsEventKind, bytes: Buffer, body: number, end: number): void {
    const transaction = this.current('rows');
    const id = bytes.readUIntLE(body, 6);
    const flags = bytes.readUInt16LE(body + 6);
    if (id === NO_TABLE) return;
    const table = this.openTables.get(id);
    if (table === undefined) throw this.corrupt(`rows of table id ${id} without a table map`);
    if (table.inside === null || transaction.known) return;
    if ((flags & ~KNOWN_ROWS_FLAGS) !== 0) throw this.unsupported(EVENT.WRITE_ROWS, `rows with the unknown flags 0x${flags.toString(16)}`);
    transaction.rowsInScope++;
    if (!this.options.rows) return;
    const rows = readRows(bytes, body + 8, end, event, table.inside.map, this.slab);
    if (rows.offsets.length < 2) return;
    this.announce(transaction);
    this.itemBytes += rows.bytes.length;
    this.items.push({
      kind: 'rows',
      table: table.inside.shape,
      operation: event.operation,
      rows,
      foreignKeyChecks: foreignKeysApply(flags),
      uniqueChecks: (flags & ROWS_FLAG.RELAXED_UNIQUE_CHECKS) === 0,
    });
  }

  // ---------------------------------------------------------------- errors

  private corrupt(found: string): SrdfError {
    return new SrdfError('log-corrupt', {
      tried: `reading the binary log of ${this.options.source} at ${this.at()}`,
      found,
      action: `It is read again by itself. If it stays: check the file on the source (mysqlbinlog --verify-binlog-checksum ${this.file}) and establish the stream again`,
    });
  }
  private unsupported(type: number, what: string | null): SrdfError {
    return new SrdfError('log-event-unsupported', {
      tried: `reading the binary log of ${this.options.source} at ${this.at()}`,
      found: what === null ? `a ${eventName(type)} event` : `${eventName(type)}: ${what}`,
      action:
        UNSUPPORTED_ACTIONS[type] ??
        'Nothing of it was applied. Establish the stream again behind it (srdf establish), or upgrade SRDF to a version that knows it',
    });
  }
  /** Bytes that end where they shouldn't show as RangeError: the event isn't what its type says. */
  private located(error: unknown, type: number): unknown {
    if (!(error instanceof RangeError) && !(error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))) return error;
    return this.corrupt(`a malformed ${eventName(type)} event (${(error as Error).message})`);
  }
}

/**
 * The CREATE TABLE that the server writes for a CREATE … SELECT (the only DDL inside an explicit transaction) is UTF-8, whatever
 * the event says of the client. Native replication reads it in the client's character set and gets names, ENUM and SET values
 * wrong under SET NAMES latin1. (A generated DROP TABLE is in the client's character set.)
 */
const generated = (sql: Buffer, explicit: boolean): boolean => explicit && /^CREATE /i.test(sql.toString('latin1', 0, 7));
/** utf8mb4_general_ci, known to every version of both servers. */
const UTF8_CLIENT = { characterSetClient: 45, collationConnection: 45 } as const;

const UNSUPPORTED_ACTIONS: Readonly<Record<number, string>> = {
  [EVENT.PARTIAL_UPDATE_ROWS]:
    "On the source: SET GLOBAL binlog_row_value_options='' (and in sessions that set their own), then establish the stream again",
  [EVENT.XA_PREPARE]: 'XA transactions are not replicated: exclude the tables, or stop using XA on them, and establish the stream again',
};
