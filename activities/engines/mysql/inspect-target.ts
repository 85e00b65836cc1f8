/** Preflight of a target: everything that would make applying wrong or impossible, with the statement that mends it. Changes nothing. */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { dumpCommand } from '../../../config/dump-command.js';
import type { EngineName, Finding, Preflight, Selection } from '../engine.js';
import { unfitSettings } from './apply/target-settings.js';
import { openConnection, type ServerAccess, type ServerKind, serverIdentity, serverKind } from './connection.js';
import { HeldPrivileges } from './held-privileges.js';
import { quoteName } from './ranges/sql-literals.js';
import { serverTraits } from './server-traits.js';
import { grantStatements, targetNeeds } from './target-privileges.js';

/** A row of 16 MiB needs 22 in base64; what is less than this is too little for rows that sources hold. */
const LEAST_PACKET = 64 * 2 ** 20;
const ALSO_IN_FILE = '; also in the target’s configuration file';

export async function inspectTarget(
  access: ServerAccess,
  engine: EngineName,
  selection: Selection,
  mustBeEmpty: boolean,
): Promise<Preflight> {
  const connection = await openConnection(access);
  try {
    const kind = await serverKind(connection);
    const server = await serverIdentity(connection, kind);
    const findings =
      kind.engine === engine
        ? [
            ...versionFindings(kind),
            ...(await privilegeFindings(connection, kind, selection)),
            ...(await variableFindings(connection, kind)),
            ...(await unfitSettings(connection, kind.engine)).map(({ variable, value, why, mend }) =>
              finding('error', variable, `${value}: ${why}`, `${mend}${mend.startsWith('SET ') ? ALSO_IN_FILE : ''}`),
            ),
            ...(mustBeEmpty ? await contentFindings(connection, engine, selection) : []),
          ]
        : [wrongFamily(engine, kind)];
    return { engine, version: kind.version, server, ...(await serverTraits(connection, kind)), findings };
  } finally {
    connection.destroy();
  }
}

const finding = (severity: Finding['severity'], check: string, found: string, fix: string): Finding => ({ severity, check, found, fix });

const wrongFamily = (engine: EngineName, kind: ServerKind): Finding =>
  finding(
    'error',
    'engine',
    `the target is ${kind.version}, and the stream’s engine is ${engine}`,
    'Point the stream’s target in srdf.yaml at a server of the source’s kind',
  );

/** Below these, a DDL statement isn't one step, and a crash in its middle can't be told from none. */
function versionFindings(kind: ServerKind): readonly Finding[] {
  const least = kind.engine === 'mariadb' ? 100_600 : 80_000;
  if (kind.number >= least) return [];
  return [
    finding('error', 'version', kind.version, `Install ${kind.engine === 'mariadb' ? 'MariaDB 10.6' : 'MySQL 8.0'} or later on the target`),
  ];
}

/** What lacks is granted at once: one statement for each place. */
async function privilegeFindings(connection: Connection, kind: ServerKind, selection: Selection): Promise<readonly Finding[]> {
  const held = await HeldPrivileges.read(connection);
  const needs = targetNeeds(kind.engine, kind.number, selection.databases);
  const missing = held.missing(needs, { ...selection, include: [] });
  const surplus = held.surplus(needs);
  if (missing.length === 0) return surplus;
  const lacks = missing.map(({ fix }) => fix.slice('GRANT '.length, fix.lastIndexOf(' TO ')));
  const fix = grantStatements(kind.engine, kind.number, held.account, selection.databases).join('; ');
  return [finding('error', 'privileges', `${held.account} lacks ${lacks.join(', ')}`, fix), ...surplus];
}

async function variableFindings(connection: Connection, kind: ServerKind): Promise<readonly Finding[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN ('max_allowed_packet', 'read_only', 'super_read_only', 'event_scheduler', 'log_bin',
       'log_bin_trust_function_creators', 'binlog_format', 'innodb_read_only', 'default_storage_engine', 'binlog_row_image')`,
  );
  const value = new Map(rows.map((row) => [String(row.Variable_name), String(row.Value).toUpperCase()]));
  const on = (name: string): boolean => ['ON', '1'].includes(value.get(name) ?? '');
  const list: Finding[] = [];
  if (Number(value.get('max_allowed_packet')) < LEAST_PACKET)
    list.push(
      finding(
        'error',
        'max_allowed_packet',
        `${value.get('max_allowed_packet')} bytes: a row must fit as base64`,
        'SET GLOBAL max_allowed_packet = 1073741824; also max_allowed_packet=1G in the target’s configuration file',
      ),
    );
  if (on('super_read_only')) list.push(finding('error', 'super_read_only', 'ON: nobody can write', 'SET GLOBAL super_read_only = OFF'));
  if (on('innodb_read_only'))
    list.push(finding('error', 'innodb_read_only', 'ON: nobody can write', 'Start the target without innodb_read_only'));
  if (!on('read_only'))
    list.push(
      finding(
        'warning',
        'read_only',
        'OFF: an application could write to the target by mistake',
        'SET GLOBAL read_only = ON; SRDF’s account may still write',
      ),
    );
  if (on('event_scheduler'))
    list.push(
      finding(
        'warning',
        'event_scheduler',
        'ON: events of other databases run here',
        'SET GLOBAL event_scheduler = OFF, unless they are meant to',
      ),
    );
  if (on('log_bin') && !on('log_bin_trust_function_creators'))
    list.push(
      finding(
        'error',
        'log_bin_trust_function_creators',
        'OFF, with the binary log on: routines and triggers of the source would be refused',
        `SET GLOBAL log_bin_trust_function_creators = ON${ALSO_IN_FILE}`,
      ),
    );
  if (on('log_bin') && value.get('binlog_format') === 'STATEMENT')
    list.push(finding('error', 'binlog_format', 'STATEMENT: rows can’t be logged so', `SET GLOBAL binlog_format = ROW${ALSO_IN_FILE}`));
  if (kind.engine === 'mysql' && value.get('default_storage_engine') !== 'INNODB')
    list.push(
      finding(
        'warning',
        'default_storage_engine',
        String(value.get('default_storage_engine')),
        'SET GLOBAL default_storage_engine = InnoDB',
      ),
    );
  const [engines] = await connection.query<RowDataPacket[]>(
    "SELECT SUPPORT AS support FROM information_schema.ENGINES WHERE ENGINE = 'InnoDB'",
  );
  if (!['YES', 'DEFAULT'].includes(String(engines[0]?.support)))
    list.push(finding('error', 'innodb', 'not there', 'Start the target with InnoDB: only its tables have transactions'));
  return list;
}

async function contentFindings(connection: Connection, engine: EngineName, selection: Selection): Promise<readonly Finding[]> {
  const list: Finding[] = [];
  for (const database of selection.databases) {
    const [rows] = await connection.query<RowDataPacket[]>(
      `SELECT (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?) AS tableCount,
         (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?) AS routines,
         (SELECT COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ?) AS events`,
      [database, database, database],
    );
    const counts = [
      [Number(rows[0]?.tableCount), 'tables and views'],
      [Number(rows[0]?.routines), 'routines'],
      [Number(rows[0]?.events), 'events'],
    ] as const;
    const there = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
    if (there.length > 0)
      list.push(
        finding(
          'error',
          'target-not-empty',
          `the target’s database ${database} holds ${there.join(', ')}`,
          `Save them first, since they may be the only ones of their kind, on the target: ${dumpCommand(engine, [database], 'before-establish.sql')}. If nobody needs them: DROP DATABASE ${quoteName(database)}`,
        ),
      );
  }
  return list;
}
