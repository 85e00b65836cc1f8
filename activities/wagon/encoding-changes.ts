/**
 * Row changes to bytes and back. Column-wise: first what each run is, then the lengths of all images, then all images
 * one after the other, since zstd finds equal things best when they stand together.
 */
import type { Operation, RowImages } from '../engines/engine.js';
import { imageBytes, imagesPerRow, offsetAt } from '../engines/row-images.js';
import type { ChangesBody, NetChanges, OrderedRun, TableShape } from './body.js';
import type { ByteReader } from './byte-reader.js';
import type { ByteWriter } from './byte-writer.js';
import { LIMITS } from './limits.js';

const OPERATIONS = ['insert', 'update', 'delete'] as const satisfies readonly Operation[];
const FOREIGN_KEY_CHECKS = 1;
const UNIQUE_CHECKS = 2;

export function changesSize(body: ChangesBody): number {
  let size = 0;
  for (const table of body.tables) size += table.bytes.length + 512;
  for (const rows of imagesOf(body)) size += imageBytes(rows) + 4 * rows.images + 32;
  return size;
}

function* imagesOf(body: Pick<ChangesBody, 'ordered' | 'net'>): Generator<RowImages> {
  for (const run of body.ordered) yield run.rows;
  for (const net of body.net) {
    yield net.deletes;
    yield net.updates;
    yield net.inserts;
  }
}

export function writeChanges(writer: ByteWriter, body: ChangesBody): void {
  const { counts, committed } = body;
  for (const count of [counts.transactions, counts.captured, counts.carried, counts.logBytes, committed.first, committed.last]) {
    writer.u53(count);
  }
  writer.text(body.rowFormat);
  writer.u32(body.tables.length);
  for (const table of body.tables) {
    writer.text(table.database);
    writer.text(table.table);
    writer.bytes(table.bytes);
  }
  writer.u32(body.ordered.length);
  for (const run of body.ordered) {
    writer.u32(run.table);
    writer.u8(OPERATIONS.indexOf(run.operation));
    writer.u8((run.foreignKeyChecks ? FOREIGN_KEY_CHECKS : 0) | (run.uniqueChecks ? UNIQUE_CHECKS : 0));
    writer.u32(run.rows.images);
  }
  writer.u32(body.net.length);
  for (const net of body.net) {
    writer.u32(net.table);
    for (const rows of [net.deletes, net.updates, net.inserts]) writer.u32(rows.images);
  }
  writeImages(writer, body);
}

/** Lengths in the narrowest of 1, 2 or 4 bytes that holds the longest; then the bytes. */
function writeImages(writer: ByteWriter, body: ChangesBody): void {
  let longest = 0;
  let total = 0;
  for (const rows of imagesOf(body)) {
    total += imageBytes(rows);
    for (let image = 0; image < rows.images; image++) longest = Math.max(longest, offsetAt(rows, image + 1) - offsetAt(rows, image));
  }
  const width = widthOf(longest);
  writer.u8(width);
  writer.u32(total);
  for (const rows of imagesOf(body)) {
    for (let image = 0; image < rows.images; image++) {
      const length = offsetAt(rows, image + 1) - offsetAt(rows, image);
      if (width === 1) writer.u8(length);
      else if (width === 2) writer.u16(length);
      else writer.u32(length);
    }
  }
  for (const rows of imagesOf(body)) {
    const start = offsetAt(rows, 0);
    writer.raw(rows.bytes.subarray(start, start + imageBytes(rows)));
  }
}

function widthOf(longest: number): 1 | 2 | 4 {
  return longest < 0x100 ? 1 : longest < 0x1_0000 ? 2 : 4;
}

interface RunHead {
  readonly table: number;
  readonly operation: Operation;
  readonly flags: number;
  readonly images: number;
}
interface NetHead {
  readonly table: number;
  readonly deletes: number;
  readonly updates: number;
  readonly inserts: number;
}

export function readChanges(reader: ByteReader): ChangesBody {
  const counts = { transactions: reader.u53(), captured: reader.u53(), carried: reader.u53(), logBytes: reader.u53() };
  const committed = { first: reader.u53(), last: reader.u53() };
  const rowFormat = reader.text(LIMITS.nameBytes);
  const tables: TableShape[] = Array.from({ length: reader.count(12) }, () => ({
    database: reader.text(LIMITS.nameBytes),
    table: reader.text(LIMITS.nameBytes),
    bytes: reader.bytes(LIMITS.tableShapeBytes),
  }));
  const table = (): number => {
    const index = reader.u32();
    return index < tables.length ? index : reader.refuse(`table ${index} of ${tables.length}`);
  };
  const runs: RunHead[] = Array.from({ length: reader.count(10) }, () => {
    const head = { table: table(), operation: reader.oneOf(OPERATIONS, 'operation'), flags: reader.u8(), images: reader.u32() };
    if (head.flags > (FOREIGN_KEY_CHECKS | UNIQUE_CHECKS)) reader.refuse(`unknown flags ${head.flags}`);
    if (head.images % imagesPerRow(head.operation) !== 0) reader.refuse('an update without its after image');
    return head;
  });
  const nets: NetHead[] = Array.from({ length: reader.count(16) }, () => {
    const head = { table: table(), deletes: reader.u32(), updates: reader.u32(), inserts: reader.u32() };
    if (head.updates % 2 !== 0) reader.refuse('an update without its after image');
    return head;
  });
  if (new Set(nets.map((net) => net.table)).size !== nets.length) reader.refuse('two net effects for one table');

  let images = 0;
  let carried = 0;
  for (const run of runs) {
    images += run.images;
    carried += run.images / imagesPerRow(run.operation);
  }
  for (const net of nets) {
    images += net.deletes + net.updates + net.inserts;
    carried += net.deletes + net.updates / 2 + net.inserts;
  }
  if (carried !== counts.carried) reader.refuse(`${counts.carried} changes counted, ${carried} carried`);
  const next = readImages(reader, images);
  const ordered: OrderedRun[] = runs.map((run) => ({
    table: run.table,
    operation: run.operation,
    rows: next(run.images),
    foreignKeyChecks: (run.flags & FOREIGN_KEY_CHECKS) !== 0,
    uniqueChecks: (run.flags & UNIQUE_CHECKS) !== 0,
  }));
  const net: NetChanges[] = nets.map((head) => ({
    table: head.table,
    deletes: next(head.deletes),
    updates: next(head.updates),
    inserts: next(head.inserts),
  }));
  return { kind: 'changes', rowFormat, tables, ordered, net, counts, committed };
}

/** Hands out the images in order; all share one block of bytes and one list of offsets. */
function readImages(reader: ByteReader, images: number): (count: number) => RowImages {
  const width = reader.u8();
  if (width !== 1 && width !== 2 && width !== 4) reader.refuse(`lengths of ${width} bytes`);
  const total = reader.u32();
  if (images * width + total > reader.remaining)
    reader.refuse(`${images} images of ${total} bytes declared, ${reader.remaining} bytes left`);
  const lengths = reader.raw(images * width);
  const view = new DataView(lengths.buffer, lengths.byteOffset, lengths.byteLength);
  const offsets = new Int32Array(images + 1);
  let at = 0;
  let longest = 0;
  for (let image = 0; image < images; image++) {
    const length = width === 1 ? view.getUint8(image) : width === 2 ? view.getUint16(image * 2, true) : view.getUint32(image * 4, true);
    if (length > longest) longest = length;
    at += length;
    if (at > total) reader.refuse('row images longer than declared');
    offsets[image + 1] = at;
  }
  if (at !== total) reader.refuse('row images shorter than declared');
  if (widthOf(longest) !== width) reader.refuse('lengths wider than needed');
  const bytes = reader.raw(total);
  let first = 0;
  return (count) => {
    const rows = { bytes, offsets, first, images: count };
    first += count;
    return rows;
  };
}
