/**
 * Compaction: several changes of one row inside a wagon become their net effect. Pure.
 *
 * Allowed only where it can't change the result. Source order is kept, for a whole component of tables that foreign keys
 * connect, when
 * - a table in it has no primary key: its rows have no identity to net by;
 * - a parent of a cascading foreign key loses a row or changes a referenced column: the source's server then changed
 *   children without telling the log (MySQL manual, "InnoDB and FOREIGN KEY Constraints": cascaded actions aren't in the row log),
 *   and only the same order makes the target's server change the same children;
 * - a table in it appears in two forms;
 * - the images of a key don't follow from each other, as when something unseen changed the row in between;
 * - nothing certain is known of foreign keys (after a DDL statement).
 * Foreign keys that only refuse (RESTRICT, NO ACTION) have been checked by the source and never change a row.
 * Secondary unique keys need no care here: the target applies the net changes of a table deletes first, inserts last.
 */
import type { ForeignKeyFact, Operation, RowImages } from '../engines/engine.js';
import { concatImages, imagesPerRow, offsetAt } from '../engines/row-images.js';
import type { NetChanges, OrderedRun, RowFormat, RowReader, TableShape } from './body.js';
import { componentKey, type ForeignKeyComponents, foreignKeyComponents } from './foreign-key-components.js';
import { NetTable } from './net-table.js';

/** One rows event as the log told it. */
export interface CapturedRun {
  readonly table: TableShape;
  readonly operation: Operation;
  readonly rows: RowImages;
  readonly foreignKeyChecks: boolean;
  readonly uniqueChecks: boolean;
}
/** `unknown`: the facts may be stale, so everything stays in source order. */
export type KnownForeignKeys = readonly ForeignKeyFact[] | 'unknown';

export interface Compacted {
  readonly tables: readonly TableShape[];
  readonly ordered: readonly OrderedRun[];
  readonly net: readonly NetChanges[];
  /** Row changes left to apply. */
  readonly carried: number;
}

interface KnownTable {
  readonly index: number;
  readonly shape: TableShape;
  readonly reader: RowReader;
  readonly component: string;
  /** Columns that cascading foreign keys refer to. */
  readonly references: readonly (readonly string[])[];
  /** null until something of it is netted. */
  net: NetTable | null;
}

/** `from`: what the target's rows are like, see `NetTable`. */
export function compact(
  runs: readonly CapturedRun[],
  rowFormat: RowFormat,
  foreignKeys: KnownForeignKeys,
  from: 'known' | 'any' = 'known',
): Compacted {
  const components = foreignKeyComponents(foreignKeys === 'unknown' ? [] : foreignKeys);
  const tables: KnownTable[] = [];
  const tableOf = tablesOf(runs, rowFormat, components, tables);
  const ordered = foreignKeys === 'unknown' ? new Set(tables.map((table) => table.component)) : orderedComponents(tables, runs, tableOf);

  const sources = runs.map((run) => run.rows.bytes);
  for (const [index, run] of runs.entries()) {
    const table = at(tableOf, index);
    if (ordered.has(table.component)) continue;
    table.net ??= new NetTable(table.reader, sources, from);
    if (!table.net.add(index, run.operation, run.rows)) ordered.add(table.component);
  }

  const netted: NetChanges[] = [];
  let carried = 0;
  for (const table of tables) {
    if (table.net === null || ordered.has(table.component)) continue;
    const changes = table.net.changes(table.index);
    const rows = changes.deletes.images + changes.updates.images / 2 + changes.inserts.images;
    if (rows > 0) netted.push(changes);
    carried += rows;
  }
  const kept = orderedRuns(runs, tableOf, ordered);
  for (const run of kept) carried += run.rows.images / imagesPerRow(run.operation);
  return { ...onlyUsedTables(tables, kept, netted), carried };
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new RangeError(`entry ${index} of ${list.length}`);
  return value;
}

/** The table of each run; fills `tables` with one entry a distinct shape. */
function tablesOf(
  runs: readonly CapturedRun[],
  rowFormat: RowFormat,
  components: ForeignKeyComponents,
  tables: KnownTable[],
): readonly KnownTable[] {
  const byShape = new Map<TableShape, KnownTable>();
  const byText = new Map<string, KnownTable>();
  return runs.map(({ table: shape }) => {
    const known = byShape.get(shape);
    if (known !== undefined) return known;
    const text = `${shape.database}\u0000${shape.table}\u0000${Buffer.from(shape.bytes.buffer, shape.bytes.byteOffset, shape.bytes.length).toString('latin1')}`;
    let table = byText.get(text);
    if (table === undefined) {
      table = {
        index: tables.length,
        shape,
        reader: rowFormat.open(shape),
        component: components.componentOf(shape),
        references: components.cascadingReferences(shape),
        net: null,
      };
      tables.push(table);
      byText.set(text, table);
    }
    byShape.set(shape, table);
    return table;
  });
}

function orderedComponents(tables: readonly KnownTable[], runs: readonly CapturedRun[], tableOf: readonly KnownTable[]): Set<string> {
  const ordered = new Set<string>();
  const names = new Set<string>();
  for (const table of tables) {
    const name = componentKey(table.shape);
    if (!table.reader.keyed || names.has(name)) ordered.add(table.component);
    names.add(name);
  }
  for (const [index, run] of runs.entries()) {
    if (run.operation === 'insert') continue;
    const table = at(tableOf, index);
    if (ordered.has(table.component)) continue;
    const { reader, references } = table;
    if (references.length > 0 && touchesReference(reader, run, references)) ordered.add(table.component);
  }
  return ordered;
}

function touchesReference(reader: RowReader, run: CapturedRun, references: readonly (readonly string[])[]): boolean {
  if (run.operation === 'delete') return run.rows.images > 0;
  // A referenced column the log doesn't name: what is known of the foreign keys and the log's table differ. Source order is always right.
  if (references.some((columns) => columns.some((column) => !reader.columns.includes(column)))) return true;
  const { bytes } = run.rows;
  for (let image = 0; image < run.rows.images; image += 2) {
    const before = offsetAt(run.rows, image);
    const after = offsetAt(run.rows, image + 1);
    for (const columns of references) if (!reader.equalIn(columns, bytes, before, bytes, after)) return true;
  }
  return false;
}

/** In source order; neighbours that differ in nothing but their rows become one run. */
function orderedRuns(runs: readonly CapturedRun[], tableOf: readonly KnownTable[], ordered: ReadonlySet<string>): OrderedRun[] {
  const result: OrderedRun[] = [];
  let parts: RowImages[] = [];
  let open: { readonly run: CapturedRun; readonly table: number } | null = null;
  const close = () => {
    if (open === null) return;
    const { operation, foreignKeyChecks, uniqueChecks } = open.run;
    result.push({ table: open.table, operation, rows: concatImages(parts), foreignKeyChecks, uniqueChecks });
    parts = [];
  };
  for (const [index, run] of runs.entries()) {
    const table = at(tableOf, index);
    if (!ordered.has(table.component) || run.rows.images === 0) continue;
    const same =
      open !== null &&
      open.table === table.index &&
      open.run.operation === run.operation &&
      open.run.foreignKeyChecks === run.foreignKeyChecks &&
      open.run.uniqueChecks === run.uniqueChecks;
    if (!same) {
      close();
      open = { run, table: table.index };
    }
    parts.push(run.rows);
  }
  close();
  return result;
}

/** Drops tables of which nothing is left, and renumbers. */
function onlyUsedTables(
  tables: readonly KnownTable[],
  ordered: readonly OrderedRun[],
  net: readonly NetChanges[],
): Pick<Compacted, 'tables' | 'ordered' | 'net'> {
  const used = new Set([...ordered.map((run) => run.table), ...net.map((changes) => changes.table)]);
  if (used.size === tables.length) return { tables: tables.map((table) => table.shape), ordered, net };
  const renumbered = new Map<number, number>();
  const kept: TableShape[] = [];
  for (const table of tables) {
    if (!used.has(table.index)) continue;
    renumbered.set(table.index, kept.length);
    kept.push(table.shape);
  }
  const renumber = <T extends { readonly table: number }>(it: T): T => ({ ...it, table: renumbered.get(it.table) ?? -1 });
  return { tables: kept, ordered: ordered.map(renumber), net: net.map(renumber) };
}
