/** The log's end as readers of the tables see it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { SrdfError } from '../../../temporal/error-catalogue.js';
import type { Position } from '../../vocabulary.js';
import { fileMade } from './binlog/file-made.js';
import { parseGtidSet } from './binlog/gtid-set.js';
import { describeServer, openConnection, type ServerAccess, serverIdentity, serverKind } from './connection.js';
import { HeldPrivileges } from './held-privileges.js';
import { type LogEnd, queryError } from './log-end.js';
import { formatPosition } from './position.js';
import { preparedTransactions } from './prepared-transactions.js';

/**
 * The log's end now. Everything up to it is visible to every read that begins later: MariaDB's consistent snapshot knows the
 * position it was taken at; MySQL's log_status is read under the log's lock, and what the log has then and the engine not yet is waited for.
 * Errors: `source-preflight` when a privilege lacks or XA transactions are prepared (their changes lie before the position and
 * their fate behind it), or can't be seen.
 */
export async function currentPosition(access: ServerAccess): Promise<Position> {
  const connection = await openConnection(access);
  try {
    const kind = await serverKind(connection);
    await refusePrepared(connection);
    const at = kind.engine === 'mariadb' ? await mariadbPosition(connection) : await mysqlPosition(connection);
    if (kind.engine === 'mysql') await untilCommitted(connection);
    await refusePrepared(connection);
    const made = await fileMade(access, kind, at);
    const gtid = parseGtidSet(kind.engine, at.gtid).toString();
    return formatPosition({ server: await serverIdentity(connection, kind), parts: 0, made, known: '', ...at, gtid });
  } catch (error) {
    throw queryError(error, `noting the end of the binary log of ${describeServer(access.server)}`);
  } finally {
    connection.destroy();
  }
}

async function mariadbPosition(connection: Connection): Promise<LogEnd & { gtid: string }> {
  await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
  const [rows] = await connection.query<RowDataPacket[]>("SHOW STATUS LIKE 'binlog_snapshot_%'");
  const status = new Map(rows.map((row) => [String(row.Variable_name).toLowerCase(), String(row.Value)]));
  const file = status.get('binlog_snapshot_file') ?? '';
  const offset = Number(status.get('binlog_snapshot_position') ?? 0);
  await connection.query('ROLLBACK');
  if (file === '') {
    // No transaction engine has taken part yet (a server just started): there is nothing that could be invisible.
    const [ends] = await connection.query<RowDataPacket[]>('SHOW MASTER STATUS');
    return await mariadbGtidAt(connection, { file: String(ends[0]?.File), offset: Number(ends[0]?.Position) });
  }
  return await mariadbGtidAt(connection, { file, offset });
}
async function mariadbGtidAt(connection: Connection, end: LogEnd): Promise<LogEnd & { gtid: string }> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT BINLOG_GTID_POS(?, ?) AS gtid', [end.file, end.offset]);
  const gtid = rows[0]?.gtid;
  if (typeof gtid !== 'string')
    throw new SrdfError('source-preflight', {
      tried: `asking for the GTID at ${end.file}:${end.offset}`,
      found: 'the server gives none',
      action: 'Check SELECT BINLOG_GTID_POS on the source, and that log_bin is ON',
    });
  return { ...end, gtid };
}

async function mysqlPosition(connection: Connection): Promise<LogEnd & { gtid: string }> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT CAST(LOCAL AS CHAR) AS local FROM performance_schema.log_status');
  const local = JSON.parse(String(rows[0]?.local ?? '{}')) as Record<string, string | number | undefined>;
  if (local.binary_log_file === undefined)
    throw new SrdfError('source-preflight', {
      tried: 'reading performance_schema.log_status',
      found: 'no binary log in it',
      action: 'Put log_bin=ON into the configuration of the source and restart it',
    });
  return {
    file: String(local.binary_log_file),
    offset: Number(local.binary_log_position),
    gtid: String(local.gtid_executed ?? '').replace(/\s/g, ''),
  };
}

async function refusePrepared(connection: Connection): Promise<void> {
  const tried = 'noting the end of the binary log of the source';
  const rows = await preparedTransactions(connection);
  if (rows === null) {
    const { account } = await HeldPrivileges.read(connection);
    throw new SrdfError('source-preflight', {
      tried,
      found: `${account} may not see which XA transactions are prepared: their changes lie before that end and their fate behind it`,
      action: `On the source: GRANT XA_RECOVER_ADMIN ON *.* TO ${account};`,
    });
  }
  if (rows.length === 0) return;
  throw new SrdfError('source-preflight', {
    tried,
    found: `${rows.length} XA transactions are prepared and not committed`,
    action: 'Commit or roll them back on the source (XA RECOVER lists them), then try again',
  });
}

/** Between two looks at what is being committed, and how long a transaction may take for it, ms. */
const LOOK_EVERY = 5;
const PATIENCE = 60_000;

/**
 * A transaction is written to the log before its engine commits it, and waits in between for the disk or for a semi-synchronous replica: log_status
 * counts it already, no read sees it yet (MySQL bugs 102175, 112331). It owns its GTID all that time, so that whatever owns none any more that did
 * when the position was read is visible, or is rolled back and was never in the log.
 */
async function untilCommitted(connection: Connection): Promise<void> {
  const owned = async (): Promise<ReadonlySet<string>> => {
    const [rows] = await connection.query<RowDataPacket[]>('SELECT @@GLOBAL.gtid_owned AS owned');
    return new Set(ownedGtids(String(rows[0]?.owned ?? '')));
  };
  let awaited = await owned();
  for (const until = performance.now() + PATIENCE; awaited.size > 0; ) {
    if (performance.now() > until)
      throw new SrdfError('source-busy', {
        tried: 'noting the end of the binary log of the source',
        found: `${awaited.size} transactions have been owning their GTIDs for ${PATIENCE / 1_000} s (@@GLOBAL.gtid_owned), and may be in the log without being visible`,
        action:
          'It is tried again by itself; look for a replica that does not acknowledge, a full disk, or a session that has set gtid_next and rests',
      });
    await pause(LOOK_EVERY);
    const now = await owned();
    awaited = new Set([...awaited].filter((it) => now.has(it)));
  }
}

/** `uuid:12#5:13#6,\nuuid2:tag:1#7`: each with its owner, in the server's form (Owned_gtids::to_string). Pure. */
export function ownedGtids(text: string): readonly string[] {
  return text
    .split(',')
    .map((it) => it.trim())
    .flatMap((ofServer) => {
      const [server = '', ...numbers] = ofServer.split(':');
      return numbers.map((number) => `${server}:${number}`);
    });
}
