/**
 * Applies changes to tables that were copied while they changed: whatever a row is now, afterwards it is as the source had it
 * at the end of the wagon. What a later wagon will write again may be overwritten; nothing is ever doubled.
 */
import type { Connection } from 'mysql2/promise';
import type { TableName } from '../../../vocabulary.js';
import type { ChangesBody, OrderedRun } from '../../../wagon/body.js';
import type { RowImages } from '../../engine.js';
import { EXACT_SQL_MODE } from '../connection.js';
import { nameOf } from '../ranges/sql-literals.js';
import { applyError } from './apply-errors.js';
import { type BinlogWriter, UNCHECKED_ROWS, type WriteTable } from './binlog-writer.js';
import { keysBehind, refuseMovedKeys, refuseUnlikeCascade, unlikeChildren } from './catch-up-cascades.js';
import { leadingKeys, meetTaken, rememberTaken, type TakenContext } from './catch-up-taken.js';
import type { TargetForeignKey } from './foreign-keys.js';
import { batchesWithoutRepeat, oneSide } from './net-order.js';
import { renamedShape } from './row-events.js';
import { clearStaged, deleteStaged, replaceStaged, stagingName } from './staging.js';
import { type BodyTables, count, type RowCounts, writeOrdered } from './strict-apply.js';
import type { OpenTable } from './table-facts.js';
import { SETTLED, UNCHECKED } from './target-session.js';

/** Values are copied between columns of one type: strictness could only refuse what is stored already (ENUM's error value). */
const COPY_SQL_MODE = EXACT_SQL_MODE.replace('STRICT_ALL_TABLES,', '');

export interface CatchUpContext extends TakenContext {
  readonly writer: BinlogWriter;
  /** The table's changes are contained in what was copied. */
  contained(table: TableName): boolean;
}

type Target = OpenTable & { readonly write: WriteTable };

export async function applyCatchingUp(body: ChangesBody, tables: BodyTables, context: CatchUpContext, counts: RowCounts): Promise<void> {
  const { writer } = context;
  for (const run of body.ordered) {
    await refuseUnlike(body, run, context);
    if (isContained(body, run.table, context)) continue;
    const table = await tables.open(run.table);
    await applyRun(run, table, context);
    count(counts, run.operation, run.rows);
  }
  for (const net of body.net) {
    if (isContained(body, net.table, context)) continue;
    const table = await tables.open(net.table);
    await removeStaged(net.deletes, table, context, 'there');
    // Before and after have one key here. Of a table that others hang on no deletion is netted: such a row wasn't made anew in between.
    await putStaged(oneSide(net.updates, 1), table, context, 'there');
    await putStaged(net.inserts, table, context, 'anew');
    count(counts, 'delete', net.deletes);
    count(counts, 'update', net.updates);
    count(counts, 'insert', net.inserts);
  }
  await writer.flush();
}

/** Asked before the table is looked at: it may have another form by now than these changes have. */
function isContained(body: ChangesBody, index: number, context: CatchUpContext): boolean {
  const shape = body.tables[index];
  return shape !== undefined && context.contained(shape);
}

async function refuseUnlike(body: ChangesBody, run: OrderedRun, context: CatchUpContext): Promise<void> {
  const shape = body.tables[run.table];
  if (shape === undefined || run.operation === 'insert' || !run.foreignKeyChecks) return;
  const keys = await context.foreignKeys();
  const unlike = unlikeChildren(keys, shape, context.contained).map((key) => ({ key, behind: keysBehind(keys, key, context.contained) }));
  if (unlike.length === 0) return;
  // What is written so far must be there to be seen.
  await context.writer.flush();
  await refuseUnlikeCascade(context.connection, run, shape, unlike, context.doing).catch((error: unknown) => {
    throw applyError(error, context.doing, nameOf(shape));
  });
}

async function applyRun(run: OrderedRun, table: Target, context: CatchUpContext): Promise<void> {
  const { writer } = context;
  const { keyed } = table.reader;
  const acting = await actingKeys(run, table, context);
  if (run.operation === 'delete' && acting.length > 0) return await deleteActing(run, table, context);
  if (!keyed) return await writeOrdered(run, table, writer);
  if (run.operation === 'insert') return await putStaged(run.rows, table, context, 'anew');
  // Without foreign keys' actions: what hangs on such a row has stayed at the source.
  if (run.operation === 'delete') return await removeStaged(run.rows, table, context, 'there');
  refuseMovedKeys(run, table.reader, acting, context.doing);
  for (const updates of batchesWithoutRepeat(run.rows, table.reader)) {
    await removeStaged(oneSide(updates, 0), table, context, 'there');
    await putStaged(oneSide(updates, 1), table, context, 'there');
  }
}

async function actingKeys(run: OrderedRun, { facts }: Target, context: CatchUpContext): Promise<readonly TargetForeignKey[]> {
  if (run.operation === 'insert' || !run.foreignKeyChecks) return [];
  return (await context.foreignKeys()).filter(
    (it) => it.cascades && it.parent.database === facts.database && it.parent.table === facts.table,
  );
}

/** The row as it was, then its deletion as the source did it: the foreign key's action happens here as it did there. */
async function deleteActing(run: OrderedRun, table: Target, context: CatchUpContext): Promise<void> {
  const { writer } = context;
  const { keyed } = table.reader;
  const leading = leadingKeys(await context.foreignKeys(), table.facts);
  // A row without identity is as it was: its table was copied at one moment.
  if (keyed || leading.length > 0)
    await whileStaged(run.rows, table, context, async (connection) => {
      if (keyed) await connection.query(replaceStaged(table.facts));
      await rememberTaken(leading, context);
    });
  await writer.write(table.write, 'delete', run.rows, run);
  await writer.flush();
}

type Event = Parameters<typeof meetTaken>[1];

async function putStaged(rows: RowImages, table: Target, context: CatchUpContext, event: Event): Promise<void> {
  await throughStaging(rows, table, context, replaceStaged(table.facts), event);
}
async function removeStaged(rows: RowImages, table: Target, context: CatchUpContext, event: Event): Promise<void> {
  await throughStaging(rows, table, context, deleteStaged(table.facts), event);
}
async function throughStaging(rows: RowImages, table: Target, context: CatchUpContext, statement: string, event: Event): Promise<void> {
  await whileStaged(rows, table, context, async (connection) => {
    await meetTaken(table.facts, event, context);
    await connection.query(statement);
  });
}

async function whileStaged(
  rows: RowImages,
  table: Target,
  context: CatchUpContext,
  use: (connection: Connection) => Promise<void>,
): Promise<void> {
  if (rows.images === 0) return;
  const { connection, writer, doing } = context;
  const staging = stagingName(table.facts);
  await context.stage(table.facts);
  await writer.flush();
  await writer.write(
    { ...staging, shape: renamedShape(table.write.shape, staging.database, staging.table) },
    'insert',
    rows,
    UNCHECKED_ROWS,
  );
  await writer.flush();
  try {
    await connection.query(`${UNCHECKED}, sql_mode='${COPY_SQL_MODE}'`);
    await use(connection);
    await connection.query(clearStaged(table.facts));
    await connection.query(`${SETTLED}, sql_mode='${EXACT_SQL_MODE}'`);
  } catch (error) {
    throw applyError(error, doing, nameOf(table.facts));
  }
}
