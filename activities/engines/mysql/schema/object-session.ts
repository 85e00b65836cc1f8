/** Runs an object's statements in the session it was created in, bytes and all. */
import type { Connection } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { SchemaObject } from '../../../wagon/body.js';
import { EXACT_SQL_MODE, serverKind } from '../connection.js';
import { rawRows, textRows } from '../ranges/exact-query.js';
import { quoteName, textLiteral } from '../ranges/sql-literals.js';

/** Settings that only matter while objects are created, each where the server has it and the account may set it. */
const LENIENT: Readonly<Record<'mariadb' | 'mysql', readonly string[]>> = {
  // A TIMESTAMP column without DEFAULT must not get one.
  mariadb: ['explicit_defaults_for_timestamp=1', 'innodb_strict_mode=0', 'check_constraint_checks=1'],
  mysql: [
    'sql_generate_invisible_primary_key=0',
    'sql_require_primary_key=0',
    'innodb_strict_mode=0',
    'restrict_fk_on_non_standard_key=0',
    'show_gipk_in_create_table_and_information_schema=1',
  ],
};
/** 1193 unknown variable, 1227 no privilege, 1238 read only: the server's own setting then decides, and refuses if it must. */
const UNAVAILABLE = new Set([1193, 1227, 1238]);

export async function runInSession(connection: Connection, object: SchemaObject): Promise<void> {
  const kind = await serverKind(connection);
  for (const setting of LENIENT[kind.engine]) {
    try {
      await connection.query(`SET SESSION ${setting}`);
    } catch (error) {
      if (!UNAVAILABLE.has((error as { errno?: number }).errno ?? 0)) throw error;
    }
  }
  if (object.object !== 'database') await connection.query(`USE ${quoteName(object.database)}`);
  const session = object.session;
  const client = checkName(session.character_set_client ?? 'utf8mb4');
  const foreignClient = !/^utf8(mb[34])?$/.test(client);
  const statements = foreignClient
    ? await Promise.all(object.statements.map((it) => inCharacterSet(connection, it, client)))
    : object.statements;
  const former = await useDatabaseCollation(connection, object);
  try {
    await connection.query(
      `SET SESSION foreign_key_checks=0, sql_mode=${textLiteral(session.sql_mode ?? EXACT_SQL_MODE)}, time_zone=${textLiteral(session.time_zone ?? '+00:00')}, ` +
        `character_set_client=${client}, collation_connection=${checkName(session.collation_connection ?? 'utf8mb4_bin')}`,
    );
    for (const statement of statements) {
      if (foreignClient) await queryBytes(connection, statement);
      else await connection.query(statement);
    }
  } finally {
    await connection
      .query(
        `SET SESSION foreign_key_checks=1, sql_mode='${EXACT_SQL_MODE}', time_zone='+00:00', character_set_client=utf8mb4, collation_connection=utf8mb4_bin`,
      )
      .catch(() => undefined);
    if (former !== null) await connection.query(`ALTER DATABASE ${quoteName(object.database)} COLLATE ${former}`);
  }
}

function checkName(name: string): string {
  if (/^[A-Za-z0-9_]+$/.test(name)) return name;
  throw new SrdfError('wagon-malformed', {
    tried: 'setting a session up to create an object',
    found: 'a character set or collation whose name is none',
    action: 'Install the same version of SRDF on both sites',
  });
}

/** The text in another character set, one character a byte: the server itself converts, as it did when it showed it to us. */
async function inCharacterSet(connection: Connection, text: string, characterSet: string): Promise<string> {
  const [row] = await rawRows(connection, `SELECT CAST(CONVERT(${textLiteral(text)} USING ${characterSet}) AS BINARY)`);
  return Buffer.from(row?.[0] ?? new Uint8Array()).toString('latin1');
}
/** Sends one character a byte: the driver takes the encoding from the number of the connection's character set (8 is latin1). */
async function queryBytes(connection: Connection, bytes: string): Promise<void> {
  const { config } = (connection as unknown as { connection: { config: { charsetNumber: number } } }).connection;
  const former = config.charsetNumber;
  config.charsetNumber = 8;
  try {
    await connection.query(bytes);
  } finally {
    config.charsetNumber = former;
  }
}

/** A routine takes its database's collation at its creation for good. Returns what the database has to get back, or null. */
async function useDatabaseCollation(connection: Connection, object: SchemaObject): Promise<string | null> {
  const wanted = object.session.collation_database;
  if (wanted === undefined) return null;
  const [row] = await textRows(connection, 'SELECT default_collation_name FROM information_schema.schemata WHERE schema_name = ?', [
    object.database,
  ]);
  const now = row?.[0];
  if (now === null || now === undefined || now === wanted) return null;
  await connection.query(`ALTER DATABASE ${quoteName(object.database)} COLLATE ${checkName(wanted)}`);
  return now;
}
