/** The table maps a log has announced: which table ids are in scope, and how their rows are read. Pure. */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { TableShape } from '../../../wagon/body.js';
import type { Selection } from '../../engine.js';
import type { LogPlace } from './log-place.js';
import { isWithoutRows, type RowsEventKind } from './rows-event.js';
import { tableInScope } from './scope.js';
import { parseTableMap, readTableName, type TableMap } from './table-map.js';

export interface OpenTable {
  readonly shape: TableShape;
  readonly map: TableMap;
}

/** Ids rise as tables are opened: forgotten between transactions, each of which announces its own. */
const MANY = 4096;

export class OpenTables {
  private readonly byId = new Map<number, { readonly body: DataView; readonly inside: OpenTable | null }>();
  constructor(
    private readonly selection: Selection,
    private readonly place: LogPlace,
  ) {}

  /** A TABLE_MAP event, `bytes[body, end)`, and a view of it. The same bytes again give the same shape again, the object too. */
  announce(bytes: Buffer, view: DataView, body: number, end: number): void {
    const id = tableId(view, body);
    const known = this.byId.get(id);
    if (known !== undefined && isAt(known.body, view, body + 8, end)) return;
    const own = Buffer.from(bytes.subarray(body + 8, end));
    const name = readTableName(own);
    let inside: OpenTable | null = null;
    if (tableInScope(this.selection, name)) {
      const map = parseTableMap(own);
      if (map.metadata.names === null || map.metadata.names.length !== map.columnCount)
        throw new SrdfError('source-preflight', {
          tried: `${this.place.tried}, the table map of ${name.database}.${name.table}`,
          found: 'no column names: binlog_row_metadata was not FULL when it was written',
          action: 'On the source: SET GLOBAL binlog_row_metadata=FULL; then establish the stream again',
        });
      inside = { shape: { database: name.database, table: name.table, bytes: own }, map };
    }
    this.byId.set(id, { body: new DataView(own.buffer, own.byteOffset, own.length), inside });
  }

  /**
   * The event that ends a statement without rows, under the id of no table: `~0` in 6 bytes (Rows_log_event::do_apply_event of both servers), in 3 in
   * MySQL's documents of old. A server that has opened so many tables gives that id to one of them: by itself it says nothing. `at`: behind the flags.
   */
  isDummy(id: number, event: RowsEventKind, bytes: Buffer, at: number, end: number): boolean {
    if (id !== 0xff_ffff && id !== 0xffff_ffff_ffff) return false;
    return !this.byId.has(id) && isWithoutRows(bytes, at, end, event);
  }
  /** null: out of scope. */
  get(id: number): OpenTable | null {
    const table = this.byId.get(id);
    if (table === undefined) throw this.place.corrupt(`rows of table id ${id} without a table map`);
    return table.inside;
  }
  endOfTransaction(): void {
    if (this.byId.size > MANY) this.byId.clear();
  }
  clear(): void {
    this.byId.clear();
  }
}

/** Of a TABLE_MAP or a rows event: 6 bytes. RangeError where they aren't there. */
export const tableId = (view: DataView, body: number): number => view.getUint16(body + 4, true) * 2 ** 32 + view.getUint32(body, true);

/** Whether these bytes are those from `from` to `end`. As short as they are, a call into the runtime costs more. */
function isAt(these: DataView, view: DataView, from: number, end: number): boolean {
  const { byteLength: length } = these;
  if (end - from !== length) return false;
  let i = 0;
  for (; i + 4 <= length; i += 4) if (these.getInt32(i) !== view.getInt32(from + i)) return false;
  for (; i < length; i++) if (these.getInt8(i) !== view.getInt8(from + i)) return false;
  return true;
}
