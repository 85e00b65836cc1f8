/** Reads the rows of one range as bodies of bounded size, each value in the form in which it can be stored again exactly. */
import type { Connection } from 'mysql2/promise';
import type { Position, TableName } from '../../../vocabulary.js';
import type { RangeBody } from '../../../wagon/body.js';
import type { RangePlan } from '../../engine.js';
import { type Cell, RAW_RESULTS, streamRows } from './exact-query.js';
import { keysOf } from './plan-ranges.js';
import { rangeCondition } from './range-condition.js';
import { quoteTable } from './sql-literals.js';
import { copyColumn, readColumns, requireColumns, requireKey, type TableColumn } from './table-columns.js';

const NULL_LENGTH = 0xffff_ffff;

/**
 * One consistent read a range: parts of one call belong together, parts of two calls must not be mixed.
 * `asOf`: the position of the snapshot that `connection` stands in; null for keyed tables, where the catch-up evens out what
 * changed while ranges were read.
 */
export async function* readRange(
  connection: Connection,
  table: TableName,
  plan: RangePlan,
  range: number,
  maxBytes: number,
  asOf: Position | null,
): AsyncGenerator<RangeBody> {
  await connection.query(RAW_RESULTS);
  const all = await readColumns(connection, table);
  requireColumns(table, all);
  await requireKey(connection, table, plan.keyColumns);
  const columns = all.filter((it) => !it.generated).map((it) => ({ name: it.name, ...copyColumn(it) }));
  const keys = keysOf(table, all, plan.keyColumns);
  const sql = `SELECT ${columns.map((it) => it.select).join(', ')} FROM ${quoteTable(table)} WHERE ${rangeCondition(
    keys.map((it) => it.expression),
    plan,
    range,
  )}`;
  const head = { kind: 'range' as const, ...nameOnly(table), columns: columns.map(({ name, encoding }) => ({ name, encoding })), asOf };
  let packed = new PackedRows();
  let part = 0;
  for await (const row of streamRows(connection, sql)) {
    if (packed.rows > 0 && packed.bytes + sizeOf(row) > maxBytes) {
      yield { ...head, values: packed.take(), rows: packed.rows, part: part++, last: false };
      packed = new PackedRows();
    }
    packed.add(row);
  }
  yield { ...head, values: packed.take(), rows: packed.rows, part, last: true };
}
const nameOnly = ({ database, table }: TableName): TableName => ({ database, table });
const sizeOf = (row: readonly Cell[]): number => row.reduce((sum, cell) => sum + 4 + (cell?.length ?? 0), 0);

class PackedRows {
  rows = 0;
  bytes = 0;
  private readonly pieces: Buffer[] = [];
  add(row: readonly Cell[]): void {
    const piece = Buffer.allocUnsafe(sizeOf(row));
    let at = 0;
    for (const cell of row) {
      piece.writeUInt32LE(cell === null ? NULL_LENGTH : cell.length, at);
      at += 4;
      if (cell === null) continue;
      piece.set(cell, at);
      at += cell.length;
    }
    this.pieces.push(piece);
    this.rows++;
    this.bytes += piece.length;
  }
  take(): Uint8Array {
    return Buffer.concat(this.pieces, this.bytes);
  }
}

/** The values of a body, row by row. Throws RangeError when they don't fill `rows` × `columns` exactly. */
export function* unpackRows(body: Pick<RangeBody, 'values' | 'rows' | 'columns'>): Generator<Cell[]> {
  const { values } = body;
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  let at = 0;
  for (let row = 0; row < body.rows; row++) {
    const cells: Cell[] = [];
    for (let column = 0; column < body.columns.length; column++) {
      const length = view.getUint32(at, true);
      at += 4;
      if (length === NULL_LENGTH) {
        cells.push(null);
        continue;
      }
      if (at + length > values.length) throw new RangeError('a value ends behind the body');
      cells.push(values.subarray(at, at + length));
      at += length;
    }
    yield cells;
  }
  if (at !== values.length) throw new RangeError('the body holds more than its rows');
}

export const copiedColumns = (columns: readonly TableColumn[]): readonly TableColumn[] => columns.filter((it) => !it.generated);
