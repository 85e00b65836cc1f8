/**
 * While catching up: a change of a parent that a foreign key's action carries on into other tables, unseen by the log. It can be
 * repeated only where both tables stand at the same point. A table that was copied later than another (its baseline) has the
 * outcome of the action already, or of what came after it.
 */
import type { Connection } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { TableName } from '../../../vocabulary.js';
import type { OrderedRun, RowReader, TableShape } from '../../../wagon/body.js';
import { offsetAt } from '../../row-images.js';
import { decodeRow } from '../binlog/decode-row.js';
import { mysqlRowFormat } from '../binlog/row-format.js';
import { sqlLiteral } from '../binlog/sql-literal.js';
import { parseTableMap, type TableMap } from '../binlog/table-map.js';
import { textRows } from '../ranges/exact-query.js';
import { nameOf, quoteName, quoteTable } from '../ranges/sql-literals.js';
import type { TargetForeignKey } from './foreign-keys.js';

/** Rows asked for in one statement. */
const ROWS_A_QUESTION = 500;
const same = (a: TableName, b: TableName): boolean => a.database === b.database && a.table === b.table;

/** Pure. The cascading foreign keys into tables that don't stand where `parent` stands, or lead on to such a table. */
export function unlikeChildren(
  keys: readonly TargetForeignKey[],
  parent: TableName,
  contained: (table: TableName) => boolean,
): readonly TargetForeignKey[] {
  const stands = contained(parent);
  const leadsAway = (table: TableName, seen: readonly TableName[]): boolean =>
    contained(table) !== stands ||
    keys.some(
      (key) =>
        key.cascades && same(key.parent, table) && !seen.some((it) => same(it, key.child)) && leadsAway(key.child, [...seen, key.child]),
    );
  return keys.filter((key) => key.cascades && same(key.parent, parent) && leadsAway(key.child, [parent, key.child]));
}

/**
 * Pure. Keys behind a table that was copied later, into tables that weren't: which of their rows the action reached went with the
 * rows of the table between.
 */
export function keysBehind(
  keys: readonly TargetForeignKey[],
  first: TargetForeignKey,
  contained: (table: TableName) => boolean,
  seen: readonly TargetForeignKey[] = [],
): readonly TargetForeignKey[] {
  return keys
    .filter((key) => key.cascades && key !== first && !seen.includes(key) && same(key.parent, first.child))
    .flatMap((key) => [
      ...(contained(first.child) && !contained(key.child) ? [key] : []),
      ...keysBehind(keys, key, contained, [...seen, first]),
    ]);
}

/** Throws `bootstrap-unsettled` when rows of such a table hang on a row that `run` deletes or whose key it changes. */
export async function refuseUnlikeCascade(
  connection: Connection,
  run: OrderedRun,
  shape: TableShape,
  unlike: readonly { readonly key: TargetForeignKey; readonly behind: readonly TargetForeignKey[] }[],
  doing: string,
): Promise<void> {
  const map = parseTableMap(Buffer.from(shape.bytes));
  const names = map.metadata.names ?? [];
  const { rows } = run;
  const step = run.operation === 'update' ? 2 : 1;
  const hangs = async (key: TargetForeignKey, condition: string): Promise<boolean> =>
    (await textRows(connection, `SELECT 1 FROM ${quoteTable(key.child)} WHERE ${condition} LIMIT 1`)).length > 0;
  const anything = (key: TargetForeignKey): string => key.childColumns.map((it) => `${quoteName(it)} IS NOT NULL`).join(' AND ');
  for (const { key, behind: all } of unlike) {
    const behind = [...all];
    const columns = key.parentColumns.map((column) => names.indexOf(column));
    const fields = key.childColumns.map(quoteName);
    const asked: string[] = [];
    const ask = async (): Promise<void> => {
      if (asked.length > 0 && (await hangs(key, `(${fields.join(', ')}) IN (${asked.splice(0).join(', ')})`))) throw unsettled(doing, key);
    };
    for (let i = 0; i < rows.images; i += step) {
      const before = referenced(rows.bytes, offsetAt(rows, i), map, columns);
      if (before === 'null' || (step === 2 && sameIn(run, i, shape, key.parentColumns))) continue;
      for (const further of behind.splice(0)) if (await hangs(further, anything(further))) throw unsettled(doing, further);
      if (before === 'unknown') {
        if (await hangs(key, anything(key))) throw unsettled(doing, key);
        break;
      }
      asked.push(before);
      if (asked.length === ROWS_A_QUESTION) await ask();
    }
    await ask();
  }
}

/**
 * Throws `bootstrap-unsettled` when a referenced key moves and a foreign key's ON UPDATE action moves its children along, unseen by the
 * log. A child may have been copied after the move: then it hangs on a key that an older change, applied only now, takes from another
 * row, and nothing in the log would put it right again. Pure.
 */
export function refuseMovedKeys({ rows }: OrderedRun, reader: RowReader, acting: readonly TargetForeignKey[], doing: string): void {
  for (const key of acting) {
    if (!key.updates) continue;
    for (let i = 0; i < rows.images; i += 2) {
      const known = key.parentColumns.every((column) => reader.columns.includes(column));
      if (known && reader.equalIn(key.parentColumns, rows.bytes, offsetAt(rows, i), rows.bytes, offsetAt(rows, i + 1))) continue;
      throw new SrdfError('bootstrap-unsettled', {
        tried: `${doing}, table ${nameOf(key.parent)}`,
        found: `a key that ${nameOf(key.child)} refers to was changed while the two were being copied, and its foreign key carries such a change on (ON UPDATE), which this server doesn't log`,
        action: 'Nothing was applied. Establish the stream again (srdf establish) when nobody changes these keys',
      });
    }
  }
}

const sameIn = ({ rows }: OrderedRun, image: number, shape: TableShape, columns: readonly string[]): boolean =>
  mysqlRowFormat.open(shape).equalIn(columns, rows.bytes, offsetAt(rows, image), rows.bytes, offsetAt(rows, image + 1));

/**
 * The values others refer to, as a row of SQL literals. `null`: a NULL among them, which nothing refers to. `unknown`: a column that was
 * renamed since, or a type whose literal doesn't compare as the foreign key does (text by its collation; UUID and INET6 are bytes in the log).
 */
function referenced(bytes: Uint8Array, start: number, map: TableMap, columns: readonly number[]): string {
  const values = decodeRow(bytes, start, map);
  const chosen = columns.map((column) => values[column]);
  if (chosen.some((it) => it?.kind === 'null')) return 'null';
  const literals = chosen.map((it) => (it?.kind === 'number' || it?.kind === 'temporal' ? sqlLiteral({}, it) : null));
  return literals.includes(null) ? 'unknown' : `(${literals.join(', ')})`;
}

const unsettled = (doing: string, key: TargetForeignKey): SrdfError =>
  new SrdfError('bootstrap-unsettled', {
    tried: `${doing}, table ${nameOf(key.parent)}`,
    found: `a change of it went on into ${nameOf(key.child)} by a foreign key while the two were being copied, and they were copied at different moments because of a changed definition or a missing primary key`,
    action:
      'Nothing was applied. Establish the stream again (srdf establish) when nobody changes definitions; give a table without primary key one, or don’t delete from its parent meanwhile',
  });
