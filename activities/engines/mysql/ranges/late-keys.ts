/**
 * A large table's secondary keys are made once its rows are in: sorted at one go, instead of looked for a place at for each row, which costs
 * a third of the work and, once a key is larger than the server's memory, most of it.
 */
import type { Connection } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { BootstrapId, StreamName, TableName } from '../../../vocabulary.js';
import { normaliseDefinition } from '../schema/table-fingerprint.js';
import { shownTable } from '../schema/unshown-text.js';
import { alone } from './alone.js';
import { isLoaded, requireLoading } from './bootstrap-bookkeeping.js';
import { textRows, UTF8_RESULTS } from './exact-query.js';
import { keysToPutOff, type PlainKey } from './plain-keys.js';
import { nameOf, quoteName, quoteTable } from './sql-literals.js';

/**
 * Takes the keys away from a table into which nothing is loaded yet. What they are is written down before, so that whatever happens `makeKeys` knows.
 * Repeatable; does nothing where a key is needed meanwhile.
 */
export async function putOffKeys(connection: Connection, stream: StreamName, bootstrap: BootstrapId, table: TableName): Promise<void> {
  const tried = `preparing ${nameOf(table)} for its rows`;
  await connection.query(UTF8_RESULTS);
  await alone(connection, stream, table, tried, async () => {
    await requireLoading(connection, stream, bootstrap, tried);
    if (await isLoaded(connection, stream, table)) return;
    const definition = await shownTable(connection, table);
    if (definition === null || (await isReferenced(connection, table))) return;
    const keys = keysToPutOff(definition);
    if (keys.length === 0) return;
    // A repetition finds the definition written down, and some or none of the keys.
    await connection.query('INSERT IGNORE INTO srdf.bootstrap_keys VALUES (?, ?, ?, ?, ?)', [
      stream,
      bootstrap,
      table.database,
      table.table,
      definition,
    ]);
    await connection.query(`ALTER TABLE ${quoteTable(table)} ${keys.map((it) => `DROP KEY ${quoteName(it.name)}`).join(', ')}`);
  });
}

/**
 * Makes the keys that were put off. Repeatable. Throws `bootstrap-range-lost` when the table then isn't what it was.
 */
export async function makeKeys(connection: Connection, stream: StreamName, bootstrap: BootstrapId, table: TableName): Promise<void> {
  const tried = `making the keys of ${nameOf(table)}`;
  await connection.query(UTF8_RESULTS);
  await alone(connection, stream, table, tried, async () => {
    await requireLoading(connection, stream, bootstrap, tried);
    const about = [stream, bootstrap, table.database, table.table];
    const where = 'stream = ? AND bootstrap = ? AND database_name = ? AND table_name = ?';
    const [row] = await textRows(connection, `SELECT definition FROM srdf.bootstrap_keys WHERE ${where}`, about);
    const wanted = row?.[0];
    if (wanted === undefined || wanted === null) return;
    const there = keysToPutOff((await shownTable(connection, table)) ?? '');
    const missing = keysToPutOff(wanted).filter((key) => !there.some((it) => it.name === key.name));
    if (missing.length > 0) await addKeys(connection, table, missing);
    const now = (await shownTable(connection, table)) ?? '';
    if (normaliseDefinition(now) !== normaliseDefinition(wanted))
      throw new SrdfError('bootstrap-range-lost', {
        tried,
        found: 'the table is in another form than before its rows were loaded',
        action: 'The table is copied anew',
      });
    await connection.query(`DELETE FROM srdf.bootstrap_keys WHERE ${where}`, about);
  });
}

/** Tables whose keys are still to be made: none may be left when the catch-up begins. */
export async function tablesWithoutKeys(connection: Connection, stream: StreamName, bootstrap: BootstrapId): Promise<readonly string[]> {
  const rows = await textRows(connection, 'SELECT database_name, table_name FROM srdf.bootstrap_keys WHERE stream = ? AND bootstrap = ?', [
    stream,
    bootstrap,
  ]);
  return rows.map(([database, table]) => `${database}.${table}`);
}

async function addKeys(connection: Connection, table: TableName, keys: readonly PlainKey[]): Promise<void> {
  await connection.query(`ALTER TABLE ${quoteTable(table)} ${keys.map((it) => `ADD ${it.definition}`).join(', ')}`);
}

/** A foreign key of another table may stand on any of its keys. */
async function isReferenced(connection: Connection, table: TableName): Promise<boolean> {
  const [row] = await textRows(
    connection,
    'SELECT COUNT(*) FROM information_schema.key_column_usage WHERE referenced_table_schema = ? AND referenced_table_name = ?',
    [table.database, table.table],
  );
  return row?.[0] !== '0';
}
