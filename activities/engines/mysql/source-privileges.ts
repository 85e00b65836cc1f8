/** The privileges of the account that reads the source: what lacks, each with its GRANT. */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Finding } from '../engine.js';
import type { ServerKind } from './connection.js';
import { missingRoutineGrant } from './schema/routine-privilege.js';

const error = (check: string, found: string, fix: string): Finding => ({ severity: 'error', check, found, fix });

/** Global privileges, by engine and version; the first of each line that is held suffices. */
function neededPrivileges(kind: ServerKind): readonly { readonly anyOf: readonly string[]; readonly why: string }[] {
  if (kind.engine === 'mariadb')
    return [
      { anyOf: ['REPLICATION SLAVE'], why: 'to read the log' },
      { anyOf: ['BINLOG MONITOR', 'REPLICATION CLIENT', 'SUPER'], why: "to ask for the log's end" },
      { anyOf: ['SELECT'], why: 'to copy and compare rows' },
      { anyOf: ['SHOW VIEW'], why: 'to describe views' },
      { anyOf: ['TRIGGER'], why: 'to describe triggers' },
      { anyOf: ['EVENT'], why: 'to describe events' },
    ];
  return [
    { anyOf: ['REPLICATION SLAVE'], why: 'to read the log' },
    { anyOf: ['REPLICATION CLIENT', 'SUPER'], why: "to ask for the log's end" },
    {
      anyOf: ['BACKUP_ADMIN'],
      why: 'to read performance_schema.log_status, the one place that tells a position and what is visible at it together',
    },
    { anyOf: ['SELECT'], why: 'to copy and compare rows' },
    { anyOf: ['LOCK TABLES'], why: 'to note where in the log the snapshot of a table without primary key stands' },
    { anyOf: ['SHOW VIEW'], why: 'to describe views' },
    { anyOf: ['TRIGGER'], why: 'to describe triggers' },
    { anyOf: ['EVENT'], why: 'to describe events' },
  ];
}
/** Of these, a grant on the selected databases suffices. */
const BY_DATABASE = new Set(['LOCK TABLES', 'SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT']);

export async function checkRoutines(connection: Connection, kind: ServerKind): Promise<Finding[]> {
  const lacks = await missingRoutineGrant(connection, kind);
  return lacks === null
    ? []
    : [error('privileges', 'the account may not see every routine, and the server wouldn’t say so: they would be left out', lacks)];
}

export async function checkPrivileges(connection: Connection, kind: ServerKind): Promise<Finding[]> {
  const [accounts] = await connection.query<RowDataPacket[]>('SELECT CURRENT_USER() AS account');
  const [user = '', host = '%'] = String(accounts[0]?.account).split(/@(?=[^@]*$)/);
  const account = `'${user}'@'${host}'`;
  const [rows] = await connection.query<RowDataPacket[]>('SHOW GRANTS');
  const grants = rows.map((row) => String(Object.values(row)[0]).toUpperCase());
  const held = (privilege: string, anywhere: boolean): boolean =>
    grants.some((grant) => {
      const [, list = '', target = ''] = /^GRANT (.*) ON (\S+) TO /.exec(grant) ?? [];
      if (target !== '*.*' && (!anywhere || /^`?(MYSQL|PERFORMANCE_SCHEMA|SYS)`?\./.test(target))) return false;
      const names = list.split(',').map((it) => it.trim());
      return names.includes(privilege) || names.includes('ALL PRIVILEGES') || names.includes('ALL');
    });
  return neededPrivileges(kind)
    .filter(({ anyOf }) => !anyOf.some((it) => held(it, BY_DATABASE.has(it))))
    .map(({ anyOf, why }) => error('privileges', `${account} lacks ${anyOf[0]}, needed ${why}`, `GRANT ${anyOf[0]} ON *.* TO ${account};`))
    .concat(kind.engine === 'mysql' ? await checkLogStatus(connection, account) : []);
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
