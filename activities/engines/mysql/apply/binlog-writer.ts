/** Sends row images to the target as BINLOG statements of bounded size, inside the transaction that is open. */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { TableName } from '../../../vocabulary.js';
import type { Operation, RowImages } from '../../engine.js';
import { offsetAt } from '../../row-images.js';
import { ROWS_FLAG } from '../binlog/rows-event.js';
import { nameOf } from '../ranges/sql-literals.js';
import { serverError } from '../server-error.js';
import { applyError } from './apply-errors.js';
import { columnCount, rowsEvent, tableMapEvent } from './row-events.js';
import type { TargetSession } from './target-session.js';

/** Bytes of images in one rows event, and of events in one statement: large enough to be quick, small beside a wagon. */
const EVENT_BYTES = 512 * 1024;
const STATEMENT_BYTES = 2 * 1024 * 1024;
/** Table map, headers and the statement's own words beside the images. */
const OVERHEAD = 256 * 1024;

/** A table as rows for it are written: the shape's bytes, possibly renamed, and its real name for messages. */
export interface WriteTable extends TableName {
  readonly shape: Uint8Array;
}
export interface RowSwitches {
  readonly foreignKeyChecks: boolean;
  readonly uniqueChecks: boolean;
}
export const UNCHECKED_ROWS: RowSwitches = { foreignKeyChecks: false, uniqueChecks: true };

export class BinlogWriter {
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private pendingTables = new Map<string, TableName>();
  private nextTableId = 1;
  /** The statement that the server is at: the next is made ready meanwhile, and sent only once this one is known to be done. */
  private underWay: Promise<void> = Promise.resolve();

  constructor(
    private readonly session: TargetSession,
    private readonly doing: string,
  ) {}

  /** Rows of one operation, in order. Sent when enough has gathered; `flush` sends the rest. */
  async write(table: WriteTable, operation: Operation, rows: RowImages, switches: RowSwitches): Promise<void> {
    const step = operation === 'update' ? 2 : 1;
    for (let from = 0; from < rows.images; ) {
      const start = offsetAt(rows, from);
      let to = from + step;
      while (to < rows.images && offsetAt(rows, to + step) - start <= EVENT_BYTES) to += step;
      await this.add(table, operation, rows.bytes.subarray(start, offsetAt(rows, to)), switches);
      from = to;
    }
  }

  private async add(table: WriteTable, operation: Operation, images: Uint8Array, switches: RowSwitches): Promise<void> {
    this.checkSize(table, images.length);
    if (this.pendingBytes > 0 && this.pendingBytes + images.length > Math.min(STATEMENT_BYTES, this.room())) await this.send();
    const { serverId, engine } = this.session;
    const flags =
      ROWS_FLAG.STATEMENT_END |
      // What the source holds has passed its checks, or its sessions didn't want any.
      (engine === 'mariadb' ? ROWS_FLAG.NO_CHECK_CONSTRAINTS : 0) |
      (switches.foreignKeyChecks ? 0 : ROWS_FLAG.NO_FOREIGN_KEY_CHECKS) |
      (switches.uniqueChecks ? 0 : ROWS_FLAG.RELAXED_UNIQUE_CHECKS);
    const id = this.nextTableId++;
    const map = tableMapEvent(serverId, id, table.shape);
    const rows = rowsEvent(engine, serverId, id, operation, columnCount(table.shape), images, flags);
    this.pending.push(map, rows);
    this.pendingBytes += map.length + rows.length;
    this.pendingTables.set(nameOf(table), table);
  }

  /** What fits in one statement: base64 makes 4 bytes of 3. */
  private room(): number {
    return Math.floor((this.session.maxAllowedPacket * 3) / 4) - OVERHEAD;
  }

  private checkSize(table: TableName, bytes: number): void {
    if (bytes <= this.room()) return;
    const needed = Math.min(2 ** 30, 2 ** Math.ceil(Math.log2(((bytes + OVERHEAD) * 4) / 3)));
    throw new SrdfError('apply-failed', {
      tried: `${this.doing}, table ${nameOf(table)}`,
      found: `a row of ${bytes} bytes, and the target’s max_allowed_packet is ${this.session.maxAllowedPacket}`,
      action: `On the target: SET GLOBAL max_allowed_packet = ${needed}, also in its configuration file; then retry the dead letter`,
    });
  }

  /** All that was written has been taken by the server when this returns. */
  async flush(): Promise<void> {
    await this.send();
    await this.underWay;
  }

  /** Never a second statement behind one that failed: the server may have ended the transaction with it, and would take the rest outside of it. */
  private async send(): Promise<void> {
    if (this.pending.length === 0) return;
    const statement = `BINLOG '${Buffer.concat(this.pending, this.pendingBytes).toString('base64')}'`;
    const tables = this.pendingTables;
    this.pending = [];
    this.pendingBytes = 0;
    this.pendingTables = new Map();
    await this.underWay;
    this.underWay = this.run(statement, tables);
    this.underWay.catch(() => undefined); // told by the next `send` or `flush`
  }

  private async run(statement: string, tables: ReadonlyMap<string, TableName>): Promise<void> {
    try {
      await this.session.connection.query(statement);
    } catch (error) {
      throw applyError(error, this.doing, tableOfError(serverError(error).message, [...tables.values()]));
    }
  }
}

/** The server names the table but not always its database: of what was sent, those that fit. */
function tableOfError(message: string, tables: readonly TableName[]): string {
  const named = tables.filter(
    (it) => message.includes(`'${it.table}'`) || message.includes(`'${it.table}.`) || message.includes(`${it.database}.${it.table}`),
  );
  const fitting = named.length > 0 ? named : tables;
  return fitting.slice(0, 3).map(nameOf).join(' or ') + (fitting.length > 3 ? ' or another of the wagon' : '');
}
