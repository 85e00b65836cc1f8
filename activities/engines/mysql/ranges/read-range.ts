/** Reads the rows of one range as bodies of bounded size, each value in the form in which it can be stored again exactly. */
import type { Connection } from 'mysql2/promise';
import type { Position, TableName } from '../../../vocabulary.js';
import type { RangeBody } from '../../../wagon/body.js';
import type { RangePlan } from '../../engine.js';
import { RAW_RESULTS } from './exact-query.js';
import { RowPacker } from './packed-rows.js';
import { keysOf } from './plan-ranges.js';
import { rangeCondition } from './range-condition.js';
import { selectPackets } from './select-packets.js';
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
  const packer = new RowPacker(columns.length, maxBytes);
  let part = 0;
  for await (const full of selectPackets(connection, sql, (bytes, start, end) => packer.add(bytes, start, end)))
    yield { ...head, ...full, part: part++, last: false };
  yield { ...head, ...packer.take(), part, last: true };
}
const nameOnly = ({ database, table }: TableName): TableName => ({ database, table });
