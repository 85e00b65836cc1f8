/** The privileges of the account that reads the source: what lacks, and what is more than needed, each with its statement. */
import type { Connection } from 'mysql2/promise';
import type { Finding, Selection } from '../engine.js';
import type { ServerKind } from './connection.js';
import { HeldPrivileges, type Needs } from './held-privileges.js';
import { missingRoutineGrant } from './schema/routine-privilege.js';

const error = (check: string, found: string, fix: string): Finding => ({ severity: 'error', check, found, fix });

function needsOf(kind: ServerKind, { databases }: Selection): Needs {
  const read = { anyOf: ['REPLICATION SLAVE'], why: 'to read the log' };
  const ask = "to ask for the log's end";
  const describe = [
    { anyOf: ['SELECT'], why: 'to copy and compare rows' },
    { anyOf: ['SHOW VIEW'], why: 'to describe views' },
    { anyOf: ['TRIGGER'], why: 'to describe triggers' },
    { anyOf: ['EVENT'], why: 'to describe events' },
  ];
  if (kind.engine === 'mariadb')
    return {
      server: [read, { anyOf: ['BINLOG MONITOR', 'REPLICATION CLIENT', 'SUPER'], why: ask }],
      database: describe,
      databases,
      tables: ['mysql.proc'],
      ownDatabases: false,
    };
  return {
    server: [
      read,
      { anyOf: ['REPLICATION CLIENT', 'SUPER'], why: ask },
      {
        anyOf: ['BACKUP_ADMIN'],
        why: 'to read performance_schema.log_status, the one place that tells a position and what is visible at it together',
      },
      {
        anyOf: ['XA_RECOVER_ADMIN'],
        why: 'to see prepared XA transactions: one that is prepared before a copy and committed behind it would be in neither copy nor log',
      },
    ],
    database: [...describe, { anyOf: ['LOCK TABLES'], why: 'to note where in the log the snapshot of a table without primary key stands' }],
    databases,
    tables: ['performance_schema.log_status'],
    ownDatabases: false,
  };
}
/** Harmless beside what is needed: other ways to see routines and to lock a table; never SUPER, though it would do instead. */
const HARMLESS: Readonly<Record<ServerKind['engine'], { readonly server: readonly string[]; readonly database: readonly string[] }>> = {
  mariadb: { server: ['SHOW CREATE ROUTINE'], database: ['LOCK TABLES', 'SHOW CREATE ROUTINE'] },
  mysql: { server: ['SHOW_ROUTINE'], database: [] },
};

export async function checkPrivileges(connection: Connection, kind: ServerKind, selection: Selection): Promise<Finding[]> {
  const held = await HeldPrivileges.read(connection);
  const needs = needsOf(kind, selection);
  const harmless = HARMLESS[kind.engine];
  const optional = (list: readonly string[]) => [{ anyOf: list, why: '' }];
  const enough = {
    ...needs,
    server: [...needs.server.map((it) => ({ ...it, anyOf: it.anyOf.filter((name) => name !== 'SUPER') })), ...optional(harmless.server)],
    database: [...needs.database, ...optional(harmless.database)],
  };
  const lacks = await missingRoutineGrant(connection, kind);
  return [
    ...held.missing(needs, selection),
    ...(kind.engine === 'mysql' ? await checkLogStatus(connection, held.account) : []),
    ...(lacks === null
      ? []
      : [error('privileges', 'the account may not see every routine, and the server wouldn’t say so: they would be left out', lacks)]),
    ...held.surplus(kind.engine === 'mysql' ? { ...needs, server: [...needs.server, ...optional(harmless.server)] } : needs, enough),
  ];
}

/** The server alone knows whether a role or a wider grant allows it. 1142: the table's privilege lacks; BACKUP_ADMIN is asked for after it. */
async function checkLogStatus(connection: Connection, account: string): Promise<Finding[]> {
  try {
    await connection.query('SELECT 1 FROM performance_schema.log_status');
  } catch (cause) {
    if ((cause as { errno?: number }).errno === 1142)
      return [
        error(
          'privileges',
          `${account} lacks SELECT on performance_schema.log_status, the one place that tells a position and what is visible at it together`,
          `GRANT SELECT ON performance_schema.log_status TO ${account};`,
        ),
      ];
    if ((cause as { errno?: number }).errno !== 1227) throw cause;
  }
  return [];
}
