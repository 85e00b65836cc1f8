/** A consistent snapshot of a table whose place in the log is known exactly: what a table without key is copied from. */
import type { Connection } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { Position, TableName } from '../../../vocabulary.js';
import { serverIdentity, serverKind } from '../connection.js';
import { formatPosition } from '../position.js';
import { textRows } from './exact-query.js';
import { nameOf, quoteName, quoteTable } from './sql-literals.js';

const QUIET_ATTEMPTS = 5;

export interface SnapshotSource {
  open(): Promise<Connection>;
  /** The log's end now. */
  position(): Promise<Position>;
}

/**
 * Runs `read` in a snapshot of `table` that holds exactly the changes up to the position it is given.
 * MariaDB's snapshot knows its own place in the log (status variables binlog_snapshot_file and binlog_snapshot_position), without a lock.
 * MySQL's doesn't, nor does that of a MariaDB that hasn't written to its log since it was started: there the log's end is compared before and
 * after, and where somebody always writes, the table is locked against writes for the moment in which the log's end is read and the snapshot opened. A
 * table of an engine without snapshots stays locked while it is read, on both.
 * Errors: `source-busy` when the lock isn't had within 10 s.
 */
export async function* inSnapshot<T>(
  source: SnapshotSource,
  table: TableName,
  read: (connection: Connection, asOf: Position) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const reader = await source.open();
  let locker: Connection | null = null;
  let done = false;
  try {
    const kind = await serverKind(reader);
    const transactional = await hasSnapshots(reader, table);
    let asOf: Position | null = null;
    if (kind.engine === 'mariadb' && transactional) {
      await reader.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
      const status = new Map(
        (await textRows(reader, "SHOW STATUS LIKE 'binlog_snapshot_%'")).map(([name, value]) => [(name ?? '').toLowerCase(), value ?? '']),
      );
      const file = status.get('binlog_snapshot_file') ?? '';
      const offset = Number(status.get('binlog_snapshot_position') ?? '0');
      if (file !== '') {
        const [gtid] = await textRows(reader, 'SELECT BINLOG_GTID_POS(?, ?)', [file, offset]);
        asOf = formatPosition({
          server: await serverIdentity(reader, kind),
          file,
          offset,
          parts: 0,
          gtid: gtid?.[0] ?? '',
          known: '',
        });
      }
    }
    if (transactional) asOf ??= await snapshotInQuiet(source, reader);
    if (asOf === null) {
      locker = await source.open();
      await lockTable(locker, table);
      asOf = await source.position();
      await reader.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
      if (transactional) {
        await locker.query('UNLOCK TABLES');
        await locker.end();
        locker = null;
      }
    }
    yield* read(reader, asOf);
    await reader.query('COMMIT');
    done = true;
  } finally {
    // Left in the middle of a result, a connection can only be cut.
    if (done) await reader.end();
    else reader.destroy();
    locker?.destroy();
  }
}

/**
 * Without a lock: where the log's end is the same before and after the snapshot was opened, nothing was committed in between. null: somebody
 * always wrote.
 */
async function snapshotInQuiet(source: SnapshotSource, reader: Connection): Promise<Position | null> {
  for (let attempt = 0; attempt < QUIET_ATTEMPTS; attempt++) {
    const before = await source.position();
    await reader.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
    if ((await source.position()) === before) return before;
    await reader.query('ROLLBACK');
  }
  return null;
}

async function hasSnapshots(connection: Connection, table: TableName): Promise<boolean> {
  const rows = await textRows(
    connection,
    'SELECT engine, table_name FROM information_schema.tables WHERE table_schema = ? AND table_name = ?',
    [table.database, table.table],
  );
  return rows.find((row) => row[1] === table.table)?.[0]?.toLowerCase() === 'innodb';
}

async function lockTable(connection: Connection, table: TableName): Promise<void> {
  await connection.query('SET SESSION lock_wait_timeout=10');
  try {
    await connection.query(`LOCK TABLES ${quoteTable(table)} READ`);
  } catch (error) {
    const { errno } = error as { errno?: number };
    if (errno === 1044 || errno === 1142)
      throw new SrdfError('source-preflight', {
        tried: `locking ${nameOf(table)}, which has no primary key, for the moment its snapshot is opened`,
        found: 'the account may not lock tables',
        action: `GRANT LOCK TABLES ON ${quoteName(table.database)}.* to the source account, or give the table a primary key`,
        cause: error,
      });
    // 1205: lock wait timeout. Waiting longer would hold up everybody who writes to the table.
    if (errno !== 1205) throw error;
    throw new SrdfError('source-busy', {
      tried: `locking ${nameOf(table)}, which has no primary key, for the moment its snapshot is opened`,
      found: 'a transaction that wrote to it has been open for more than 10 s',
      action: 'It is tried again by itself; end the long transaction, or give the table a primary key',
      cause: error,
    });
  }
}
