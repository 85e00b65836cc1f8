/** The accounts of README.md on throw-away servers: what works with them works with those rights and no more. */
import { randomBytes } from 'node:crypto';
import type { DatabaseServer, ServerKind } from './database-server.js';

export interface Account {
  readonly user: string;
  readonly password: string;
}

/** By role and kind: on the whole server, on each replicated database (and on `srdf` at the target), on tables of the server's own. */
interface Grants {
  readonly server: readonly string[];
  readonly database: string;
  readonly tables: readonly string[];
}
const GRANTS: Readonly<Record<'source' | 'target', Readonly<Record<ServerKind, Grants>>>> = {
  source: {
    mariadb: {
      server: ['REPLICATION SLAVE, BINLOG MONITOR'],
      database: 'SELECT, SHOW VIEW, TRIGGER, EVENT',
      // Without it MariaDB doesn't even list a routine that somebody else has defined.
      tables: ['SELECT ON mysql.proc'],
    },
    mysql: {
      server: ['REPLICATION SLAVE, REPLICATION CLIENT', 'BACKUP_ADMIN, SHOW_ROUTINE, XA_RECOVER_ADMIN'],
      database: 'SELECT, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT',
      tables: ['SELECT ON performance_schema.log_status'],
    },
  },
  target: {
    mariadb: { server: ['PROCESS, BINLOG REPLAY, BINLOG ADMIN, SET USER, READ_ONLY ADMIN'], database: 'ALL PRIVILEGES', tables: [] },
    mysql: {
      server: [
        'PROCESS',
        'BINLOG_ADMIN, SESSION_VARIABLES_ADMIN, SET_ANY_DEFINER, ALLOW_NONEXISTENT_DEFINER, SYSTEM_USER, CONNECTION_ADMIN',
      ],
      database: 'ALL PRIVILEGES',
      tables: [],
    },
  },
};

/** In a GRANT a database's name is a pattern. */
const databasePattern = (name: string): string => `\`${name.replaceAll(/[\\_%]/g, '\\$&').replaceAll('`', '``')}\``;

/** @param databases those that the stream replicates; they needn't exist yet */
export async function createAccount(server: DatabaseServer, role: 'source' | 'target', databases: readonly string[]): Promise<Account> {
  const account = { user: `srdf_${role}`, password: randomBytes(18).toString('base64url') };
  const name = `'${account.user}'@'%'`;
  const grants = GRANTS[role][server.kind];
  const scope = role === 'target' ? [...databases, 'srdf'] : databases;
  await server.sql(
    [
      `CREATE USER ${name} IDENTIFIED BY '${account.password}'`,
      ...grants.server.map((it) => `GRANT ${it} ON *.* TO ${name}`),
      ...scope.map((it) => `GRANT ${grants.database} ON ${databasePattern(it)}.* TO ${name}`),
      ...grants.tables.map((it) => `GRANT ${it} TO ${name}`),
    ].join('; '),
  );
  return account;
}
