/** Reads and writes the bookkeeping of a bootstrap in the target database, in the transaction it is called in. */
import type { Connection } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { BootstrapId, Position, StreamName, TableName } from '../../../vocabulary.js';
import type { RangeBody, SchemaObject } from '../../../wagon/body.js';
import type { RangeIdentity } from '../../engine.js';
import { reached } from '../position.js';
import { serverError } from '../server-error.js';
import { textRows } from './exact-query.js';
import { nameOf } from './sql-literals.js';

/** Throws `ledger-inconsistent` unless this bootstrap is loading the stream; holds the ledger's row until the transaction ends. */
export async function requireLoading(connection: Connection, stream: StreamName, bootstrap: BootstrapId, tried: string): Promise<void> {
  const [row] = await textRows(connection, 'SELECT phase, bootstrap FROM srdf.ledger WHERE stream = ? LOCK IN SHARE MODE', [stream]);
  if (row?.[0] === 'loading' && row[1] === bootstrap) return;
  throw new SrdfError('ledger-inconsistent', {
    tried,
    found: row === undefined ? 'the stream has no ledger' : `the stream is ${row[0]}, by the bootstrap ${row[1]}`,
    action: 'Another bootstrap of this stream has taken over, or this one has ended: look at `srdf status`, and cancel the older one',
  });
}

/**
 * Throws `ledger-inconsistent` when the object was begun anew from a later look at the source than `at`: what was read then, and comes late, would
 * put a former definition in the place of the present one.
 */
export async function requireNewest(
  connection: Connection,
  stream: StreamName,
  object: Pick<SchemaObject, 'object' | 'database' | 'table'>,
  at: Position,
  tried: string,
): Promise<void> {
  // A table may have become a sequence. What has no names speaks of all objects of the kind.
  const kinds = object.object === 'table' || object.object === 'sequence' ? ['table', 'sequence'] : [object.object];
  const rows = await textRows(
    connection,
    `SELECT baseline FROM srdf.table_baselines
     WHERE stream = ? AND object IN (?) AND ((database_name = ? AND table_name = ?) OR (database_name = '' AND table_name = ''))`,
    [stream, kinds, object.database, object.table],
  );
  if (rows.every(([baseline]) => reached(at, (baseline ?? '') as Position))) return;
  throw new SrdfError('ledger-inconsistent', {
    tried,
    found: 'it was begun anew from a later position of the source',
    action: 'None: this is an attempt that was given up, and what it comes late with is left out',
  });
}

/**
 * Whether rows of a table are in. Loads under way are waited for: each holds the table's row until it has committed. Under the
 * table's lock (`alone`), which a load takes to begin, the answer stays true for the statement that is decided by it.
 */
export async function isLoaded(connection: Connection, stream: StreamName, table: TableName): Promise<boolean> {
  await newestPlan(connection, stream, table);
  const [loaded] = await textRows(
    connection,
    'SELECT COUNT(*) FROM srdf.bootstrap_ranges WHERE stream = ? AND database_name = ? AND table_name = ?',
    [stream, table.database, table.table],
  );
  return loaded?.[0] !== '0';
}

/** The newest plan that was ever admitted for a table or refused, '' when there was none; waits for loads under way. */
export async function newestPlan(connection: Connection, stream: StreamName, table: TableName): Promise<string> {
  const [row] = await textRows(
    connection,
    `SELECT GREATEST(COALESCE(plan, ''), refused_plan) FROM srdf.bootstrap_tables
     WHERE stream = ? AND database_name = ? AND table_name = ? FOR UPDATE`,
    [stream, table.database, table.table],
  );
  return row?.[0] ?? '';
}

/**
 * Claims a part of a range for this transaction. false: it is in already.
 * A table takes ranges of one plan alone; plans of former rounds are refused, whoever still sends them.
 */
export async function admitPart(
  connection: Connection,
  stream: StreamName,
  bootstrap: BootstrapId,
  range: RangeIdentity,
  body: RangeBody,
): Promise<boolean> {
  const tried = `loading range ${range.range} of ${nameOf(range)}`;
  await requireLoading(connection, stream, bootstrap, tried);
  const key = [stream, range.database, range.table];
  const parts = await textRows(
    connection,
    `SELECT part, wagon_hash, last_part FROM srdf.bootstrap_ranges
     WHERE stream = ? AND database_name = ? AND table_name = ? AND plan = ? AND range_number = ?`,
    [...key, range.plan, range.range],
  );
  const here = parts.find((it) => Number(it[0]) === range.part);
  // A range of one part is whole, whichever read of it came first. Parts of two reads don't fit together.
  if (here !== undefined && (here[1] === range.wagonHash || (range.part === 0 && body.last && here[2] === '1'))) return false;
  const before = parts.some((it) => Number(it[0]) === range.part - 1 && it[2] === '0');
  if (here !== undefined || (range.part > 0 && !before)) throw lost(tried, 'parts of two different reads of it met');
  const planOf = 'SELECT plan, refused_plan FROM srdf.bootstrap_tables WHERE stream = ? AND database_name = ? AND table_name = ?';
  // Looked at without a lock first: a locked gap where the row isn't yet would meet the inserts of other tables' first ranges.
  const [seen] = await textRows(connection, planOf, key);
  if ((seen?.[0] ?? null) === null && (seen?.[1] ?? '') < range.plan)
    await connection.query(
      `INSERT INTO srdf.bootstrap_tables (stream, database_name, table_name, plan) VALUES (?, ?, ?, ?)
       ON DUPLICATE KEY UPDATE plan = IF(refused_plan < VALUES(plan), COALESCE(plan, VALUES(plan)), plan)`,
      [...key, range.plan],
    );
  const [now] = await textRows(connection, `${planOf} LOCK IN SHARE MODE`, key);
  const [plan = null] = now ?? [];
  if (plan !== range.plan) throw lost(tried, 'the table is being copied by another plan');
  const row = [...key, range.plan, range.range, range.part, body.last ? 1 : 0, range.wagonHash, body.rows];
  await connection.query('INSERT INTO srdf.bootstrap_ranges VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)', row).catch((error: unknown) => {
    throw serverError(error).errno === DUPLICATE ? overtaken(tried, error) : error;
  });
  return true;
}
/** The key of this table is the part's: an attempt that nobody knew of any more was still at it as this one looked, and has ended since. */
const DUPLICATE = 1062;
const overtaken = (tried: string, cause: unknown): SrdfError =>
  new SrdfError('target-busy', { tried, found: 'a former attempt at it has just ended', action: 'It is tried again by itself', cause });
const lost = (tried: string, found: string): SrdfError =>
  new SrdfError('bootstrap-range-lost', { tried, found, action: 'The table is copied anew' });

/** Changes of this object at or before `baseline` are contained in what was copied. */
export async function recordBaseline(
  connection: Connection,
  stream: StreamName,
  object: SchemaObject['object'],
  name: TableName,
  baseline: Position,
): Promise<void> {
  await connection.query('REPLACE INTO srdf.table_baselines (stream, object, database_name, table_name, baseline) VALUES (?, ?, ?, ?, ?)', [
    stream,
    object,
    name.database,
    name.table,
    baseline,
  ]);
}

/** The parts of a range that are in: after a crash the rest is loaded without them. */
export async function loadedParts(
  connection: Connection,
  stream: StreamName,
  range: Pick<RangeIdentity, 'database' | 'table' | 'plan' | 'range'>,
): Promise<readonly { readonly part: number; readonly wagonHash: string; readonly last: boolean }[]> {
  const rows = await textRows(
    connection,
    `SELECT part, wagon_hash, last_part FROM srdf.bootstrap_ranges
     WHERE stream = ? AND database_name = ? AND table_name = ? AND plan = ? AND range_number = ? ORDER BY part`,
    [stream, range.database, range.table, range.plan, range.range],
  );
  return rows.map(([part, hash, last]) => ({ part: Number(part), wagonHash: hash ?? '', last: last === '1' }));
}

/** Forgets a table's ranges and refuses the plan they belonged to. */
export async function forgetTable(connection: Connection, stream: StreamName, table: TableName): Promise<void> {
  const key = [stream, table.database, table.table];
  await connection.query(
    `INSERT INTO srdf.bootstrap_tables (stream, database_name, table_name) VALUES (?, ?, ?)
     ON DUPLICATE KEY UPDATE refused_plan = GREATEST(refused_plan, COALESCE(plan, '')), plan = NULL`,
    key,
  );
  for (const about of ['bootstrap_ranges', 'bootstrap_keys'])
    await connection.query(`DELETE FROM srdf.${about} WHERE stream = ? AND database_name = ? AND table_name = ?`, key);
}
