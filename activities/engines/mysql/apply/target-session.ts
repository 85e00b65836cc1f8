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

/** Global switches of replication that BINLOG statements obey too: with any other value rows that don't fit are passed over, or triggers fire. */
const STRICT_ROWS: Readonly<Record<EngineName, readonly { readonly variable: string; readonly wanted: string; readonly mend: string }[]>> =
  {
    mariadb: [
      { variable: 'slave_exec_mode', wanted: 'STRICT', mend: "SET GLOBAL slave_exec_mode='STRICT'" },
      { variable: 'slave_run_triggers_for_rbr', wanted: 'NO', mend: "SET GLOBAL slave_run_triggers_for_rbr='NO'" },
      { variable: 'slave_skip_errors', wanted: 'OFF', mend: 'Start the target without slave_skip_errors' },
    ],
    mysql: [
      { variable: 'replica_skip_errors', wanted: 'OFF', mend: 'Start the target without replica_skip_errors' },
      { variable: 'slave_skip_errors', wanted: 'OFF', mend: 'Start the target without slave_skip_errors' },
    ],
  };
/** What of the target's settings would let row events that don't fit pass unseen. */
export interface LenientRows {
  readonly variable: string;
  readonly value: string;
  readonly mend: string;
}
export async function lenientRows(connection: Connection, engine: EngineName): Promise<readonly LenientRows[]> {
  const switches = STRICT_ROWS[engine];
  const [rows] = await connection.query<RowDataPacket[]>('SHOW GLOBAL VARIABLES WHERE Variable_name IN (?)', [
    switches.map((it) => it.variable),
  ]);
  return rows.flatMap((row) => {
    const found = switches.find((it) => it.variable === String(row.Variable_name).toLowerCase());
    const value = String(row.Value).toUpperCase();
    return found === undefined || value === found.wanted || value === '' ? [] : [{ ...found, value }];
  });
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

/** Throws `target-preflight`. */
export async function requireStrictRows(session: TargetSession, doing: string): Promise<void> {
  const [lenient] = await lenientRows(session.connection, session.engine);
  if (lenient === undefined) return;
  throw new SrdfError('target-preflight', {
    tried: doing,
    found: `${lenient.variable} is ${lenient.value} on the target: rows that don’t fit would be passed over, or triggers would fire`,
    action: `Nothing was applied. On the target: ${lenient.mend} (and in its configuration file); it is tried again by itself`,
  });
}
export async function unlockStream(session: TargetSession, stream: StreamName): Promise<void> {
  await session.connection.query('DO RELEASE_LOCK(?)', [lockName(stream)]);
}
