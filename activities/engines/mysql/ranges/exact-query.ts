/** Reads values as the server's own bytes: no driver conversion, no character set conversion. */
import type { Connection } from 'mysql2/promise';

/** A value as the text protocol carries it; null is NULL. */
export type Cell = Uint8Array | null;

interface RawField {
  buffer(): Buffer | null;
}
const typeCast = (field: unknown): Buffer | null => (field as RawField).buffer();

/** Session in which character columns come in their own character set (mysqldump's --default-character-set=binary does the same). */
export const RAW_RESULTS = "SET SESSION character_set_results=NULL, time_zone='+00:00'";
export const UTF8_RESULTS = 'SET SESSION character_set_results=utf8mb4';

/** Rows of byte values, all of them: for answers that are small. */
export async function rawRows(connection: Connection, sql: string, values: readonly unknown[] = []): Promise<Cell[][]> {
  const [rows] = await connection.query({ sql, values: [...values], rowsAsArray: true, typeCast } as Parameters<Connection['query']>[0]);
  return rows as unknown as Cell[][];
}

/** Rows of UTF-8 text; NULL is null. The session's results must be utf8mb4 (or the columns' own character set be so). */
export async function textRows(connection: Connection, sql: string, values: readonly unknown[] = []): Promise<(string | null)[][]> {
  return (await rawRows(connection, sql, values)).map((row) =>
    row.map((cell) => (cell === null ? null : Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength).toString('utf8'))),
  );
}
