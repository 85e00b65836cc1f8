/** The privileges of the account that applies: the least with which every step was seen to work, as a GRANT statement. Pure. */
import type { EngineName } from '../engine.js';
import { databasePattern, type Needs } from './held-privileges.js';

/** On every replicated database and on `srdf`, whether it is there already or not. */
const DATABASE_PRIVILEGES = [
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'CREATE',
  'DROP',
  'ALTER',
  'INDEX',
  'REFERENCES',
  'CREATE VIEW',
  'SHOW VIEW',
  'CREATE ROUTINE',
  'ALTER ROUTINE',
  'EXECUTE',
  'TRIGGER',
  'EVENT',
] as const;

/**
 * PROCESS: InnoDB's table numbers, which tell after a crash whether a statement has run. BINLOG …: rows as events. The others: an
 * object keeps its DEFINER, a statement runs in the source's session, and all of it on a server that is read-only for others.
 * `version`: major * 10000 + minor * 100 + patch.
 */
function serverPrivileges(engine: EngineName, version: number): readonly string[] {
  if (engine === 'mariadb') return ['PROCESS', 'BINLOG REPLAY', 'BINLOG ADMIN', 'SET USER', 'READ_ONLY ADMIN'];
  // MySQL 8.2 took SET_USER_ID apart.
  const definers = version >= 80_200 ? ['SET_ANY_DEFINER', 'ALLOW_NONEXISTENT_DEFINER'] : ['SET_USER_ID'];
  return ['PROCESS', 'BINLOG_ADMIN', 'SESSION_VARIABLES_ADMIN', ...definers, 'SYSTEM_USER', 'CONNECTION_ADMIN'];
}

export const targetNeeds = (engine: EngineName, version: number, databases: readonly string[]): Needs => ({
  server: serverPrivileges(engine, version).map((it) => ({ anyOf: [it], why: 'to apply what the source has logged' })),
  database: DATABASE_PRIVILEGES.map((it) => ({ anyOf: [it], why: 'to apply what the source has logged' })),
  databases: [...databases, 'srdf'],
  tables: [],
  ownDatabases: true,
});

/** `account`: quoted, e.g. `'srdf'@'%'`. MySQL doesn't take both kinds of server privileges in one statement. */
export function grantStatements(engine: EngineName, version: number, account: string, databases: readonly string[]): readonly string[] {
  const [process = 'PROCESS', ...dynamic] = serverPrivileges(engine, version);
  return [
    `GRANT ${process} ON *.* TO ${account}`,
    `GRANT ${dynamic.join(', ')} ON *.* TO ${account}`,
    ...[...databases, 'srdf'].map((it) => `GRANT ${DATABASE_PRIVILEGES.join(', ')} ON ${databasePattern(it)}.* TO ${account}`),
  ];
}
