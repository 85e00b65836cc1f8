/**
 * What the catalogues of both servers can't show: their own text is utf8mb3, so that a character beyond it (an emoji) comes as `?` in the
 * members of an ENUM or SET, and on MariaDB in a column's default, in SHOW CREATE TABLE and information_schema alike. MySQL also shows
 * expressions so, unless the session asks for results without a character set.
 */
import type { Connection } from 'mysql2/promise';
import type { TableName } from '../../../vocabulary.js';
import { rawRows, textRows, UTF8_RESULTS } from '../ranges/exact-query.js';
import { bytesLiteral, quoteName, quoteTable } from '../ranges/sql-literals.js';

/** Character sets that hold more than utf8mb3 does. */
const WIDE = "('utf8mb4', 'utf16', 'utf16le', 'utf32', 'gb18030')";

export interface UnshownMember extends TableName {
  readonly column: string;
}

/** What SHOW CREATE TABLE says, as it is: null when it isn't shown. The session's results are UTF-8 afterwards. */
export async function shownTable(connection: Connection, name: TableName): Promise<string | null> {
  await connection.query('SET SESSION character_set_results=NULL');
  const [row] = await textRows(connection, `SHOW CREATE TABLE ${quoteTable(name)}`);
  await connection.query(UTF8_RESULTS);
  return row?.[1] ?? null;
}

/** ENUM and SET columns with a `?` among their members: one that is meant can't be told from one that stands for something else. */
export async function unshownMembers(connection: Connection, databases: readonly string[]): Promise<readonly UnshownMember[]> {
  if (databases.length === 0) return [];
  const rows = await textRows(
    connection,
    `SELECT table_schema, table_name, column_name FROM information_schema.columns WHERE table_schema IN (?)
     AND data_type IN ('enum', 'set') AND character_set_name IN ${WIDE} AND column_type LIKE '%?%' ORDER BY 1, 2, ordinal_position`,
    [databases],
  );
  return rows.map(([database, table, column]) => ({ database: database ?? '', table: table ?? '', column: column ?? '' }));
}

export const unshownFound = ({ database, table, column }: UnshownMember): string =>
  `${database}.${table}.${column} has a ? among its members, which may stand for a character beyond utf8mb3 that the server doesn't show`;
export const unshownFix = (it: UnshownMember): string =>
  `ALTER TABLE ${quoteTable(it)} MODIFY ${quoteName(it.column)} with other members; or exclude the table`;

/** Statements that give a table's columns the defaults that its definition shows as `?`; DEFAULT(column) has them exactly, rows or none. */
export async function unshownDefaults(connection: Connection, name: TableName): Promise<readonly string[]> {
  const columns = await textRows(
    connection,
    `SELECT column_name FROM information_schema.columns WHERE table_schema = ? AND table_name = ? AND data_type IN ('char', 'varchar')
     AND character_set_name IN ${WIDE} AND column_default LIKE '''%?%'''`,
    [name.database, name.table],
  );
  const statements: string[] = [];
  for (const [column] of columns) {
    const quoted = quoteName(column ?? '');
    const [row] = await rawRows(
      connection,
      `SELECT CONVERT(DEFAULT(t.${quoted}) USING utf8mb4) FROM (SELECT 1 AS one) AS o LEFT JOIN ${quoteTable(name)} AS t ON FALSE`,
    );
    const value = row?.[0];
    if (value === null || value === undefined)
      throw new RangeError(`${name.database}.${name.table}.${column}: the server doesn't tell its default`);
    // In the definition such a character is one `?`; whatever else the text holds, it has been shown.
    if ([...Buffer.from(value).toString('utf8')].some((character) => (character.codePointAt(0) ?? 0) > 0xffff))
      statements.push(`ALTER TABLE ${quoteTable(name)} ALTER COLUMN ${quoted} SET DEFAULT ${bytesLiteral(value, 'utf8mb4')}`);
  }
  return statements;
}
