/**
 * Statements whose text, run here, would give the rows of a table other values than it gave them at the source, without an error: refused while the
 * table has rows. They can't be known at the source, which doesn't tell how many rows its table had. See ddl/table-traits.ts.
 */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { TableName } from '../../../vocabulary.js';
import type { DdlStatement } from '../../engine.js';
import { classifyStatement } from '../ddl/classify.js';
import { nameOf, quoteTable } from '../ranges/sql-literals.js';
import { serverError } from '../server-error.js';

/** Throws `ddl-unrepeatable`. Changes nothing. */
export async function refuseUnrepeatable(connection: Connection, statement: DdlStatement, doing: string): Promise<void> {
  const kind = classifyStatement(statement.sql, statement.defaultDatabase, statement.session);
  const table = statement.classification.names[0];
  if (kind.kind !== 'ddl' || kind.traits === undefined || table === undefined) return;
  const { byRowOrder, volatileDefault } = kind.traits;
  if (byRowOrder === undefined && volatileDefault === undefined) return;
  if (!(await hasRows(connection, table))) return;
  if (volatileDefault !== undefined)
    throw unrepeatable(doing, `${nameOf(table)} has rows, and gets a column whose default (${volatileDefault}) has another value here`);
  if (await hasClusteredKey(connection, table)) return;
  // Given again to the column that has it: no row gets a new number.
  if (byRowOrder === 'auto-increment' && (await hasNumbers(connection, table))) return;
  throw unrepeatable(
    doing,
    `${nameOf(table)} has rows and no primary key: they are ${byRowOrder === 'ignore' ? 'left out' : 'numbered'} in the order in which they lie, which differs here`,
  );
}

function unrepeatable(doing: string, found: string): SrdfError {
  return new SrdfError('ddl-unrepeatable', {
    tried: doing,
    found,
    action:
      'The statement was not run. Establish the stream again (srdf establish): a first copy brings the values that the source’s rows were given',
  });
}

/** 1146, 1049: no such table or database, which the statement itself will say. */
async function hasRows(connection: Connection, table: TableName): Promise<boolean> {
  try {
    const [rows] = await connection.query<RowDataPacket[]>(`SELECT 1 FROM ${quoteTable(table)} LIMIT 1`);
    return rows.length > 0;
  } catch (error) {
    const { errno } = serverError(error);
    if (errno === 1146 || errno === 1049) return false;
    throw error;
  }
}

/** The primary key, or what InnoDB takes in its place: a UNIQUE key over whole columns that are NOT NULL. (HASH: MariaDB's of long values, no such key.) */
async function hasClusteredKey(connection: Connection, { database, table }: TableName): Promise<boolean> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? GROUP BY INDEX_NAME
     HAVING MAX(NON_UNIQUE = 1 OR NULLABLE = 'YES' OR SUB_PART IS NOT NULL OR COLUMN_NAME IS NULL OR INDEX_TYPE <> 'BTREE') = 0`,
    [database, table],
  );
  return rows.length > 0;
}

async function hasNumbers(connection: Connection, { database, table }: TableName): Promise<boolean> {
  const [rows] = await connection.query<RowDataPacket[]>(
    "SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND EXTRA LIKE '%auto_increment%'",
    [database, table],
  );
  return rows.length > 0;
}
