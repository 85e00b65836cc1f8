/** Creates a stage's objects on the target, or keeps them for the promotion. Repeatable after a crash at any point. */
import type { Connection } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { BootstrapId, Position, StreamName } from '../../../vocabulary.js';
import type { SchemaBody, SchemaObject } from '../../../wagon/body.js';
import { applyError } from '../apply/apply-errors.js';
import type { DeferredDefinition } from '../apply/deferred-objects.js';
import { alone } from '../ranges/alone.js';
import { isLoaded, recordBaseline, requireLoading, requireNewest } from '../ranges/bootstrap-bookkeeping.js';
import { BOOTSTRAP_TABLES } from '../ranges/bootstrap-tables.js';
import { textRows, UTF8_RESULTS } from '../ranges/exact-query.js';
import { nameOf, quoteTable } from '../ranges/sql-literals.js';
import { definersFix, wordsOf } from '../server-words.js';
import { runInSession } from './object-session.js';
import { normaliseDefinition } from './table-fingerprint.js';
import { shownTable } from './unshown-text.js';

/**
 * before-data: a table that is there in the same form is left alone; in another form it is dropped and created, as long as nothing was
 * loaded into it (then: `bootstrap-range-lost`). after-data: views and routines of an earlier round are replaced. at-promotion: kept.
 * Errors: `ledger-inconsistent`, `bootstrap-range-lost`, `ddl-failed`, `target-busy`.
 */
export async function createSchema(
  connection: Connection,
  stream: StreamName,
  bootstrap: BootstrapId,
  body: SchemaBody,
  signal?: AbortSignal,
): Promise<{ readonly created: number; readonly deferred: number }> {
  for (const statement of BOOTSTRAP_TABLES) await connection.query(statement);
  await requireLoading(connection, stream, bootstrap, `creating the schema of ${stream}`);
  await connection.query(UTF8_RESULTS);
  const as: Authority = { stream, bootstrap, baseline: body.baseline };
  if (body.stage === 'at-promotion') {
    await fenced(connection, as, { object: 'trigger', ...ALL }, async () => await keepObjects(connection, stream, body));
    return { created: 0, deferred: body.objects.length };
  }
  if (body.stage === 'after-data') {
    await dropFormer(connection, as, body);
    // Remembered before they are created: what a crash leaves behind is found by the next attempt.
    await fenced(connection, as, { object: 'view', ...ALL }, async () => {
      for (const object of body.objects) await recordBaseline(connection, stream, object.object, object, body.baseline);
      for (const kind of ['view', 'routine'] as const) await recordBaseline(connection, stream, kind, ALL, body.baseline);
    });
  }
  for (const object of body.objects) {
    signal?.throwIfAborted();
    await fenced(connection, as, object, async () => {
      if ((object.object === 'table' || object.object === 'sequence') && (await isThere(connection, stream, object))) {
        // What its definition doesn't show may lack, and is set again.
        await create(connection, { ...object, statements: object.statements.slice(1) });
        return;
      }
      if (object.object === 'view') await connection.query(`DROP VIEW IF EXISTS ${quoteTable(object)}`);
      await create(connection, object);
    });
  }
  // Counted whether this attempt or one before it has created them.
  return { created: body.objects.length, deferred: 0 };
}

/** In whose name, and from which look at the source, objects are changed. */
interface Authority {
  readonly stream: StreamName;
  readonly bootstrap: BootstrapId;
  readonly baseline: Position;
}
type Named = Pick<SchemaObject, 'object' | 'database' | 'table'>;
/** As bookkeeping names all objects of a kind. */
const ALL = { database: '', table: '' } as const;

/**
 * Changes an object while nobody else changes the stream's schema, loads that table or begins the catch-up, and only if this bootstrap still loads and
 * no later look at the source has come first: asked for each object anew, since an attempt that was given up may have rested meanwhile.
 */
async function fenced(connection: Connection, as: Authority, object: Named, act: () => Promise<void>): Promise<void> {
  const { stream, bootstrap, baseline } = as;
  const tried = object.table === '' ? `changing the ${object.object}s of ${stream}` : `creating ${nameOf(object)}`;
  const change = async (): Promise<void> => {
    await requireLoading(connection, stream, bootstrap, tried);
    await requireNewest(connection, stream, object, baseline, tried);
    await act();
  };
  await alone(connection, stream, null, tried, () =>
    object.object === 'table' ? alone(connection, stream, object, tried, change) : change(),
  );
}

async function create(connection: Connection, object: SchemaObject): Promise<void> {
  try {
    await runInSession(connection, object);
  } catch (error) {
    const { message, errno } = error as { message?: string; errno?: number };
    if (errno === undefined || (errno >= 2000 && errno < 3000)) throw error;
    const tried = `creating the ${object.object} ${nameOf(object)} on the target`;
    // What another attempt can mend is told as it is for wagons: a full disk, a lock, a server that ends itself.
    const told = applyError(error, tried, null);
    if (told.retryable) throw told;
    throw new SrdfError('ddl-failed', {
      tried,
      found: wordsOf(errno, message ?? ''),
      action: `${
        definersFix(errno) ??
        'Mend or drop the object on the source, exclude it (streams[].exclude), or bring the target’s version and settings in line with the source’s'
      }; then run it again`,
      cause: error,
    });
  }
}

/** Whether a table or sequence is there as it is meant to be. An empty one in another form is dropped. */
async function isThere(connection: Connection, stream: StreamName, object: SchemaObject): Promise<boolean> {
  const what = object.object === 'sequence' ? 'SEQUENCE' : 'TABLE';
  const found = await textRows(
    connection,
    'SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema = ? AND table_name = ?',
    [object.database, object.table],
  );
  if (!found.some((row) => row[0] === object.database && row[1] === object.table)) return false;
  if (what === 'TABLE') {
    const shown = await shownTable(connection, object);
    if (normaliseDefinition(shown ?? '') === normaliseDefinition(object.statements[0] ?? '')) return true;
  }
  if (await isLoaded(connection, stream, object))
    throw new SrdfError('bootstrap-range-lost', {
      tried: `creating ${nameOf(object)}`,
      found: 'it is there in another form and rows were loaded into it',
      action: 'The table is copied anew',
    });
  await connection.query('SET SESSION foreign_key_checks=0');
  try {
    await connection.query(`DROP ${what} ${quoteTable(object)}`);
  } finally {
    await connection.query('SET SESSION foreign_key_checks=1').catch(() => undefined);
  }
  return false;
}

/** Views and routines that a former round created and the source no longer has. */
async function dropFormer(connection: Connection, as: Authority, body: SchemaBody): Promise<void> {
  const former = await textRows(
    connection,
    `SELECT object, database_name, table_name FROM srdf.table_baselines WHERE stream = ? AND object IN ('view', 'routine') AND table_name <> ''`,
    [as.stream],
  );
  for (const [kind, database, table] of former) {
    const object = kind === 'view' ? 'view' : 'routine';
    const name = { database: database ?? '', table: table ?? '' };
    if (body.objects.some((it) => it.object === object && it.database === database && it.table === table)) continue;
    await fenced(connection, as, { object, ...name }, async () => {
      for (const what of object === 'view' ? ['VIEW'] : ['FUNCTION', 'PROCEDURE'])
        await connection.query(`DROP ${what} IF EXISTS ${quoteTable(name)}`);
    });
  }
}

/** The whole set, in one transaction: what a former round kept is forgotten. */
async function keepObjects(connection: Connection, stream: StreamName, body: SchemaBody): Promise<void> {
  await connection.beginTransaction();
  try {
    await connection.query('DELETE FROM srdf.deferred_objects WHERE stream = ?', [stream]);
    for (const [index, it] of body.objects.entries())
      await connection.query(
        'INSERT INTO srdf.deferred_objects (stream, object, database_name, object_name, on_table, position_in_order, definition) VALUES (?)',
        [[stream, it.object, it.database, it.table, it.on?.table ?? null, index, JSON.stringify(deferred(it))]],
      );
    for (const kind of ['trigger', 'event'] as const) await recordBaseline(connection, stream, kind, ALL, body.baseline);
    await connection.commit();
  } catch (error) {
    await connection.rollback().catch(() => undefined);
    throw error;
  }
}

/** As statements of the log are kept, but for the session: here it has the names and values of SET SESSION, and the text is UTF-8. */
const deferred = (it: SchemaObject): DeferredDefinition => ({
  steps: it.statements.map((statement) => ({
    sql: Buffer.from(statement, 'utf8').toString('base64'),
    defaultDatabase: it.database,
    session: it.session,
  })),
});
