/** Applies a body of changes as they are: a row that isn't as the source says it was is an error of the server. */
import type { ChangesBody, NetChanges, OrderedRun } from '../../../wagon/body.js';
import type { RowImages } from '../../engine.js';
import { type BinlogWriter, UNCHECKED_ROWS, type WriteTable } from './binlog-writer.js';
import { collides, inAnyOrder, splitUpdates } from './net-order.js';
import type { OpenTable } from './table-facts.js';

export interface RowCounts {
  inserted: number;
  updated: number;
  deleted: number;
}
export interface BodyTables {
  /** The table of index `index` in `body.tables`. */
  open(index: number): Promise<OpenTable & { readonly write: WriteTable }>;
}

export async function applyStrictly(body: ChangesBody, tables: BodyTables, writer: BinlogWriter, counts: RowCounts): Promise<void> {
  for (const run of body.ordered) {
    await writeOrdered(run, await tables.open(run.table), writer);
    count(counts, run.operation, run.rows);
  }
  for (const net of body.net) {
    const table = await tables.open(net.table);
    await applyNet(net, table, writer);
    count(counts, 'delete', net.deletes);
    count(counts, 'update', net.updates);
    count(counts, 'insert', net.inserts);
  }
  await writer.flush();
}

/** As the source wrote it, row after row. */
export async function writeOrdered(
  run: OrderedRun,
  table: OpenTable & { readonly write: WriteTable },
  writer: BinlogWriter,
): Promise<void> {
  const events = run.operation === 'update' && !table.reader.keyed ? inAnyOrder(run.rows, table) : [run.rows];
  for (const rows of events) await writer.write(table.write, run.operation, rows, run);
}

/**
 * Deletes, updates, inserts. Where rows could meet on a secondary unique key on the way, updates that touch one become a delete
 * and an insert: with all deletes first, nothing can be in the way of the final images.
 */
async function applyNet(net: NetChanges, table: OpenTable & { readonly write: WriteTable }, writer: BinlogWriter): Promise<void> {
  const { write } = table;
  if (!collides(net, table)) {
    await writer.write(write, 'delete', net.deletes, UNCHECKED_ROWS);
    await writer.write(write, 'update', net.updates, UNCHECKED_ROWS);
    await writer.write(write, 'insert', net.inserts, UNCHECKED_ROWS);
    return;
  }
  const split = splitUpdates(net.updates, table);
  await writer.write(write, 'delete', net.deletes, UNCHECKED_ROWS);
  await writer.write(write, 'delete', split.before, UNCHECKED_ROWS);
  await writer.write(write, 'update', split.plain, UNCHECKED_ROWS);
  await writer.write(write, 'insert', split.after, UNCHECKED_ROWS);
  await writer.write(write, 'insert', net.inserts, UNCHECKED_ROWS);
}

export function count(counts: RowCounts, operation: 'insert' | 'update' | 'delete', rows: RowImages): void {
  const { images } = rows;
  if (operation === 'insert') counts.inserted += images;
  else if (operation === 'delete') counts.deleted += images;
  else counts.updated += images / 2;
}
