/** The accounts of README.md on throw-away servers: what works with them works with those rights and no more. */
import { randomBytes } from 'node:crypto';
import type { DatabaseServer, ServerKind } from './database-server.js';

export interface Account {
  readonly user: string;
  readonly password: string;
}

const GRANTS: Readonly<Record<'source' | 'target', Readonly<Record<ServerKind, { readonly server: string; readonly database: string }>>>> =
  {
    source: {
      // Without mysql.proc MariaDB doesn't even list a routine that somebody else has defined.
      mariadb: {
        server: 'REPLICATION SLAVE, BINLOG MONITOR, SLAVE MONITOR',
        database: 'SELECT, SHOW VIEW, TRIGGER, EVENT',
        more: 'SELECT ON mysql.proc',
      },
      mysql: { server: 'REPLICATION SLAVE, REPLICATION CLIENT, BACKUP_ADMIN, SHOW_ROUTINE', database: 'SELECT, SHOW VIEW, TRIGGER, EVENT' },
    },
    target: {
      mariadb: { server: 'ALL PRIVILEGES', database: 'ALL PRIVILEGES' },
      mysql: { server: 'ALL PRIVILEGES', database: 'ALL PRIVILEGES' },
    },
  };

const TABLE_GRANTS: Readonly<Partial<Record<'source' | 'target', Readonly<Record<ServerKind, string>>>>> = {
  source: { mariadb: 'SELECT ON mysql.proc', mysql: 'SELECT ON performance_schema.log_status' },
};

/** @param databases those that the stream replicates; they needn't exist yet */
export async function createAccount(server: DatabaseServer, role: 'source' | 'target', databases: readonly string[]): Promise<Account> {
  const account = { user: `srdf_${role}`, password: randomBytes(18).toString('base64url') };
  const name = `'${account.user}'@'%'`;
  const grants = GRANTS[role][server.kind];
  const table = TABLE_GRANTS[role]?.[server.kind];
  await server.sql(
    [
      `CREATE USER ${name} IDENTIFIED BY '${account.password}'`,
      `GRANT ${grants.server} ON *.* TO ${name}`,
      ...(table === undefined ? [] : [`GRANT ${table} TO ${name}`]),
      ...(grants.more === undefined ? [] : [`GRANT ${grants.more} TO ${name}`]),
      ...databases.map((it) => `GRANT ${grants.database} ON \`${it}\`.* TO ${name}`),
    ].join('; '),
  );
  return account;
}
