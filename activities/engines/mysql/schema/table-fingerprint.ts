/** A hash of a table's definition, equal on both sides when the definitions are. */
import { createHash } from 'node:crypto';
import type { Connection } from 'mysql2/promise';
import type { TableName } from '../../../vocabulary.js';
import { textRows } from '../ranges/exact-query.js';
import { quoteTable } from '../ranges/sql-literals.js';

/**
 * What legitimately differs between two sides that hold the same: the next AUTO_INCREMENT value; and MySQL shows the character set
 * beside a column's collation once it was written out, as it is in the very statement that SHOW CREATE TABLE gives. Pure.
 */
export const normaliseDefinition = (definition: string): string =>
  definition
    .replace(/( |\))AUTO_INCREMENT=\d+ ?/g, '$1')
    .replace(/ CHARACTER SET \w+(?= COLLATE \w+)/g, '')
    .trimEnd();

/** SHA-256 of SHOW CREATE TABLE without the next AUTO_INCREMENT value, hex. */
export async function tableFingerprint(connection: Connection, table: TableName): Promise<string> {
  await connection.query('SET SESSION character_set_results=utf8mb4');
  const [row] = await textRows(connection, `SHOW CREATE TABLE ${quoteTable(table)}`);
  return createHash('sha256')
    .update(normaliseDefinition(row?.[1] ?? ''))
    .digest('hex');
}
