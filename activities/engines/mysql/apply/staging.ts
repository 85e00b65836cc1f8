/**
 * Tables in `srdf` that have a replicated table's form without its unique keys and foreign keys: row images are put there
 * first, and from there into the table by SQL, so that idempotent statements handle every type without a value passing through text.
 */
import { createHash } from 'node:crypto';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { TableName } from '../../../vocabulary.js';
import { quoteName, quoteTable } from '../ranges/sql-literals.js';
import type { TableFacts } from './table-facts.js';

export const STAGING_PREFIX = 'staging_';

export const stagingName = (it: TableName): TableName => ({
  database: 'srdf',
  table: STAGING_PREFIX + createHash('sha256').update(`${it.database}\0${it.table}`).digest('hex').slice(0, 24),
});

/**
 * Creates it anew. `connection` mustn't be the one whose transaction is open: CREATE TABLE would end that.
 * Two changes of one wagon may hold the same unique value at different times, so only the primary key stays.
 */
export async function createStaging(connection: Connection, facts: TableFacts): Promise<void> {
  const staging = stagingName(facts);
  await connection.query(`DROP TABLE IF EXISTS ${quoteTable(staging)}`);
  await connection.query(`CREATE TABLE ${quoteTable(staging)} LIKE ${quoteTable(facts)}`);
  if (facts.uniqueKeys.length === 0) return;
  const drops = facts.uniqueKeys.map((key) => `DROP INDEX ${quoteName(key.name)}`);
  // An AUTO_INCREMENT column must lead some key.
  if (facts.autoIncrement !== null && facts.primaryKey[0] !== facts.autoIncrement)
    drops.push(`ADD INDEX srdf_auto_increment (${quoteName(facts.autoIncrement)})`);
  await connection.query(`ALTER TABLE ${quoteTable(staging)} ${drops.join(', ')}`);
}

export async function dropStaging(connection: Connection): Promise<void> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'srdf' AND TABLE_NAME LIKE '${STAGING_PREFIX.replace('_', '\\_')}%'`,
  );
  for (const row of rows) await connection.query(`DROP TABLE IF EXISTS srdf.${quoteName(String(row.name))}`);
}

/** Removes the rows of the table whose primary keys lie in its staging table. No alias: MariaDB looks for one in the default database, and there is none. */
export function deleteStaged(facts: TableFacts): string {
  const [table, staging] = [quoteTable(facts), quoteTable(stagingName(facts))];
  const on = facts.primaryKey.map((name) => `${table}.${quoteName(name)} = ${staging}.${quoteName(name)}`).join(' AND ');
  return `DELETE FROM ${table} USING ${table} JOIN ${staging} ON ${on}`;
}
/** Puts the staged rows into the table, in the place of whatever stands in their way on any unique key. */
export function replaceStaged(facts: TableFacts): string {
  const columns = facts.columns
    .filter((name) => !facts.generated.has(name))
    .map(quoteName)
    .join(', ');
  return `REPLACE INTO ${quoteTable(facts)} (${columns}) SELECT ${columns} FROM ${quoteTable(stagingName(facts))}`;
}
export const clearStaged = (facts: TableFacts): string => `DELETE FROM ${quoteTable(stagingName(facts))}`;
