/** The target's foreign keys, from its dictionary. */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { ForeignKeyFact } from '../../engine.js';

const INACTIVE = new Set(['RESTRICT', 'NO ACTION']);

export interface TargetForeignKey extends ForeignKeyFact {
  /** In the order of `parentColumns`. */
  readonly childColumns: readonly string[];
  /** ON DELETE CASCADE. */
  readonly deletes: boolean;
  /** ON UPDATE CASCADE, SET NULL or SET DEFAULT. */
  readonly updates: boolean;
}

/** Of these databases, and those of others that refer into them: as the source is told of them. */
export async function readForeignKeys(connection: Connection, databases: readonly string[]): Promise<readonly ForeignKeyFact[]> {
  return (await readTargetForeignKeys(connection, databases)).map(({ child, parent, parentColumns, cascades }) => ({
    child,
    parent,
    parentColumns,
    cascades,
  }));
}

/** Of the whole server: an action may lead from one database into another, and back. */
export async function readAllForeignKeys(connection: Connection): Promise<readonly TargetForeignKey[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    'SELECT DISTINCT CONSTRAINT_SCHEMA AS db FROM information_schema.REFERENTIAL_CONSTRAINTS',
  );
  return await readTargetForeignKeys(
    connection,
    rows.map((row) => String(row.db)),
  );
}

async function readTargetForeignKeys(connection: Connection, databases: readonly string[]): Promise<readonly TargetForeignKey[]> {
  if (databases.length === 0) return [];
  const [rules] = await connection.query<RowDataPacket[]>(
    `SELECT CONSTRAINT_SCHEMA AS db, CONSTRAINT_NAME AS name, TABLE_NAME AS tableName, DELETE_RULE AS onDelete, UPDATE_RULE AS onUpdate
     FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA IN (?) OR UNIQUE_CONSTRAINT_SCHEMA IN (?)`,
    [databases, databases],
  );
  const [columns] = await connection.query<RowDataPacket[]>(
    `SELECT CONSTRAINT_SCHEMA AS db, CONSTRAINT_NAME AS name, TABLE_NAME AS tableName, COLUMN_NAME AS childColumn,
       REFERENCED_TABLE_SCHEMA AS parentDb,
       REFERENCED_TABLE_NAME AS parentTable, REFERENCED_COLUMN_NAME AS parentColumn
     FROM information_schema.KEY_COLUMN_USAGE
     WHERE REFERENCED_TABLE_NAME IS NOT NULL AND (CONSTRAINT_SCHEMA IN (?) OR REFERENCED_TABLE_SCHEMA IN (?)) ORDER BY ORDINAL_POSITION`,
    [databases, databases],
  );
  // InnoDB names constraints per database in MySQL, per table in MariaDB.
  const key = (row: RowDataPacket): string => JSON.stringify([row.db, row.tableName, row.name]);
  const byKey = new Map<string, RowDataPacket[]>();
  for (const row of columns) byKey.set(key(row), [...(byKey.get(key(row)) ?? []), row]);
  return rules.flatMap((rule) => {
    const parts = byKey.get(key(rule)) ?? [];
    const first = parts[0];
    if (first === undefined) return [];
    return [
      {
        child: { database: String(rule.db), table: String(rule.tableName) },
        parent: { database: String(first.parentDb), table: String(first.parentTable) },
        deletes: String(rule.onDelete) === 'CASCADE',
        updates: !INACTIVE.has(String(rule.onUpdate)),
        childColumns: parts.map((row) => String(row.childColumn)),
        parentColumns: parts.map((row) => String(row.parentColumn)),
        cascades: !INACTIVE.has(String(rule.onDelete)) || !INACTIVE.has(String(rule.onUpdate)),
      },
    ];
  });
}
