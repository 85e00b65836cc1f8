/**
 * While catching up: a deletion that is repeated may take rows which didn't hang on the deleted row then, since they were moved under its
 * key before they were copied. The log writes such a row again when it comes to the move, but nothing writes what hung on it in
 * turn. So what a deletion takes and others hang on is remembered. A row that is inserted next was rightly taken: what hangs on it came
 * later and is in the log as well. One that is changed next was there all the time.
 */
import type { Connection, ResultSetHeader } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { StreamName, TableName } from '../../../vocabulary.js';
import { textRows } from '../ranges/exact-query.js';
import { nameOf, quoteName, quoteTable, textLiteral } from '../ranges/sql-literals.js';
import type { TargetForeignKey } from './foreign-keys.js';
import { clearStaged, stagingName } from './staging.js';
import type { TableFacts } from './table-facts.js';

export interface TakenContext {
  readonly connection: Connection;
  readonly stream: StreamName;
  readonly doing: string;
  /** Tables of which rows are remembered, by `nameOf`. */
  readonly remembered: Set<string>;
  /** The target's. */
  foreignKeys(): Promise<readonly TargetForeignKey[]>;
  factsOf(table: TableName): Promise<TableFacts>;
  /** Makes sure that the staging table is there, empty. */
  stage(table: TableFacts): Promise<void>;
}

const same = (a: TableName, b: TableName): boolean => a.database === b.database && a.table === b.table;

/** Pure. The foreign keys by which a deletion in `parent` deletes rows that others hang on, at any depth. */
export function leadingKeys(keys: readonly TargetForeignKey[], parent: TableName): readonly TargetForeignKey[] {
  const found: TargetForeignKey[] = [];
  const visit = (table: TableName): void => {
    for (const key of keys) {
      if (!key.deletes || !same(key.parent, table) || found.includes(key)) continue;
      if (!keys.some((it) => it.cascades && same(it.parent, key.child))) continue;
      found.push(key);
      visit(key.child);
    }
  };
  visit(parent);
  return found;
}

/**
 * Called with the rows about to be deleted staged. Stages what goes with them, and remembers of it what others hang on. Throws
 * `bootstrap-unsettled` where rows without identity are among it.
 */
export async function rememberTaken(leading: readonly TargetForeignKey[], context: TakenContext): Promise<void> {
  const { connection, doing } = context;
  const tables = new Map<TargetForeignKey, TableFacts>();
  for (const key of leading) {
    const facts = await context.factsOf(key.child);
    await context.stage(facts);
    tables.set(key, facts);
  }
  for (let found = 1; found > 0; ) {
    found = 0;
    for (const [key, facts] of tables) {
      if (facts.primaryKey.length > 0) found += await changed(connection, stageChildren(key, facts));
      else if ((await textRows(connection, `SELECT 1 ${hanging(key)} LIMIT 1`)).length > 0) throw withoutIdentity(key, doing);
    }
  }
  const keys = await context.foreignKeys();
  for (const facts of tables.values())
    for (const key of facts.primaryKey.length === 0 ? [] : keys.filter((it) => it.cascades && same(it.parent, facts))) {
      const row = [context.stream, facts.database, facts.table].map(textLiteral).join(', ');
      const rows = await changed(
        connection,
        `INSERT IGNORE INTO srdf.taken_rows (stream, database_name, table_name, row_key) SELECT DISTINCT ${row}, ${rowKey(facts)} ${hanging(key)}`,
      );
      if (rows > 0) context.remembered.add(nameOf(facts));
    }
  for (const facts of tables.values()) await connection.query(clearStaged(facts));
}

/**
 * Called with rows staged that an event of the log names. `anew`: it inserts them. `there`: it shows that they existed, and that
 * what hung on them did not go with them; throws `bootstrap-unsettled` for one that is remembered.
 */
export async function meetTaken(facts: TableFacts, event: 'anew' | 'there', context: TakenContext): Promise<void> {
  if (!context.remembered.has(nameOf(facts))) return;
  const { connection, stream, doing } = context;
  const met = `${quoteTable(stagingName(facts))} JOIN srdf.taken_rows ON ${isRow(facts, stream)}`;
  if (event === 'anew') {
    await connection.query(`DELETE FROM srdf.taken_rows USING ${met}`);
    return;
  }
  if ((await textRows(connection, `SELECT 1 FROM ${met} LIMIT 1`)).length === 0) return;
  throw new SrdfError('bootstrap-unsettled', {
    tried: `${doing}, table ${nameOf(facts)}`,
    found:
      'a row of it was moved under another while the tables were being copied, to a key whose former row had been deleted: with that deletion a foreign key took it here, and what hangs on it',
    action:
      'Nothing was applied. Establish the stream again (srdf establish) when nobody moves rows of this table from one parent to another',
  });
}

/** Tables of which rows are remembered; null: the copy began under a version that didn't remember any. */
export async function readRemembered(connection: Connection, stream: StreamName): Promise<Set<string> | null> {
  try {
    const rows = await textRows(connection, 'SELECT DISTINCT database_name, table_name FROM srdf.taken_rows WHERE stream = ?', [stream]);
    return new Set(rows.map(([database, table]) => nameOf({ database: database ?? '', table: table ?? '' })));
  } catch (error) {
    // 1146 no such table
    if ((error as { errno?: number }).errno === 1146) return null;
    throw error;
  }
}

const changed = async (connection: Connection, sql: string): Promise<number> =>
  (await connection.query<ResultSetHeader>(sql))[0].affectedRows;

/** Staged rows of the parent with what hangs on them. In this order: the staged rows are few, and the child has an index for its key. */
function hanging(key: TargetForeignKey): string {
  const [child, staging] = [quoteTable(key.child), quoteTable(stagingName(key.parent))];
  const on = key.childColumns.map((name, i) => `${child}.${quoteName(name)} = ${staging}.${quoteName(key.parentColumns[i] ?? '')}`);
  return `FROM ${staging} STRAIGHT_JOIN ${child} ON ${on.join(' AND ')}`;
}

function stageChildren(key: TargetForeignKey, facts: TableFacts): string {
  const columns = facts.columns.filter((name) => !facts.generated.has(name)).map(quoteName);
  const values = columns.map((name) => `${quoteTable(facts)}.${name}`);
  return `INSERT IGNORE INTO ${quoteTable(stagingName(facts))} (${columns.join(', ')}) SELECT ${values.join(', ')} ${hanging(key)}`;
}

/** A staged row's primary key as 32 bytes. */
function rowKey(facts: TableFacts): string {
  const staging = quoteTable(stagingName(facts));
  const parts = facts.primaryKey.map((name) => `HEX(CAST(${staging}.${quoteName(name)} AS BINARY))`);
  return `UNHEX(SHA2(CONCAT_WS('/', ${parts.join(', ')}), 256))`;
}
function isRow(facts: TableFacts, stream: StreamName): string {
  const is = (column: string, text: string): string => `srdf.taken_rows.${column} = ${textLiteral(text)}`;
  const table = [is('stream', stream), is('database_name', facts.database), is('table_name', facts.table)].join(' AND ');
  return `${table} AND srdf.taken_rows.row_key = ${rowKey(facts)}`;
}

const withoutIdentity = (key: TargetForeignKey, doing: string): SrdfError =>
  new SrdfError('bootstrap-unsettled', {
    tried: `${doing}, table ${nameOf(key.parent)}`,
    found: `its deletion went on into ${nameOf(key.child)} by a foreign key while the tables were being copied; others hang on that table in turn, and it has no primary key to tell its rows by`,
    action: `Nothing was applied. Give ${nameOf(key.child)} a primary key, or establish the stream again (srdf establish) when nobody deletes from its parent`,
  });
