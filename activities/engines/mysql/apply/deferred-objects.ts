/**
 * Triggers and events wait in `srdf.deferred_objects` until promotion: on a target that stands by they would change data
 * a second time. Statements that name them, or the tables they hang on, change these rows instead of the server.
 */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { StreamName, TableName } from '../../../vocabulary.js';
import type { DdlClassification, DdlStatement } from '../../engine.js';
import { nameOf } from '../ranges/sql-literals.js';

export const isDeferred = (ddl: DdlClassification): boolean => ddl.object === 'trigger' || ddl.object === 'event';

/** One statement of an object's life, in order: what promotion has to run, in its session. */
export interface DeferredStep {
  /** The statement's bytes, base64. */
  readonly sql: string;
  readonly defaultDatabase: string;
  readonly session: Readonly<Record<string, string | number | boolean | null>>;
}
export interface DeferredDefinition {
  readonly steps: readonly DeferredStep[];
  /** The table's present name where it was renamed since the statement: the text still says the old one. */
  readonly renamedFrom?: string;
}

function stepOf(statement: DdlStatement): DeferredStep {
  const { sqlMode, ...session } = statement.session;
  return {
    sql: Buffer.from(statement.sql).toString('base64'),
    defaultDatabase: statement.defaultDatabase,
    session: { ...session, sqlMode: sqlMode === null ? null : sqlMode.toString() },
  };
}

/** A statement about a trigger or an event. In the transaction that moves the ledger. */
export async function deferStatement(connection: Connection, stream: StreamName, statement: DdlStatement): Promise<void> {
  const { verb, object, names, on } = statement.classification;
  const name = names[0];
  if (name === undefined) return;
  const key = [stream, object, name.database, name.table];
  if (verb === 'drop') {
    await connection.query(
      'DELETE FROM srdf.deferred_objects WHERE stream = ? AND object = ? AND database_name = ? AND object_name = ?',
      key,
    );
    return;
  }
  if (verb === 'create') {
    const definition: DeferredDefinition = { steps: [stepOf(statement)] };
    const existing = await readDefinition(connection, key);
    // IF NOT EXISTS of one that exists changes nothing.
    if (existing !== null && /^\s*(?:\/\*.*?\*\/\s*)*CREATE\b(?!\s+OR\s+REPLACE)/is.test(Buffer.from(statement.sql).toString('latin1')))
      return;
    const [rows] = await connection.query<RowDataPacket[]>(
      'SELECT COALESCE(MAX(position_in_order) + 1, 0) AS next FROM srdf.deferred_objects WHERE stream = ?',
      [stream],
    );
    await connection.query(
      'REPLACE INTO srdf.deferred_objects (stream, object, database_name, object_name, on_table, position_in_order, definition) VALUES (?)',
      [[...key, on?.table ?? null, Number(rows[0]?.next), JSON.stringify(definition)]],
    );
    return;
  }
  const before = await readDefinition(connection, key);
  if (before === null)
    throw new SrdfError('ddl-failed', {
      tried: `changing the ${object} ${nameOf(name)}`,
      found: 'it isn’t among the objects kept for promotion',
      action: `Look at srdf.deferred_objects on the target; establish the stream again if the ${object} should be there`,
    });
  const renamed = verb === 'rename' ? (names[1] ?? name) : name;
  const definition = JSON.stringify({ ...before, steps: [...before.steps, stepOf(statement)] } satisfies DeferredDefinition);
  await connection.query(
    `UPDATE srdf.deferred_objects SET definition = ?, database_name = ?, object_name = ?
     WHERE stream = ? AND object = ? AND database_name = ? AND object_name = ?`,
    [definition, renamed.database, renamed.table, ...key],
  );
}

async function readDefinition(connection: Connection, key: readonly string[]): Promise<DeferredDefinition | null> {
  const [rows] = await connection.query<RowDataPacket[]>(
    'SELECT definition FROM srdf.deferred_objects WHERE stream = ? AND object = ? AND database_name = ? AND object_name = ?',
    [...key],
  );
  if (rows[0] === undefined) return null;
  const definition = JSON.parse(String(rows[0].definition)) as Partial<DeferredDefinition>;
  return { ...definition, steps: definition.steps ?? [] };
}

/** What a statement about tables and databases does to the objects that hang on them. In the transaction that moves the ledger. */
export async function followTables(connection: Connection, stream: StreamName, ddl: DdlClassification): Promise<void> {
  if (ddl.verb === 'drop' && ddl.object === 'database')
    for (const name of ddl.names)
      await connection.query('DELETE FROM srdf.deferred_objects WHERE stream = ? AND database_name = ?', [stream, name.database]);
  if (ddl.verb === 'drop' && ddl.object === 'table')
    for (const name of ddl.names)
      await connection.query('DELETE FROM srdf.deferred_objects WHERE stream = ? AND database_name = ? AND on_table = ?', [
        stream,
        name.database,
        name.table,
      ]);
  if (ddl.verb === 'rename' && ddl.object === 'table') await followRename(connection, stream, ddl.names);
}

/** Old and new in turn; the server takes them one after the other, and so a trigger may move twice. Both servers refuse another database. */
async function followRename(connection: Connection, stream: StreamName, names: readonly TableName[]): Promise<void> {
  for (let i = 0; i + 1 < names.length; i += 2) {
    const [from, to] = [names[i], names[i + 1]];
    if (from === undefined || to === undefined) return;
    await connection.query(
      `UPDATE srdf.deferred_objects SET on_table = ?, definition = JSON_SET(definition, '$.renamedFrom', COALESCE(JSON_UNQUOTE(JSON_EXTRACT(definition, '$.renamedFrom')), on_table))
       WHERE stream = ? AND database_name = ? AND on_table = ?`,
      [to.table, stream, from.database, from.table],
    );
  }
}
