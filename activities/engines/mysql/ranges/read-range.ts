/** Reads the rows of one range as bodies of bounded size, each value in the form in which it can be stored again exactly. */
import type { Connection } from 'mysql2/promise';
import type { Position, TableName } from '../../../vocabulary.js';
import type { RangeBody } from '../../../wagon/body.js';
import { packedSize, packRow } from '../../../wagon/range-values.js';
import type { RangePlan } from '../../engine.js';
import { type Cell, RAW_RESULTS, streamRows } from './exact-query.js';
import { keysOf } from './plan-ranges.js';
import { rangeCondition } from './range-condition.js';
import { quoteTable } from './sql-literals.js';
import { copyColumn, readColumns, requireColumns, requireKey } from './table-columns.js';

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
    if (packed.rows > 0 && packed.bytes + packedSize(row) > maxBytes) {
      yield { ...head, values: packed.take(), rows: packed.rows, part: part++, last: false };
      packed = new PackedRows();
    }
    packed.add(row);
  }
  yield { ...head, values: packed.take(), rows: packed.rows, part, last: true };
}
const nameOnly = ({ database, table }: TableName): TableName => ({ database, table });

class PackedRows {
  rows = 0;
  bytes = 0;
  private readonly pieces: Uint8Array[] = [];
  add(row: readonly Cell[]): void {
    const piece = packRow(row);
    this.pieces.push(piece);
    this.rows++;
    this.bytes += piece.length;
  }
  take(): Uint8Array {
    return Buffer.concat(this.pieces, this.bytes);
  }
}
