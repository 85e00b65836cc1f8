/** A hash of a table's definition, equal on both sides when the definitions are. */
import { createHash } from 'node:crypto';
import type { Connection } from 'mysql2/promise';
import type { TableName } from '../../../vocabulary.js';
import { textRows } from '../ranges/exact-query.js';
import { quoteTable } from '../ranges/sql-literals.js';

/** What legitimately differs between two sides that hold the same: the next AUTO_INCREMENT value. Pure. */
export const normaliseDefinition = (definition: string): string => definition.replace(/( |\))AUTO_INCREMENT=\d+ ?/g, '$1').trimEnd();

/** SHA-256 of SHOW CREATE TABLE without the next AUTO_INCREMENT value, hex. */
export async function tableFingerprint(connection: Connection, table: TableName): Promise<string> {
  await connection.query('SET SESSION character_set_results=utf8mb4');
  const [row] = await textRows(connection, `SHOW CREATE TABLE ${quoteTable(table)}`);
  return createHash('sha256')
    .update(normaliseDefinition(row?.[1] ?? ''))
    .digest('hex');
}
