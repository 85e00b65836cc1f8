/** XA transactions that are prepared and neither committed nor rolled back. */
import type { Connection, RowDataPacket } from 'mysql2/promise';

/**
 * null: the account may not see them. MySQL asks for XA_RECOVER_ADMIN, and says so as 1401 (ER_XAER_RMERR), the reason in a warning; MariaDB shows
 * them to everybody. One that is prepared before a position and committed behind it is lost without a trace: no read at the position sees it, and
 * MySQL's XA COMMIT is logged without rows.
 */
export async function preparedTransactions(connection: Connection): Promise<readonly RowDataPacket[] | null> {
  try {
    const [rows] = await connection.query<RowDataPacket[]>('XA RECOVER');
    return rows;
  } catch (error) {
    const { errno } = error as { errno?: number };
    if (errno === 1401 || errno === 1227) return null;
    throw error;
  }
}
