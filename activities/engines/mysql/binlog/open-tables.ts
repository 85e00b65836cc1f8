/** The table maps a log has announced: which table ids are in scope, and how their rows are read. Pure. */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { TableShape } from '../../../wagon/body.js';
import type { Selection } from '../../engine.js';
import type { LogPlace } from './log-place.js';
import { tableInScope } from './scope.js';
import { parseTableMap, readTableName, type TableMap } from './table-map.js';

export interface OpenTable {
  readonly shape: TableShape;
  readonly map: TableMap;
}

/** Ids rise as tables are opened: forgotten between transactions, each of which announces its own. */
const MANY = 4096;

export class OpenTables {
  private readonly byId = new Map<number, { readonly body: Buffer; readonly inside: OpenTable | null }>();
  constructor(
    private readonly selection: Selection,
    private readonly place: LogPlace,
  ) {}

  /** A TABLE_MAP event, `bytes[body, end)`. The same bytes again give the same shape again, the object too. */
  announce(bytes: Buffer, body: number, end: number): void {
    const id = bytes.readUIntLE(body, 6);
    const known = this.byId.get(id);
    if (known !== undefined && isAt(known.body, bytes, body + 8, end)) return;
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
    this.byId.set(id, { body: own, inside });
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

/** Whether `bytes[from, end)` are these. As short as they are, a call into the runtime costs more. */
function isAt(these: Buffer, bytes: Buffer, from: number, end: number): boolean {
  const { length } = these;
  if (end - from !== length) return false;
  for (let i = 0; i < length; i++) if (these[i] !== bytes[from + i]) return false;
  return true;
}
