/** Locks of the target's server about what is copied: what is decided under one is still true when it is carried out. */
import { createHash } from 'node:crypto';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { StreamName, TableName } from '../../../vocabulary.js';

const LOCK_WAIT_SECONDS = 20;

/**
 * One at a time a table, or a stream (`table` null: its schema as a whole), by a lock that lives and dies with the server's side of the
 * connection: an attempt that was given up and still runs is waited for. A row lock wouldn't do, since a server commits before it alters or drops
 * a table; this one outlives that, and can't be lost while the statement still waits. Whoever takes both takes the stream's first. Throws `target-busy`.
 */
export async function alone<T>(
  connection: Connection,
  stream: StreamName,
  table: TableName | null,
  tried: string,
  act: () => Promise<T>,
): Promise<T> {
  const lock = lockName(stream, table);
  const [rows] = await connection.query<RowDataPacket[]>('SELECT GET_LOCK(?, ?) AS taken', [lock, LOCK_WAIT_SECONDS]);
  if (Number(rows[0]?.taken) !== 1)
    throw new SrdfError('target-busy', {
      tried,
      found: 'another connection to the target is at it: mostly a former attempt that hasn’t ended',
      action: 'It is tried again by itself; SHOW PROCESSLIST on the target shows what still runs',
    });
  try {
    return await act();
  } finally {
    await connection.query('DO RELEASE_LOCK(?)', [lock]).catch(() => undefined);
  }
}

export function lockName(stream: StreamName, table: TableName | null): string {
  const about = createHash('sha256')
    .update(JSON.stringify([stream, table?.database, table?.table]))
    .digest('hex');
  return `srdf/copy/${about.slice(0, 40)}`;
}
