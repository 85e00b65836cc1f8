/** Which transaction of the log is open, and which position stands behind it when it ends. Touches nothing. */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { Position } from '../../../vocabulary.js';
import type { EngineName } from '../../engine.js';
import { ESTABLISH_KEEPING } from '../lost-history.js';
import { type BinlogPosition, formatPosition } from '../position.js';
import { LazyCommit } from './commit-item.js';
import type { EventEnvelope } from './event-envelope.js';
import { EVENT } from './event-types.js';
import type { GtidEvent } from './gtid-event.js';
import type { GtidHistory } from './gtid-history.js';
import { gtidName, gtidText } from './gtid-set.js';
import type { ItemBatch } from './item-batch.js';
import type { LogPlace } from './log-place.js';

export interface OpenTransaction {
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

export class Transactions {
  open: OpenTransaction | null = null;
  /** Bytes of log since the last commit. */
  logBytes = 0;
  /** When the last file was closed, ms since 1970. */
  rotatedAt = 0;
  /** DDL statements of the transaction the read began in that are done already. */
  private skipParts: number;
  private fileOfLastCommit: string;

  constructor(
    private readonly family: EngineName,
    from: BinlogPosition,
    /** Identity of the server that is read. */
    private readonly server: string,
    private readonly place: LogPlace,
    private readonly envelope: EventEnvelope,
    private readonly history: GtidHistory,
    private readonly batch: ItemBatch,
  ) {
    this.skipParts = from.parts;
    this.fileOfLastCommit = from.file;
  }

  /** A GTID event of `eventLength` bytes, behind which the place stands. */
  begin(gtid: GtidEvent, eventLength: number): void {
    this.noneOpen('the next transaction');
    const verdict = this.history.judge(gtid.gtid);
    if (verdict === 'repeated')
      throw new SrdfError('position-purged', {
        tried: this.place.tried,
        found: `transaction ${this.nameOf(gtid)}, which is contained in the position already: the log was reset`,
        action: `After RESET MASTER or RESET BINARY LOGS, or from an older copy of the server, the log is another one. ${ESTABLISH_KEEPING}`,
      });
    if (gtid.alterPhase)
      throw this.place.unsupported(
        EVENT.MARIADB_GTID,
        'an ALTER in two phases (SET GLOBAL binlog_alter_two_phase=OFF, then establish the stream again)',
      );
    this.open = {
      gtid,
      startFile: this.place.file,
      startOffset: this.place.offset - eventLength,
      explicit: this.family === 'mariadb' && !gtid.standalone,
      begun: false,
      rowsInScope: 0,
      ddlParts: 0,
      known: verdict === 'known',
    };
  }

  /** The open one; `what` belongs to it. */
  current(what: string): OpenTransaction {
    if (this.open === null) throw this.place.corrupt(`${what} outside a transaction`);
    return this.open;
  }

  /** Something of it is in scope. */
  announce(transaction: OpenTransaction): void {
    if (transaction.begun) return;
    transaction.begun = true;
    this.batch.begin();
  }

  /** Whether the stream has another schema statement of the open transaction already; counts it. */
  isDone(transaction: OpenTransaction): boolean {
    transaction.ddlParts++;
    return this.skipParts >= transaction.ddlParts;
  }

  /** Behind the statement that was counted last. */
  afterStatement({ startFile, startOffset, ddlParts }: OpenTransaction): Position {
    return this.positionAt(startFile, startOffset, ddlParts);
  }

  /** `headerTime`: seconds since 1970. */
  commit(headerTime: number): void {
    const transaction = this.current('a commit');
    this.open = null;
    this.skipParts = 0;
    if (transaction.known) return;
    const { gtid } = transaction.gtid;
    this.history.add(gtid);
    this.announce(transaction);
    const { startFile, startOffset } = transaction;
    const { family, history } = this;
    this.batch.push(
      new LazyCommit(
        { family, place: this.placeAt(this.place.file, this.place.offset, 0), executed: history.pieces, gtid, startFile, startOffset },
        transaction.gtid.committedAt ?? headerTime * 1000,
        this.logBytes,
      ),
    );
    this.logBytes = 0;
    this.fileOfLastCommit = this.place.file;
  }

  /** At the end of a read: a position in the present file, when no transaction has given one. Old files may be purged by then. */
  endOfLog(): void {
    const { file, offset } = this.place;
    if (this.open !== null || file === this.fileOfLastCommit || this.logBytes === 0) return;
    this.batch.begin();
    const position = this.positionAt(file, offset, 0);
    this.batch.push({ kind: 'commit', position, committedAt: this.rotatedAt, transaction: '', logBytes: this.logBytes });
    this.logBytes = 0;
    this.fileOfLastCommit = file;
  }

  get openName(): string {
    return this.open === null ? 'no transaction' : `transaction ${this.nameOf(this.open.gtid)}`;
  }

  noneOpen(before: string): void {
    if (this.open === null) return;
    throw this.place.corrupt(`${before} before ${this.openName} has ended`);
  }

  /** The server was killed while it wrote the open transaction, and has rolled it back. */
  rolledBack(): void {
    const { open } = this;
    this.open = null;
    const stays = (what: string): SrdfError =>
      new SrdfError('incident', {
        tried: this.place.tried,
        found: `the source was killed while it wrote ${open === null ? 'a transaction' : this.nameOf(open.gtid)} to its log, ${what}`,
        action: ESTABLISH_KEEPING,
      });
    if (this.skipParts > 0) throw stays('a schema statement of which the target has, and the source may not');
    if (open === null || open.known) return;
    if (open.rowsInScope > 0 && !open.gtid.transactional)
      throw stays('and it changed tables without transactions: what of it has stayed is not in the log');
    if (open.begun) this.batch.push({ kind: 'abandon' });
  }

  /**
   * A ROLLBACK ends it. MariaDB logs such a transaction when a temporary table came or went in it. Its rows are of tables with transactions alone:
   * what others hold goes into the row log statement by statement, as transactions of their own (`use_trans_cache` in sql/log.cc).
   */
  takeBack(transaction: OpenTransaction): void {
    const { known, gtid, rowsInScope, ddlParts } = transaction;
    if (known) return;
    if (ddlParts > 0 || (rowsInScope > 0 && (this.family !== 'mariadb' || !gtid.transactional)))
      throw this.place.unsupported(EVENT.QUERY, 'ROLLBACK of a transaction of which something stays');
    if (transaction.begun) this.batch.push({ kind: 'abandon' });
    transaction.begun = false;
  }

  private nameOf(event: GtidEvent): string {
    return event.gtid === null ? 'without GTID' : gtidName(this.family, event.gtid);
  }

  private placeAt(file: string, offset: number, parts: number): Omit<BinlogPosition, 'gtid'> {
    return { server: this.server, file, offset, parts, made: this.envelope.made, known: this.history.stillKnown };
  }
  private positionAt(file: string, offset: number, parts: number): Position {
    return formatPosition({ ...this.placeAt(file, offset, parts), gtid: gtidText(this.history.pieces) });
  }
}
