/** The judge of equality, and no code of ours: plain SQL on both sides, and the servers' own dumps. */
import mysql from 'mysql2';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { DatabaseServer } from './database-server.js';

export interface Difference {
  /** Table, or `schema`. */
  readonly where: string;
  /** What the first differing row or line is on each side; null: it has none there. */
  readonly source: string | null;
  readonly target: string | null;
}
export interface Comparison {
  readonly tables: number;
  readonly rows: number;
  readonly differences: readonly Difference[];
}

/**
 * Reads every table of these databases on both sides in the order of its key (of all its columns, without one) and compares row by row, as
 * the bytes the server sends; and the definitions of tables, views and routines as the server shows them. Both sides have to be still.
 */
export async function compareBySql(source: DatabaseServer, target: DatabaseServer, databases: readonly string[]): Promise<Comparison> {
  const [left, right] = [await source.connect(), await target.connect()];
  try {
    await Promise.all([left, right].map((it) => it.query("SET SESSION sql_mode=''")));
    const differences: Difference[] = [];
    const [schema, otherSchema] = await Promise.all([definitions(left, databases), definitions(right, databases)]);
    const names = [...new Set([...schema.keys(), ...otherSchema.keys()])].sort();
    for (const name of names) {
      const [a, b] = [schema.get(name) ?? null, otherSchema.get(name) ?? null];
      if (a !== b) differences.push({ where: `schema: ${name}`, source: a, target: b });
    }
    let rows = 0;
    const tables = names.filter((name) => name.startsWith('table ') && schema.has(name) && otherSchema.has(name));
    for (const name of tables) {
      const [database = '', table = ''] = name.slice('table '.length).split('\u0000');
      const query = await orderedSelect(left, database, table);
      const [ours, theirs] = [rowsOf(source, query), rowsOf(target, query)];
      for (;;) {
        const [a, b] = await Promise.all([ours.next(), theirs.next()]);
        if (a.done && b.done) break;
        rows += 1;
        if (a.done || b.done || !a.value.equals(b.value)) {
          differences.push({
            where: `${database}.${table}`,
            source: a.done ? null : a.value.toString(),
            target: b.done ? null : b.value.toString(),
          });
          // The rest of a table would mostly differ by the same row.
          await Promise.all([ours.return(undefined), theirs.return(undefined)]);
          break;
        }
      }
    }
    return { tables: tables.length, rows, differences };
  } finally {
    await Promise.all([left.end(), right.end()]);
  }
}

/**
 * Same definitions in the same words. AUTO_INCREMENT: a rolled back INSERT moves the source's alone. CHARACTER SET before a COLLATE that
 * implies it: MySQL prints it only where a statement had said it, and the statement that SHOW CREATE TABLE gives does.
 */
const normalDefinition = (text: string): string =>
  text.replace(/ AUTO_INCREMENT=\d+/, '').replace(/ CHARACTER SET (\w+) (COLLATE \1_)/g, ' $2');

const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** Definitions by `kind database NUL name`. */
async function definitions(on: Connection, databases: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const ask = async (statement: string, values: readonly unknown[] = []): Promise<RowDataPacket[]> =>
    (await on.query<RowDataPacket[]>(statement, [...values]))[0];
  const text = (row: RowDataPacket, column: string): string => String(row[column]);
  for (const database of databases) {
    for (const row of await ask('SELECT TABLE_NAME AS n, TABLE_TYPE AS t FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?', [
      database,
    ])) {
      const [name, view] = [text(row, 'n'), text(row, 't').includes('VIEW')];
      const [shown] = await ask(`SHOW CREATE TABLE ${quoted(database)}.${quoted(name)}`);
      const definition = String(shown?.[view ? 'Create View' : 'Create Table']);
      found.set(`${view ? 'view' : 'table'} ${database}\u0000${name}`, normalDefinition(definition));
    }
    for (const row of await ask(
      'SELECT ROUTINE_NAME AS n, ROUTINE_TYPE AS t, DEFINER AS d, SQL_MODE AS m, ROUTINE_DEFINITION AS b FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?',
      [database],
    ))
      found.set(`routine ${database}\u0000${text(row, 'n')}`, ['t', 'd', 'm', 'b'].map((column) => text(row, column)).join('\n'));
  }
  return found;
}

async function orderedSelect(on: Connection, database: string, table: string): Promise<string> {
  const columnsOf = async (from: string): Promise<string[]> => {
    const [rows] = await on.query<RowDataPacket[]>(from, [database, table]);
    return rows.map((row) => quoted(String(row.n)));
  };
  const columns = await columnsOf(
    'SELECT COLUMN_NAME AS n FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION',
  );
  const key = await columnsOf(
    `SELECT COLUMN_NAME AS n FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX`,
  );
  return `SELECT ${columns.join(', ')} FROM ${quoted(database)}.${quoted(table)} ORDER BY ${(key.length > 0 ? key : columns).join(', ')}`;
}

/** Each row as the bytes of its values, as stored: lengths before them, NULL told apart from ''. */
async function* rowsOf(server: DatabaseServer, query: string): AsyncGenerator<Buffer, void, undefined> {
  const connection = mysql.createConnection({ host: '127.0.0.1', port: server.port, user: 'root', multipleStatements: true });
  try {
    // Not SET NAMES binary: the driver would write the names in the query as latin1.
    await connection.promise().query("SET SESSION character_set_results = NULL, time_zone = '+00:00', sql_mode = ''");
    const stream = connection
      .query({ sql: query, rowsAsArray: true, typeCast: (field: { buffer(): Buffer | null }) => field.buffer() })
      .stream({ highWaterMark: 500 });
    for await (const row of stream as AsyncIterable<(Buffer | null)[]>)
      yield Buffer.concat(row.flatMap((value) => [Buffer.from(value === null ? 'NULL|' : `${value.length}:`), value ?? Buffer.alloc(0)]));
  } finally {
    connection.destroy();
  }
}

/** The servers' own dumps, line by line: the first lines that differ, at most ten. Triggers and events are dormant on a target and left out. */
export async function compareByDump(
  source: DatabaseServer,
  target: DatabaseServer,
  databases: readonly string[],
): Promise<readonly Difference[]> {
  const normal = (dump: string): string[] => dump.split('\n').map((line) => (line.startsWith('INSERT') ? line : normalDefinition(line)));
  const [ours, theirs] = (await Promise.all([source, target].map((it) => it.dump(databases, ['--routines'])))).map((it) => normal(it));
  const differences: Difference[] = [];
  for (let line = 0; line < Math.max(ours?.length ?? 0, theirs?.length ?? 0) && differences.length < 10; line++) {
    const [a, b] = [ours?.[line] ?? null, theirs?.[line] ?? null];
    if (a !== b) differences.push({ where: `dump line ${line + 1}`, source: a, target: b });
  }
  return differences;
}
