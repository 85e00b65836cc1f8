/** Definitions of a stream's objects, in an order in which they can be created, each with the session it needs. */
import type { Connection } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { Position, TableName } from '../../../vocabulary.js';
import type { SchemaBody, SchemaObject, SchemaStage } from '../../../wagon/body.js';
import type { Selection } from '../../engine.js';
import { databaseInScope, tableInScope } from '../binlog/scope.js';
import { EXACT_SQL_MODE, serverKind } from '../connection.js';
import { textRows, UTF8_RESULTS } from '../ranges/exact-query.js';
import { nameOf, quoteName, quoteTable } from '../ranges/sql-literals.js';
import { missingRoutineGrant } from './routine-privilege.js';
import { shownTable, unshownDefaults, unshownFix, unshownFound, unshownMembers } from './unshown-text.js';

type Rows = (string | null)[][];
/** SHOW CREATE gives names and defaults in the session's own terms: the same session creates the object. */
const PLAIN_SESSION: Readonly<Record<string, string>> = {
  sql_mode: EXACT_SQL_MODE,
  character_set_client: 'utf8mb4',
  collation_connection: 'utf8mb4_bin',
  time_zone: '+00:00',
};

/**
 * `baseline` was read before the first definition: a change up to it is contained. `only`: just these tables and sequences, without their databases.
 * Throws `source-preflight` for a definition the account may not see.
 */
export async function describeSchema(
  connection: Connection,
  selection: Selection,
  stage: SchemaStage,
  baseline: Position,
  only?: readonly TableName[],
): Promise<SchemaBody> {
  await connection.query(`${UTF8_RESULTS}, time_zone='+00:00', sql_quote_show_create=1`);
  const databases = selection.databases.filter((it) => databaseInScope(selection, it));
  const objects: SchemaObject[] = [];
  if (databases.length > 0) {
    const all = new Description(connection, { ...selection, databases });
    if (stage === 'before-data') {
      if (only === undefined) for (const database of databases) objects.push(await all.database(database));
      objects.push(...(await all.tablesAndSequences(only)));
    } else if (stage === 'after-data') {
      objects.push(...(await all.routines()), ...(await all.views()));
    } else {
      objects.push(...(await all.triggers()), ...(await all.events()));
    }
  }
  return { kind: 'schema', stage, baseline, objects };
}

class Description {
  constructor(
    private readonly connection: Connection,
    private readonly selection: Selection,
  ) {}

  private async list(sql: string): Promise<Rows> {
    return await textRows(this.connection, sql, [this.selection.databases]);
  }
  private async show(what: string, name: TableName): Promise<(string | null)[]> {
    const [row] = await textRows(this.connection, `SHOW CREATE ${what} ${quoteTable(name)}`);
    if (row === undefined) throw hidden(what, name);
    return row;
  }

  async database(database: string): Promise<SchemaObject> {
    const [row] = await textRows(this.connection, `SHOW CREATE DATABASE IF NOT EXISTS ${quoteName(database)}`);
    const create = row?.[1];
    if (typeof create !== 'string') throw hidden('DATABASE', { database, table: '' });
    const [facts] = await textRows(
      this.connection,
      'SELECT default_character_set_name, default_collation_name FROM information_schema.schemata WHERE schema_name = ?',
      [database],
    );
    const [characterSet, collation] = facts ?? [];
    return {
      object: 'database',
      database,
      table: '',
      // The target may have it already, empty and with other defaults.
      statements: [create, `ALTER DATABASE ${quoteName(database)} CHARACTER SET ${characterSet} COLLATE ${collation}`],
      session: PLAIN_SESSION,
    };
  }

  /** Sequences first: defaults of tables use them. */
  async tablesAndSequences(only: readonly TableName[] | undefined): Promise<readonly SchemaObject[]> {
    const rows = await this.list(
      `SELECT table_schema, table_name, table_type FROM information_schema.tables
       WHERE table_schema IN (?) AND table_type <> 'VIEW' ORDER BY table_type = 'SEQUENCE' DESC, table_schema, table_name`,
    );
    const unshown = await unshownMembers(this.connection, this.selection.databases);
    const objects: SchemaObject[] = [];
    for (const [database, table, type] of rows) {
      const name = { database: database ?? '', table: table ?? '' };
      const isIt = (it: TableName): boolean => it.database === name.database && it.table === name.table;
      if (!tableInScope(this.selection, name)) continue;
      if (only !== undefined && !only.some(isIt)) continue;
      if (type === 'SEQUENCE') {
        objects.push(await this.sequence(name));
        continue;
      }
      const member = unshown.find(isIt);
      if (member !== undefined)
        throw new SrdfError('source-preflight', {
          tried: `reading the definition of ${nameOf(name)}`,
          found: unshownFound(member),
          action: unshownFix(member),
        });
      objects.push({ object: 'table', ...name, statements: await this.tableStatements(name), session: PLAIN_SESSION });
    }
    return objects;
  }
  private async tableStatements(name: TableName): Promise<readonly string[]> {
    const create = await shownTable(this.connection, name);
    if (create === null) throw hidden('TABLE', name);
    return [create, ...(await unshownDefaults(this.connection, name))];
  }
  private async sequence(name: TableName): Promise<SchemaObject> {
    const create = (await this.show('SEQUENCE', name))[1];
    const [row] = await textRows(
      this.connection,
      `SELECT next_not_cached_value, minimum_value, maximum_value, increment, cycle_count FROM ${quoteTable(name)}`,
    );
    if (typeof create !== 'string' || row === undefined) throw hidden('SEQUENCE', name);
    const [next, minimum, maximum, increment, round] = row.map((it) => BigInt(it ?? '0')) as [bigint, bigint, bigint, bigint, bigint];
    // One that is used up stands outside its bounds, where SETVAL can't put it: its last value is set as used instead.
    const spent = increment < 0n ? next < minimum : next > maximum;
    const value = spent ? `${increment < 0n ? minimum : maximum}, 1` : `${next}, 0`;
    return {
      object: 'sequence',
      ...name,
      statements: [create, `DO SETVAL(${quoteTable(name)}, ${value}, ${round})`],
      session: PLAIN_SESSION,
    };
  }

  async views(): Promise<readonly SchemaObject[]> {
    const rows = await this.list('SELECT table_schema, table_name FROM information_schema.views WHERE table_schema IN (?) ORDER BY 1, 2');
    const views: SchemaObject[] = [];
    for (const [database, table] of rows) {
      const name = { database: database ?? '', table: table ?? '' };
      if (!tableInScope(this.selection, name)) continue;
      const [, create, client, collation] = await this.show('VIEW', name);
      if (typeof create !== 'string') throw hidden('VIEW', name);
      views.push({
        object: 'view',
        ...name,
        statements: [create],
        session: { ...PLAIN_SESSION, character_set_client: client ?? 'utf8mb4', collation_connection: collation ?? 'utf8mb4_bin' },
      });
    }
    return inOrderOfUse(views);
  }

  async routines(): Promise<readonly SchemaObject[]> {
    const lacks = await missingRoutineGrant(this.connection, await serverKind(this.connection));
    if (lacks !== null)
      throw new SrdfError('source-preflight', {
        tried: 'listing the routines of the source',
        found: 'the account may not see all of them, and the server wouldn’t say so',
        action: lacks,
      });
    const rows = await this.list(
      `SELECT routine_schema, routine_name, routine_type FROM information_schema.routines
       WHERE routine_schema IN (?) AND routine_type IN ('FUNCTION', 'PROCEDURE', 'PACKAGE', 'PACKAGE BODY')
       ORDER BY routine_schema, routine_type, routine_name`,
    );
    const objects: SchemaObject[] = [];
    for (const [database, routine, type] of rows) {
      const name = { database: database ?? '', table: routine ?? '' };
      const [, sqlMode, create, client, collation, ofDatabase] = await this.show(type ?? 'PROCEDURE', name);
      if (typeof create !== 'string') throw hidden(type ?? 'ROUTINE', name);
      objects.push({
        object: 'routine',
        ...name,
        statements: [`DROP ${type} IF EXISTS ${quoteTable(name)}`, create],
        session: programSession(sqlMode, client, collation, ofDatabase),
      });
    }
    return objects;
  }

  async triggers(): Promise<readonly SchemaObject[]> {
    const rows = await this.list(
      `SELECT trigger_schema, trigger_name, event_object_table FROM information_schema.triggers
       WHERE trigger_schema IN (?) ORDER BY trigger_schema, event_object_table, event_manipulation, action_timing, action_order`,
    );
    const objects: SchemaObject[] = [];
    for (const [database, trigger, table] of rows) {
      const name = { database: database ?? '', table: trigger ?? '' };
      if (!tableInScope(this.selection, { database: name.database, table: table ?? '' })) continue;
      const [, sqlMode, create, client, collation, ofDatabase] = await this.show('TRIGGER', name);
      if (typeof create !== 'string') throw hidden('TRIGGER', name);
      objects.push({
        object: 'trigger',
        ...name,
        on: { database: name.database, table: table ?? '' },
        statements: [create],
        session: programSession(sqlMode, client, collation, ofDatabase),
      });
    }
    return objects;
  }

  async events(): Promise<readonly SchemaObject[]> {
    const rows = await this.list('SELECT event_schema, event_name FROM information_schema.events WHERE event_schema IN (?) ORDER BY 1, 2');
    const objects: SchemaObject[] = [];
    for (const [database, event] of rows) {
      const name = { database: database ?? '', table: event ?? '' };
      const [, sqlMode, timeZone, create, client, collation, ofDatabase] = await this.show('EVENT', name);
      if (typeof create !== 'string') throw hidden('EVENT', name);
      objects.push({
        object: 'event',
        ...name,
        statements: [create],
        session: { ...programSession(sqlMode, client, collation, ofDatabase), time_zone: timeZone ?? '+00:00' },
      });
    }
    return objects;
  }
}

const programSession = (
  sqlMode: string | null | undefined,
  client: string | null | undefined,
  collation: string | null | undefined,
  ofDatabase: string | null | undefined,
): Readonly<Record<string, string>> => ({
  sql_mode: sqlMode ?? '',
  character_set_client: client ?? 'utf8mb4',
  collation_connection: collation ?? 'utf8mb4_bin',
  time_zone: '+00:00',
  // What parameters and variables without a character set of their own take.
  ...(ofDatabase === null || ofDatabase === undefined ? {} : { collation_database: ofDatabase }),
});

/**
 * A view behind those its definition names. MariaDB keeps no list of what a view uses: a name that occurs in the text may be a
 * column's, so this only puts views later than needed, never earlier, but in a circle, which views themselves can't form. Pure.
 */
function inOrderOfUse(views: readonly SchemaObject[]): readonly SchemaObject[] {
  const ordered: SchemaObject[] = [];
  let rest = [...views];
  while (rest.length > 0) {
    const free = rest.filter((view) => !rest.some((other) => other !== view && uses(view, other)));
    const next = free.length > 0 ? free : rest.slice(0, 1);
    ordered.push(...next);
    rest = rest.filter((it) => !next.includes(it));
  }
  return ordered;
}
const uses = (view: SchemaObject, other: SchemaObject): boolean => view.statements.some((it) => it.includes(quoteName(other.table)));

function hidden(what: string, name: TableName): SrdfError {
  return new SrdfError('source-preflight', {
    tried: `reading the definition of the ${what.toLowerCase()} ${nameOf(name)}`,
    found: 'the server doesn’t show it to this account',
    action:
      'GRANT the source account SHOW VIEW, TRIGGER, EVENT and SHOW_ROUTINE (MySQL) or SELECT ON mysql.proc (MariaDB: SHOW CREATE ROUTINE from 11.3 on)',
  });
}
