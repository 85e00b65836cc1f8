/** Transactions that move the ledger: what they read under lock, what they write at their end. */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import { faultPoint } from '../../../fault-points.js';
import type { Position, StreamName, TableName } from '../../../vocabulary.js';
import type { DdlClassification, Ledger, WagonPlace } from '../../engine.js';
import { type Decision, decide, ledgerAfter } from '../ledger.js';
import { reached } from '../position.js';
import { serverError } from '../server-error.js';
import { applyError } from './apply-errors.js';
import { moveLedgerRow, readLedgerRow } from './ledger-rows.js';
import { SETTLED } from './target-session.js';

export const describeWagons = (places: readonly WagonPlace[]): string => {
  const [first, last] = [places[0], places.at(-1)];
  const numbers = first?.sequence === last?.sequence ? `wagon ${first?.sequence}` : `wagons ${first?.sequence} to ${last?.sequence}`;
  return `applying ${numbers} of stream ${first?.stream}`;
};

/** Errors of the server inside become those of the catalogue; others pass. */
export async function guarded<T>(doing: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw applyError(error, doing, null);
  }
}

/** Begins a transaction with the ledger's row locked and decides. Refusals are thrown. */
export async function beginFenced(
  connection: Connection,
  places: readonly WagonPlace[],
  doing: string,
): Promise<{ readonly ledger: Ledger; readonly apply: boolean }> {
  const stream = places[0]?.stream;
  const ledger = await guarded(doing, async () => {
    await connection.query('START TRANSACTION');
    return stream === undefined ? null : await readLedgerRow(connection, stream, true);
  });
  const decision: Decision = decide(ledger, places);
  if (decision.do === 'refuse') throw new SrdfError(decision.code, { tried: doing, found: decision.found, action: decision.action });
  if (ledger === null) throw new Error('decide() lets nothing pass without a ledger');
  return { ledger, apply: decision.do === 'apply' };
}

/** Moves the ledger behind `last` and commits. A catch-up that ends here forgets the bootstrap in the same transaction. */
export async function commitMoved(connection: Connection, ledger: Ledger, last: WagonPlace, doing: string): Promise<Ledger> {
  const passed = ledger.consistentFrom !== null && reached(last.positionTo, ledger.consistentFrom);
  const after = ledgerAfter(ledger, last, passed, Date.now());
  await guarded(doing, async () => {
    await faultPoint('rows-written');
    await connection.query(SETTLED);
    if (after.phase === 'consistent' && ledger.phase !== 'consistent') await forgetBootstrap(connection, ledger.stream);
    await moveLedgerRow(connection, ledger, after);
    await faultPoint('ledger-moved');
    await connection.query('COMMIT');
    await faultPoint('committed');
  });
  return after;
}

export async function forgetBootstrap(connection: Connection, stream: StreamName): Promise<void> {
  for (const table of ['table_baselines', 'bootstrap_ranges', 'bootstrap_tables'])
    await connection.query(`DELETE FROM srdf.${table} WHERE stream = ?`, [stream]);
  await forgetTaken(connection, stream);
}

/** What deletions took during a catch-up. 1146, no such table: the copy began under a version that remembered nothing of it. */
async function forgetTaken(connection: Connection, stream: StreamName): Promise<void> {
  await connection.query('DELETE FROM srdf.taken_rows WHERE stream = ?', [stream]).catch((error: unknown) => {
    if (serverError(error).errno !== 1146) throw error;
  });
}

/** From which position on the log counts for an object that was copied. */
export interface Baseline extends TableName {
  readonly object: string;
  readonly baseline: Position;
}
export async function readBaselines(connection: Connection, stream: StreamName): Promise<readonly Baseline[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    'SELECT object, database_name AS db, table_name AS tableName, baseline FROM srdf.table_baselines WHERE stream = ?',
    [stream],
  );
  return rows.map((row) => ({
    object: String(row.object),
    database: String(row.db),
    table: String(row.tableName),
    baseline: String(row.baseline) as Position,
  }));
}

export const tableContained = (baselines: readonly Baseline[], table: TableName, to: Position): boolean =>
  baselines.some((it) => it.object === 'table' && it.database === table.database && it.table === table.table && reached(it.baseline, to));

/**
 * Whether a statement up to `to` is contained in what was copied: wholly or not at all, `mixed` otherwise. An object's own baseline
 * counts; for views, routines, triggers and events also the one of all of their kind (a row without names). Pure.
 */
export function ddlContained(baselines: readonly Baseline[], ddl: DdlClassification, to: Position): 'contained' | 'not' | 'mixed' {
  const kinds = ddl.object === 'index' || ddl.object === 'sequence' ? ['table', 'sequence'] : [ddl.object];
  const contained = ddl.names.map((name) =>
    baselines.some(
      (it) =>
        kinds.includes(it.object) &&
        ((it.database === name.database && it.table === name.table) || (it.object !== 'table' && it.database === '' && it.table === '')) &&
        reached(it.baseline, to),
    ),
  );
  if (contained.every(Boolean)) return contained.length > 0 ? 'contained' : 'not';
  return contained.some(Boolean) ? 'mixed' : 'not';
}
