/** The preflight of a source: everything that would make replication wrong or impossible, with the statement that mends it. Changes nothing. */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { EngineName, Finding, Preflight, Selection } from '../engine.js';
import { databaseInScope, tableInScope } from './binlog/scope.js';
import { lowerCaseTableNames, openConnection, type ServerAccess, type ServerKind, serverIdentity, serverKind } from './connection.js';
import { checkForeignParents } from './foreign-parents.js';
import { logEndStatement, logFilters, queryError } from './log-end.js';
import { preparedTransactions } from './prepared-transactions.js';
import { nameOf } from './ranges/sql-literals.js';
import { unshownFix, unshownFound, unshownMembers } from './schema/unshown-text.js';
import { serverTraits } from './server-traits.js';
import { checkPrivileges } from './source-privileges.js';
import { checkUnfoundRows } from './unfound-rows.js';
import { versionedFix, versionedFound } from './unreplicated.js';
import { checkZoneColumns } from './zone-columns.js';

/** MariaDB 10.5 brought binlog_row_metadata and its privileges; MySQL 8.0.1 the same, 8.0.14 the primary key in it. */
const OLDEST: Readonly<Record<EngineName, { readonly number: number; readonly text: string }>> = {
  mariadb: { number: 100_500, text: 'MariaDB 10.5' },
  mysql: { number: 80_014, text: 'MySQL 8.0.14' },
};
const SHORTEST_LOG_SECONDS = 24 * 3600;

/**
 * `serverId`: the replica id the reader will show. Errors: `source-unreachable`, `source-preflight` (the account is refused);
 * everything else is a finding.
 */
export async function inspectSource(access: ServerAccess & { readonly serverId: number }, selection: Selection): Promise<Preflight> {
  const connection = await openConnection(access);
  try {
    const kind = await serverKind(connection);
    const findings: Finding[] = [];
    const oldest = OLDEST[kind.engine];
    if (kind.number < oldest.number)
      findings.push(error('version', `${kind.version} is older than ${oldest.text}`, `Upgrade the source to ${oldest.text} or later`));
    const variables = await globalVariables(connection);
    findings.push(
      ...checkLog(kind, variables),
      ...(await checkFilters(connection, kind)),
      ...checkRetention(kind, variables),
      ...(await checkServerId(connection, kind, variables, access.serverId)),
      ...(await checkPrivileges(connection, kind, selection)),
      ...(await checkTables(connection, kind, selection)),
      ...(await checkForeignParents(connection, selection, variables.get('innodb_native_foreign_keys')?.toUpperCase() === 'OFF')),
      ...(await checkPrepared(connection)),
    );
    return {
      engine: kind.engine,
      version: kind.version,
      server: await serverIdentity(connection, kind),
      ...(await serverTraits(connection, kind)),
      findings,
    };
  } catch (cause) {
    throw queryError(cause, 'inspecting the source');
  } finally {
    connection.destroy();
  }
}

const error = (check: string, found: string, fix: string): Finding => ({ severity: 'error', check, found, fix });
const warning = (check: string, found: string, fix: string): Finding => ({ severity: 'warning', check, found, fix });

type Variables = ReadonlyMap<string, string>;
async function globalVariables(connection: Connection): Promise<Variables> {
  const [rows] = await connection.query<RowDataPacket[]>('SHOW GLOBAL VARIABLES');
  return new Map(rows.map((row) => [String(row.Variable_name).toLowerCase(), String(row.Value)]));
}

/** Pure. What the log must be like for rows to be complete and exact. */
export function checkLog(kind: ServerKind, variables: Variables): Finding[] {
  const findings: Finding[] = [];
  const value = (name: string): string => variables.get(name) ?? '';
  const isOn = (name: string): boolean => /^(1|on|yes)$/i.test(value(name));
  if (!isOn('log_bin')) {
    findings.push(
      error('log_bin', 'the server writes no binary log', 'Put log_bin=ON into the [mysqld] section of the source and restart it'),
    );
    return findings;
  }
  const wanted = (name: string, want: string): void => {
    if (value(name).toUpperCase() !== want)
      findings.push(
        error(
          name,
          `${name} is ${value(name) === '' ? 'not known to the server' : value(name)}`,
          `SET GLOBAL ${name}=${want}; (and in my.cnf; sessions that are open keep the old value until they reconnect)`,
        ),
      );
  };
  wanted('binlog_format', 'ROW');
  wanted('binlog_row_image', 'FULL');
  wanted('binlog_row_metadata', 'FULL');
  if (kind.engine === 'mysql') {
    if (value('binlog_row_value_options').toUpperCase().includes('PARTIAL_JSON'))
      findings.push(
        error('binlog_row_value_options', 'JSON is logged in part only (PARTIAL_JSON)', "SET GLOBAL binlog_row_value_options='';"),
      );
    if (value('gtid_mode').toUpperCase() !== 'ON')
      findings.push(
        error(
          'gtid_mode',
          `gtid_mode is ${value('gtid_mode')}`,
          'SET GLOBAL enforce_gtid_consistency=ON; SET GLOBAL gtid_mode=OFF_PERMISSIVE; SET GLOBAL gtid_mode=ON_PERMISSIVE; SET GLOBAL gtid_mode=ON; (and in my.cnf)',
        ),
      );
  } else if (isOn('binlog_alter_two_phase')) {
    findings.push(error('binlog_alter_two_phase', 'ALTER is logged in two phases', 'SET GLOBAL binlog_alter_two_phase=OFF;'));
  }
  if (value('binlog_checksum').toUpperCase() === 'NONE')
    findings.push(
      warning('binlog_checksum', 'events carry no checksum: damage to the log would not be noticed', 'SET GLOBAL binlog_checksum=CRC32;'),
    );
  if (value('sync_binlog') !== '1')
    findings.push(
      warning(
        'sync_binlog',
        `sync_binlog is ${value('sync_binlog')}: after a power cut the source may lack what the target has`,
        'SET GLOBAL sync_binlog=1;',
      ),
    );
  return findings;
}

async function checkFilters(connection: Connection, kind: ServerKind): Promise<Finding[]> {
  const [rows] = await connection.query<RowDataPacket[]>(logEndStatement(kind)).catch((cause: { errno?: number }) => {
    // Without the privilege: a finding of its own.
    if (cause.errno === 1227) return [[]] as [RowDataPacket[]];
    throw cause;
  });
  return logFilters(rows[0]).map(({ option, value }) =>
    error(option, `${option}=${value} hides databases from the log`, `Remove ${option} from my.cnf and restart the source`),
  );
}

/** Pure. Whether the log lives long enough for a target that was away for a while. */
export function checkRetention(kind: ServerKind, variables: Variables): Finding[] {
  const seconds = Number(variables.get('binlog_expire_logs_seconds') ?? Number(variables.get('expire_logs_days') ?? 0) * 86_400);
  if (variables.get('binlog_expire_logs_auto_purge')?.toUpperCase() === 'OFF' || seconds === 0 || seconds >= SHORTEST_LOG_SECONDS)
    return [];
  return [
    warning(
      'binlog_expire_logs_seconds',
      `the log is deleted after ${seconds} s: a target that can't be reached for longer has to be established again`,
      kind.engine === 'mariadb' && kind.number < 100_601
        ? 'SET GLOBAL expire_logs_days=7; (and in my.cnf)'
        : 'SET GLOBAL binlog_expire_logs_seconds=604800; (and in my.cnf)',
    ),
  ];
}

async function checkServerId(connection: Connection, kind: ServerKind, variables: Variables, ours: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  const theirs = Number(variables.get('server_id') ?? 0);
  if (theirs === 0)
    findings.push(
      error(
        'server_id',
        'the source has server_id 0 and serves no replicas',
        'SET GLOBAL server_id=1; (a number of its own; and in my.cnf)',
      ),
    );
  if (theirs === ours)
    findings.push(
      error('server_id', `serverId ${ours} of the stream is the source's own`, 'Give the stream another serverId in srdf.yaml'),
    );
  const statement = kind.engine === 'mysql' && kind.number >= 80_022 ? 'SHOW REPLICAS' : 'SHOW SLAVE HOSTS';
  const [rows] = await connection.query<RowDataPacket[]>(statement).catch(() => [[]] as [RowDataPacket[]]);
  if (rows.some((row) => Number(row.Server_id ?? row.Server_Id) === ours))
    findings.push(
      error('server_id', `serverId ${ours} is in use by a replica of the source`, 'Give the stream another serverId in srdf.yaml'),
    );
  return findings;
}

async function checkTables(connection: Connection, kind: ServerKind, selection: Selection): Promise<Finding[]> {
  const findings: Finding[] = [];
  const [schemas] = await connection.query<RowDataPacket[]>('SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA');
  const present = new Set(schemas.map((row) => String(row.name)));
  for (const database of selection.databases) {
    if (!databaseInScope(selection, database))
      findings.push(error('databases', `${database} is never replicated`, `Remove ${database} from databases in srdf.yaml`));
    else if (!present.has(database))
      findings.push(
        error(
          'databases',
          `the source has no database ${database}, or the account may not see it (names are compared exactly)`,
          `Correct databases in srdf.yaml, or GRANT SELECT ON \`${database}\`.* to the account`,
        ),
      );
  }
  if ((await lowerCaseTableNames(connection)) === 1)
    for (const name of [...selection.databases, ...[...selection.include, ...selection.exclude].map(nameOf)])
      if (name !== name.toLowerCase())
        findings.push(
          error(
            'lower_case_table_names',
            `the source keeps names in lower case, and srdf.yaml has ${name}`,
            `Write ${name.toLowerCase()} in srdf.yaml, at both sites`,
          ),
        );
  const databases = selection.databases.filter((it) => present.has(it));
  if (databases.length === 0) return findings;
  const [tables] = await connection.query<RowDataPacket[]>(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, ENGINE AS engine, TABLE_TYPE AS type,
       EXISTS (SELECT 1 FROM information_schema.TABLE_CONSTRAINTS c
         WHERE c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME AND c.CONSTRAINT_TYPE = 'PRIMARY KEY') AS keyed
     FROM information_schema.TABLES t WHERE TABLE_SCHEMA IN (?) AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')`,
    [databases],
  );
  const names = tables.map((row) => ({
    database: String(row.db),
    table: String(row.name),
    engine: String(row.engine ?? ''),
    keyed: Number(row.keyed) === 1,
    type: String(row.type),
  }));
  for (const wanted of selection.include)
    if (!names.some((it) => it.database === wanted.database && it.table === wanted.table))
      findings.push(
        warning(
          'include',
          `the source has no table ${wanted.database}.${wanted.table}`,
          'Correct include in srdf.yaml, unless the table is yet to be created',
        ),
      );
  for (const it of names) {
    if (!tableInScope(selection, it)) continue;
    const quoted = `\`${it.database.replaceAll('`', '``')}\`.\`${it.table.replaceAll('`', '``')}\``;
    if (it.type === 'SYSTEM VERSIONED') findings.push(error('system-versioning', versionedFound(it), versionedFix(it)));
    if (it.engine.toUpperCase() !== 'INNODB')
      findings.push(
        error(
          'engine',
          `${it.database}.${it.table} is ${it.engine}: without transactions its rows and the log can't be read at one point`,
          `ALTER TABLE ${quoted} ENGINE=InnoDB; or exclude the table`,
        ),
      );
    else if (!it.keyed)
      findings.push(
        warning(
          'primary-key',
          `${it.database}.${it.table} has no primary key: its changes are applied in source order and found by whole rows`,
          `ALTER TABLE ${quoted} ADD COLUMN id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY; now, before the stream is established: later it would number the rows of each site in another order, and the stream stops there`,
        ),
      );
  }
  if (kind.engine === 'mysql') findings.push(...(await checkUnfoundRows(connection, selection, databases)));
  findings.push(...(await checkZoneColumns(connection, selection, databases)));
  for (const it of await unshownMembers(connection, databases))
    if (tableInScope(selection, it)) findings.push(error('unshown-member', unshownFound(it), unshownFix(it)));
  const [compressed] = await connection.query<RowDataPacket[]>(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, COLUMN_NAME AS col, COLUMN_TYPE AS type FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA IN (?) AND COLUMN_TYPE LIKE '%COMPRESSED%'`,
    [databases],
  );
  for (const row of compressed)
    if (/\/\*M?!?\d* ?COMPRESSED/i.test(String(row.type)) && tableInScope(selection, { database: String(row.db), table: String(row.name) }))
      findings.push(
        error(
          'compressed-column',
          `${row.db}.${row.name}.${row.col} is a COMPRESSED column`,
          `ALTER TABLE \`${row.db}\`.\`${row.name}\` MODIFY the column without COMPRESSED; or exclude the table`,
        ),
      );
  return findings;
}

async function checkPrepared(connection: Connection): Promise<Finding[]> {
  const rows = await preparedTransactions(connection);
  // Without the privilege: a finding of its own.
  if (rows === null || rows.length === 0) return [];
  return [
    error('xa', `${rows.length} XA transactions are prepared and not committed`, 'XA RECOVER; then XA COMMIT or XA ROLLBACK each of them'),
  ];
}
