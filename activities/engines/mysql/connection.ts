/**
 * Opens connections to a MariaDB or MySQL server with a session in which values pass exactly: UTC, strict, no padding,
 * no invention of values, statements in utf8mb4.
 */
import { readFile } from 'node:fs/promises';
import mysql, { type Connection, type ConnectionOptions, type RowDataPacket } from 'mysql2/promise';
import type { ServerConfig } from '../../../config/schema.js';
import { SrdfError } from '../../../temporal/error-catalogue.js';
import type { EngineName } from '../engine.js';
import { PATIENCE, type Patience, watchConnection } from './connection-watch.js';

/** How to reach a server: its entry of the config and its password, already resolved. */
export interface ServerAccess {
  readonly server: ServerConfig;
  readonly password: string | null;
  /** Which error a failed connection becomes: `source-unreachable` or `target-unreachable`. */
  readonly role: 'source' | 'target';
}

/**
 * ALLOW_INVALID_DATES and no NO_ZERO_DATE: what the source holds must be storable as it is. STRICT: nothing is ever cut or
 * rounded in silence. NO_AUTO_VALUE_ON_ZERO: a stored 0 stays 0. No PAD_CHAR_TO_FULL_LENGTH, no ANSI_QUOTES, no NO_BACKSLASH_ESCAPES.
 */
export const EXACT_SQL_MODE = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';

/** `host:port` or the socket's path, for messages. */
export const describeServer = (server: ServerConfig): string => server.socket ?? `${server.host}:${server.port}`;

export async function connectionOptions(access: ServerAccess, patience: Patience): Promise<ConnectionOptions> {
  const { server, password } = access;
  const tls = server.tls;
  return {
    ...(server.socket === undefined ? { host: server.host ?? 'localhost', port: server.port } : { socketPath: server.socket }),
    user: server.user,
    ...(password === null ? {} : { password }),
    ...(tls === undefined
      ? {}
      : {
          ssl: {
            rejectUnauthorized: true,
            verifyIdentity: true,
            minVersion: 'TLSv1.2',
            ...(tls.ca === undefined ? {} : { ca: await readFile(tls.ca) }),
            ...(tls.servername === undefined ? {} : { servername: tls.servername }),
          },
        }),
    connectTimeout: patience.asking,
    enableKeepAlive: true,
    keepAliveInitialDelay: 10_000,
    charset: 'UTF8MB4_BIN',
    timezone: 'Z',
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    decimalNumbers: false,
    jsonStrings: true,
    multipleStatements: false,
    // The driver looks through every text for placeholders, also where no value is given: megabytes of a BINLOG statement, character by character.
    queryFormat: (sql: string, values: Parameters<typeof mysql.format>[1]) =>
      Array.isArray(values) && values.length === 0 ? sql : mysql.format(sql, values, false, 'Z'),
    flags: ['-LOCAL_FILES', '-FOUND_ROWS'],
  };
}

/** What every session sets before anything else. MariaDB's sessions may leave CHECK constraints unheeded: what the source holds must be storable. */
export function exactSession(engine: EngineName): string {
  return [
    `SET SESSION sql_mode='${EXACT_SQL_MODE}'`,
    "time_zone='+00:00'",
    'autocommit=1',
    'sql_quote_show_create=1',
    'group_concat_max_len=16777216',
    'net_read_timeout=600',
    'net_write_timeout=600',
    'wait_timeout=28800',
    'sql_auto_is_null=0',
    'sql_safe_updates=0',
    ...(engine === 'mariadb' ? ['max_statement_time=0', 'check_constraint_checks=0'] : ['max_execution_time=0']),
  ].join(', ');
}

/**
 * An open connection in an exact session (`EXACT_SQL_MODE`, time zone +00:00, utf8mb4, REPEATABLE READ, autocommit). Dates,
 * DECIMAL, BIGINT and JSON come as strings. `localFiles`: LOAD DATA LOCAL may be sent, with its rows; the driver still gives no file away.
 * Errors: `source-unreachable` / `target-unreachable` (also while the server starts), `source-preflight` / `target-preflight`
 * when the account is refused.
 */
export async function openConnection(
  access: ServerAccess,
  { localFiles = false, patience = PATIENCE }: { readonly localFiles?: boolean; readonly patience?: Patience } = {},
): Promise<Connection> {
  let connection: Connection | null = null;
  try {
    const options = await connectionOptions(access, patience);
    connection = await mysql.createConnection(localFiles ? { ...options, flags: ['-FOUND_ROWS'] } : options);
    // An 'error' between statements (server gone) is reported by the next statement; unheard it would end the process.
    connection.on('error', () => undefined);
    await watchConnection(connection, async () => await mysql.createConnection(await connectionOptions(access, patience)), patience);
    const engine = (await serverKind(connection)).engine;
    await connection.query(exactSession(engine));
    // As a variable it is called tx_isolation or transaction_isolation, by server and version.
    await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    return connection;
  } catch (error) {
    connection?.destroy();
    throw connectionError(access, error);
  }
}

export interface ServerKind {
  readonly engine: EngineName;
  /** As the server tells it, e.g. `10.11.19-MariaDB-0+deb12u1-log`. */
  readonly version: string;
  /** major * 10000 + minor * 100 + patch. */
  readonly number: number;
}
export async function serverKind(connection: Connection): Promise<ServerKind> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT VERSION() AS version');
  return parseServerVersion(String(rows[0]?.version));
}
export function parseServerVersion(version: string): ServerKind {
  const [, major = '0', minor = '0', patch = '0'] = /(\d+)\.(\d+)\.(\d+)/.exec(version.replace(/^5\.5\.5-/, '')) ?? [];
  return {
    engine: /mariadb/i.test(version) ? 'mariadb' : 'mysql',
    version,
    number: Number(major) * 10_000 + Number(minor) * 100 + Number(patch),
  };
}

/**
 * What tells this server from every other, whatever its address: MySQL's server_uuid, MariaDB's server_uid where it exists
 * (10.10 and later).
 */
export async function serverIdentity(connection: Connection, kind: ServerKind): Promise<string> {
  const variable = kind.engine === 'mysql' ? 'server_uuid' : 'server_uid';
  const [rows] = await connection.query<RowDataPacket[]>('SHOW GLOBAL VARIABLES LIKE ?', [variable]);
  const value = rows[0]?.Value;
  if (typeof value === 'string' && value !== '') return value.replace(/[^A-Za-z0-9+/=_.-]/g, '_').replaceAll('=', '');
  const [others] = await connection.query<RowDataPacket[]>(
    'SELECT @@hostname AS host, @@port AS port, @@datadir AS dir, @@server_id AS id',
  );
  const it = others[0];
  return Buffer.from(`${it?.host}:${it?.port}:${it?.dir}:${it?.id}`).toString('base64url');
}

/** 0: names as written; 1: lower case; 2: as written, compared in lower case. */
export async function lowerCaseTableNames(connection: Connection): Promise<number> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT @@lower_case_table_names AS value');
  return Number(rows[0]?.value);
}

/** Error numbers of a refused account: 1044, 1045 (access denied), 1698 (no password), 1862 (expired), 3118 (locked), 4151 (locked, MariaDB). */
const REFUSED = new Set([1044, 1045, 1698, 1820, 1862, 3118, 4151]);

export function connectionError(access: ServerAccess, error: unknown): SrdfError {
  if (error instanceof SrdfError) return error;
  const { server, role } = access;
  const errno = (error as { errno?: number }).errno ?? 0;
  const found = error instanceof Error && error.message !== '' ? error.message : String((error as { code?: string }).code ?? error);
  const tried = `connecting to the ${role} ${describeServer(server)} as ${server.user}`;
  if (REFUSED.has(errno))
    return new SrdfError(role === 'source' ? 'source-preflight' : 'target-preflight', {
      tried,
      found,
      action: `Check the user and the password of the ${role} in srdf.yaml, and that the account may log in from this machine`,
      cause: error,
    });
  return new SrdfError(role === 'source' ? 'source-unreachable' : 'target-unreachable', {
    tried,
    found,
    action: 'Check that the server runs and that this machine may reach it; it is tried again by itself',
    cause: error,
  });
}
