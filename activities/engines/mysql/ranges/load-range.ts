/** Writes the rows of a range and the word that they are in, in one transaction. */
import type { Connection, ResultSetHeader } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import { faultPoint } from '../../../fault-points.js';
import type { BootstrapId, StreamName } from '../../../vocabulary.js';
import type { RangeBody } from '../../../wagon/body.js';
import { unpackRows } from '../../../wagon/range-values.js';
import type { RangeIdentity } from '../../engine.js';
import { applyError } from '../apply/apply-errors.js';
import { EXACT_SQL_MODE, serverKind } from '../connection.js';
import { serverError } from '../server-error.js';
import { alone } from './alone.js';
import { admitPart, recordBaseline } from './bootstrap-bookkeeping.js';
import { wireOf } from './driver-wire.js';
import { textRows } from './exact-query.js';
import { holdsErrorValue, loadStatement, RangeFile } from './load-file.js';
import { sendFile } from './send-file.js';
import { nameOf, quoteName, quoteTable } from './sql-literals.js';
import { readColumns, readPrimaryKey, valueLiteral } from './table-columns.js';

/** Characters of one INSERT: large enough to be quick, small against max_allowed_packet. */
const STATEMENT_CHARACTERS = 2 * 2 ** 20;
const STATEMENT_ROWS = 2_000;
/** CLIENT_LOCAL_FILES of the protocol's capabilities. */
const LOCAL_FILES = 0x80;
/** Without STRICT: the one value that strictness refuses though the source holds it is ENUM's error value, index 0. */
const LENIENT_SQL_MODE = EXACT_SQL_MODE.replace('STRICT_ALL_TABLES,', '');

/**
 * Idempotent: a part that is in is left alone. Errors: `ledger-inconsistent` (the stream isn't being loaded by this bootstrap),
 * `bootstrap-range-lost` (the part belongs to another copy of the table, which has to be copied anew), `apply-failed`.
 *
 * Two ranges of a keyed table can meet on a unique key, since rows move while ranges are read: row A leaves the value `x`,
 * row B takes it, and A was read before, B after. REPLACE then removes the one that is in the way. That is right, because at
 * least one of the two changed after the first position of the catch-up and before its last; the log in between holds its last image, which the
 * catch-up puts there whole. Without key there is one snapshot, in which nothing can meet: there INSERT, which refuses.
 */
export async function loadRange(
  connection: Connection,
  stream: StreamName,
  bootstrap: BootstrapId,
  range: RangeIdentity,
  body: RangeBody,
): Promise<{ readonly outcome: 'applied' | 'already-applied'; readonly rows: number }> {
  if (body.database !== range.database || body.table !== range.table || body.part !== range.part)
    throw malformed(range, 'it holds rows of another table or part than it was announced for');
  await connection.query("SET SESSION foreign_key_checks=0, unique_checks=1, max_error_count=65535, time_zone='+00:00'");
  // The text of the statements must not be logged beside the rows.
  if ((await serverKind(connection)).engine === 'mariadb') await connection.query('SET SESSION binlog_annotate_row_events=0');
  try {
    // The table's lock only to begin: several ranges are loaded at a time. Whoever would drop the table takes it, waits for those that have begun, and
    // finds their rows; none begins until it has done so.
    const admitted = await alone(connection, stream, range, tried(range), async () => {
      await connection.beginTransaction();
      return await admitPart(connection, stream, bootstrap, range, body);
    });
    if (!admitted) {
      await connection.rollback();
      return { outcome: 'already-applied', rows: 0 };
    }
    await insertRows(connection, range, body);
    if (body.last && body.asOf !== null) await recordBaseline(connection, stream, 'table', body, body.asOf);
    await faultPoint('range-written');
    await connection.commit();
    await faultPoint('range-loaded');
    return { outcome: 'applied', rows: body.rows };
  } catch (error) {
    await connection.rollback().catch(() => undefined);
    throw loadError(range, error);
  } finally {
    await connection.query(`SET SESSION foreign_key_checks=1, sql_mode='${EXACT_SQL_MODE}'`).catch(() => undefined);
  }
}

async function insertRows(connection: Connection, range: RangeIdentity, body: RangeBody): Promise<void> {
  const known = new Map((await readColumns(connection, body)).filter((it) => !it.generated).map((it) => [it.name, it]));
  const columns = body.columns.map(({ name }) => {
    const column = known.get(name);
    if (column === undefined) throw otherColumns(range, name);
    return column;
  });
  const missing = [...known.keys()].find((name) => !body.columns.some((it) => it.name === name));
  if (missing !== undefined) throw otherColumns(range, missing);
  const keyed = (await readPrimaryKey(connection, body)).length > 0;
  const statement = (await takesFiles(connection)) ? loadStatement(body, columns, keyed) : null;
  if (statement !== null && !holdsErrorValue(body, columns)) {
    await loadAsFile(connection, range, body, statement);
    return;
  }
  const head = `${keyed ? 'REPLACE' : 'INSERT'} INTO ${quoteTable(body)} (${columns.map((it) => quoteName(it.name)).join(', ')}) VALUES `;

  let batch = new Batch();
  const flush = async (): Promise<void> => {
    if (batch.tuples.length > 0) await insert(connection, range, head, batch);
    batch = new Batch();
  };
  try {
    for (const cells of unpackRows(body)) {
      const literals = cells.map((cell, index) => {
        const column = columns[index];
        const encoding = body.columns[index]?.encoding;
        if (column === undefined || encoding === undefined) throw new RangeError('a row has more values than columns');
        if (cell === null) return 'NULL';
        const literal = valueLiteral(column, encoding, cell);
        if (column.type === 'enum' && literal === '0') batch.errorValues++;
        return literal;
      });
      batch.add(`(${literals.join(',')})`);
      if (batch.characters >= STATEMENT_CHARACTERS || batch.tuples.length >= STATEMENT_ROWS) await flush();
    }
  } catch (error) {
    if (error instanceof RangeError) throw malformed(range, error.message);
    throw error;
  }
  await flush();
}

/** Whether this session and the server let files of ours be loaded: MySQL's servers don't unless they are told to (`local_infile`). */
async function takesFiles(connection: Connection): Promise<boolean> {
  if ((wireOf(connection).config.clientFlags & LOCAL_FILES) === 0) return false;
  const [row] = await textRows(connection, 'SELECT @@GLOBAL.local_infile');
  return row?.[0] === '1';
}

/** Keyed or not, every row must have become one: what LOCAL passes over it counts as skipped or warns of. */
async function loadAsFile(connection: Connection, range: RangeIdentity, body: RangeBody, statement: string): Promise<void> {
  if (body.rows === 0) return;
  await connection.query(`SET SESSION sql_mode='${EXACT_SQL_MODE}'`);
  const { warnings, info } = await sendFile(connection, statement, new RangeFile(body));
  const [, records = '', skipped = ''] = /Records: (\d+)\s+Deleted: \d+\s+Skipped: (\d+)/.exec(info) ?? [];
  if (warnings !== 0) {
    const [warning] = await textRows(connection, 'SHOW WARNINGS LIMIT 1');
    throw applyFailed(range, `the server warned (code ${warning?.[1] ?? 'unknown'}), so a value isn't what the source holds`);
  }
  if (records !== String(body.rows) || skipped !== '0')
    throw applyFailed(range, `${body.rows} rows were sent, ${records} read and ${skipped} of them skipped`);
}

class Batch {
  readonly tuples: string[] = [];
  characters = 0;
  /** Values of ENUM columns whose index is 0: the server warns of each and stores it. */
  errorValues = 0;
  add(tuple: string): void {
    this.tuples.push(tuple);
    this.characters += tuple.length;
  }
}

async function insert(connection: Connection, range: RangeIdentity, head: string, batch: Batch): Promise<void> {
  await connection.query(`SET SESSION sql_mode='${batch.errorValues > 0 ? LENIENT_SQL_MODE : EXACT_SQL_MODE}'`);
  const [result] = await connection.query<ResultSetHeader>(head + batch.tuples.join(','));
  // REPLACE counts a row it removed as well.
  if (result.affectedRows < batch.tuples.length)
    throw applyFailed(range, `${batch.tuples.length} rows were sent and ${result.affectedRows} written`);
  if (result.warningStatus === 0) return;
  const warnings = await textRows(connection, 'SHOW WARNINGS');
  // 1265 is `Data truncated`: expected once for each ENUM error value, and then the value stored is just that.
  const others = warnings.filter((it) => it[0] !== 'Note' && it[1] !== '1265');
  const truncated = warnings.filter((it) => it[1] === '1265').length;
  if (others.length > 0 || truncated !== batch.errorValues)
    throw applyFailed(
      range,
      `the server warned (code ${(others[0] ?? warnings[0])?.[1] ?? 'unknown'}), so a value isn't what the source holds`,
    );
}

const tried = (range: RangeIdentity): string => `loading range ${range.range} of ${nameOf(range)}`;
const applyFailed = (range: RangeIdentity, found: string, cause?: unknown): SrdfError =>
  new SrdfError('apply-failed', {
    tried: tried(range),
    found,
    action: 'Compare the versions and the settings of the two servers; the range is loaded again once that is mended',
    cause,
  });
const otherColumns = (range: RangeIdentity, column: string): SrdfError =>
  new SrdfError('bootstrap-range-lost', {
    tried: tried(range),
    found: `the column ${column} is on one side only: the table was changed while it was copied`,
    action: 'The table is copied anew',
  });
const malformed = (range: RangeIdentity, found: string): SrdfError =>
  new SrdfError('wagon-malformed', { tried: tried(range), found, action: 'Install the same version of SRDF on both sites' });

/** 1205, 1213: lock wait, deadlock. */
function loadError(range: RangeIdentity, error: unknown): unknown {
  if (error instanceof SrdfError) return error;
  if (error instanceof RangeError) return malformed(range, error.message);
  const { errno, code, message } = serverError(error);
  if (errno === 1153)
    return applyFailed(range, 'a row is larger than the target’s max_allowed_packet: raise it to the source’s, times two');
  if (errno === 1205 || errno === 1213)
    return new SrdfError('target-busy', {
      tried: tried(range),
      found: message,
      action: 'It is tried again by itself',
      cause: error,
    });
  // What another attempt can mend is told as it is for wagons: a lost connection, a full disk, a server that ends itself.
  const told = applyError(error, tried(range), null);
  if (told.retryable) return told;
  // A fault of the program, not of the server.
  if (errno === 0 && code === '') return error;
  // The server's text of other errors may quote a value: only its number is told.
  return applyFailed(range, `error ${errno} of the server`);
}
