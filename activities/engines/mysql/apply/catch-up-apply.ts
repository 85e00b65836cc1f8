/**
 * Applies changes to tables that were copied while they changed: whatever a row is now, afterwards it is as the source had it
 * at the end of the wagon. What a later wagon will write again may be overwritten; nothing is ever doubled.
 */
import type { TableName } from '../../../vocabulary.js';
import type { ChangesBody, OrderedRun } from '../../../wagon/body.js';
import type { RowImages } from '../../engine.js';
import { EXACT_SQL_MODE } from '../connection.js';
import { nameOf } from '../ranges/sql-literals.js';
import { applyError } from './apply-errors.js';
import { type BinlogWriter, UNCHECKED_ROWS, type WriteTable } from './binlog-writer.js';
import { keysBehind, refuseMovedKeys, refuseUnlikeCascade, unlikeChildren } from './catch-up-cascades.js';
import type { TargetForeignKey } from './foreign-keys.js';
import { batchesWithoutRepeat, oneSide } from './net-order.js';
import { renamedShape } from './row-events.js';
import { clearStaged, deleteStaged, replaceStaged, stagingName } from './staging.js';
import { type BodyTables, count, type RowCounts } from './strict-apply.js';
import type { OpenTable } from './table-facts.js';
import { SETTLED, type TargetSession, UNCHECKED } from './target-session.js';

/** Values are copied between columns of one type: strictness could only refuse what is stored already (ENUM's error value). */
const COPY_SQL_MODE = EXACT_SQL_MODE.replace('STRICT_ALL_TABLES,', '');

export interface CatchUpContext {
  readonly session: TargetSession;
  readonly writer: BinlogWriter;
  readonly doing: string;
  /** The table's changes are contained in what was copied. */
  contained(table: TableName): boolean;
  /** The target's. */
  foreignKeys(): Promise<readonly TargetForeignKey[]>;
  /** Makes sure that the staging table is there, empty. */
  stage(table: OpenTable): Promise<void>;
}

type Target = OpenTable & { readonly write: WriteTable };

export async function applyCatchingUp(body: ChangesBody, tables: BodyTables, context: CatchUpContext, counts: RowCounts): Promise<void> {
  const { writer } = context;
  for (const run of body.ordered) {
    await refuseUnlike(body, run, context);
    if (isContained(body, run.table, context)) continue;
    const table = await tables.open(run.table);
    if (table.reader.keyed) await applyRun(run, table, context);
    else await writer.write(table.write, run.operation, run.rows, run);
    count(counts, run.operation, run.rows);
  }
  for (const net of body.net) {
    if (isContained(body, net.table, context)) continue;
    const table = await tables.open(net.table);
    await removeStaged(net.deletes, table, context);
    await putStaged(oneSide(net.updates, 1), table, context);
    await putStaged(net.inserts, table, context);
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
  await refuseUnlikeCascade(context.session.connection, run, shape, unlike, context.doing).catch((error: unknown) => {
    throw applyError(error, context.doing, nameOf(shape));
  });
}

async function applyRun(run: OrderedRun, table: Target, context: CatchUpContext): Promise<void> {
  const { writer } = context;
  if (run.operation === 'insert') return await putStaged(run.rows, table, context);
  const { database, table: name } = table.facts;
  const acting = run.foreignKeyChecks
    ? (await context.foreignKeys()).filter((it) => it.cascades && it.parent.database === database && it.parent.table === name)
    : [];
  if (run.operation === 'delete') {
    if (acting.length === 0) return await removeStaged(run.rows, table, context);
    // The row as it was, then its deletion as the source did it: the foreign key's action happens here as it did there.
    await putStaged(run.rows, table, context);
    await writer.write(table.write, 'delete', run.rows, run);
    return await writer.flush();
  }
  refuseMovedKeys(run, table.reader, acting, context.doing);
  for (const updates of batchesWithoutRepeat(run.rows, table.reader)) {
    await removeStaged(oneSide(updates, 0), table, context);
    await putStaged(oneSide(updates, 1), table, context);
  }
}

async function putStaged(rows: RowImages, table: Target, context: CatchUpContext): Promise<void> {
  await throughStaging(rows, table, context, replaceStaged(table.facts));
}
async function removeStaged(rows: RowImages, table: Target, context: CatchUpContext): Promise<void> {
  await throughStaging(rows, table, context, deleteStaged(table.facts));
}

async function throughStaging(rows: RowImages, table: Target, context: CatchUpContext, statement: string): Promise<void> {
  if (rows.images === 0) return;
  const { session, writer, doing } = context;
  const staging = stagingName(table.facts);
  await context.stage(table);
  await writer.flush();
  await writer.write(
    { ...staging, shape: renamedShape(table.write.shape, staging.database, staging.table) },
    'insert',
    rows,
    UNCHECKED_ROWS,
  );
  await writer.flush();
  try {
    await session.connection.query(`${UNCHECKED}, sql_mode='${COPY_SQL_MODE}'`);
    await session.connection.query(statement);
    await session.connection.query(clearStaged(table.facts));
    await session.connection.query(`${SETTLED}, sql_mode='${EXACT_SQL_MODE}'`);
  } catch (error) {
    throw applyError(error, doing, nameOf(table.facts));
  }
}
