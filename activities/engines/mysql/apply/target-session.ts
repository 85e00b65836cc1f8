/** Connections that apply: exact session, BINLOG ready, one at a time a stream by a lock in the server itself. */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { StreamName } from '../../../vocabulary.js';
import type { EngineName } from '../../engine.js';
import { openConnection, type ServerAccess, serverKind } from '../connection.js';
import { formatDescription } from './row-events.js';

export interface TargetSession {
  readonly connection: Connection;
  readonly engine: EngineName;
  readonly version: string;
  readonly serverId: number;
  readonly maxAllowedPacket: number;
}

/** How long to wait for another applier of the stream to end, seconds. */
const LOCK_WAIT_SECONDS = 3;
const lockName = (stream: StreamName): string => `srdf/${stream}`;

/**
 * A worker's machine that dies without a word leaves its session behind, with a transaction and the stream's lock: the server ends it after so
 * many seconds without a statement, or in the middle of one.
 */
export const ABANDONED = 'SET SESSION wait_timeout=60, net_read_timeout=60';

/** What BINLOG events may have left behind is set again: the ledger's row and SQL statements must not depend on it. */
export const SETTLED = 'SET SESSION foreign_key_checks=1, unique_checks=1';
export const UNCHECKED = 'SET SESSION foreign_key_checks=0, unique_checks=1';

export async function openSession(access: ServerAccess): Promise<TargetSession> {
  const connection = await openConnection(access);
  try {
    const kind = await serverKind(connection);
    const [rows] = await connection.query<RowDataPacket[]>('SELECT @@server_id AS id, @@max_allowed_packet AS packet');
    const serverId = Number(rows[0]?.id);
    await connection.query(ABANDONED);
    // The text of a BINLOG statement must not be logged beside its rows: gigabytes.
    if (kind.engine === 'mariadb') await connection.query('SET SESSION binlog_annotate_row_events=0');
    await connection.query(`SET SESSION ${kind.engine === 'mariadb' ? 'tx_isolation' : 'transaction_isolation'}='READ-COMMITTED'`);
    return { connection, engine: kind.engine, version: kind.version, serverId, maxAllowedPacket: Number(rows[0]?.packet) };
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

/** BINLOG refuses rows before it has seen how events are laid out. MySQL then waits for a GTID, unless told to make its own. */
export async function describeFormat(session: TargetSession): Promise<void> {
  const event = formatDescription(session.engine, session.version, session.serverId);
  await session.connection.query(`BINLOG '${event.toString('base64')}'`);
  if (session.engine === 'mysql') await session.connection.query("SET SESSION gtid_next='AUTOMATIC'");
}

/**
 * Serialises appliers of a stream in the database itself. The lock lives and dies with the server's side of the connection,
 * so that what a dead client had begun is over before anybody else begins. Throws `target-busy`.
 */
export async function lockStream(session: TargetSession, stream: StreamName): Promise<void> {
  const [rows] = await session.connection.query<RowDataPacket[]>('SELECT GET_LOCK(?, ?) AS taken', [lockName(stream), LOCK_WAIT_SECONDS]);
  if (Number(rows[0]?.taken) !== 1)
    throw new SrdfError('target-busy', {
      tried: `applying to stream ${stream}`,
      found: 'another connection to the target holds the stream’s lock: a former attempt that hasn’t ended',
      action: 'It is tried again by itself; SHOW PROCESSLIST on the target shows what still runs',
    });
}

export async function unlockStream(session: TargetSession, stream: StreamName): Promise<void> {
  await session.connection.query('DO RELEASE_LOCK(?)', [lockName(stream)]);
}
