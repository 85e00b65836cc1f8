/** The source's side of the MySQL family, assembled: each call opens a connection of its own and closes it. */
import type { Connection } from 'mysql2/promise';
import type { SourceEngine, SourceEngineOptions } from '../engine.js';
import { tableInScope } from './binlog/scope.js';
import { openConnection } from './connection.js';
import { logFileOf } from './position.js';
import { checksumRange } from './ranges/checksum-range.js';
import { planRanges } from './ranges/plan-ranges.js';
import { planTables } from './ranges/plan-tables.js';
import { readRange } from './ranges/read-range.js';
import { inSnapshot } from './ranges/snapshot.js';
import { sourceError } from './ranges/source-errors.js';
import { nameOf } from './ranges/sql-literals.js';
import { currentPosition, inspectSource, type LogSource, mysqlRowFormat, reached, readLog, scanDdl } from './read-log.js';
import { describeSchema } from './schema/describe-schema.js';

export function createSourceEngine(options: SourceEngineOptions): SourceEngine {
  const access: LogSource = { server: options.server, password: options.password ?? null, role: 'source', serverId: options.serverId };
  const open = (): Promise<Connection> => openConnection(access);
  const withConnection = async <T>(tried: string, use: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = await open();
    try {
      return await use(connection);
    } catch (error) {
      throw sourceError(error, tried);
    } finally {
      await connection.end().catch(() => connection.destroy());
    }
  };
  return {
    name: options.name,
    rowFormat: mysqlRowFormat,
    reached,
    logFileOf,
    inScope: tableInScope,
    inspect: (selection) => inspectSource(access, selection),
    currentPosition: () => currentPosition(access),
    readLog: (from, readOptions) => readLog(access, from, readOptions),
    scanDdl: (from, to, selection) => scanDdl(access, from, to, selection),
    planTables: (selection) => withConnection('listing the tables to copy', (connection) => planTables(connection, selection)),
    describeSchema: (selection, stage, only) =>
      withConnection(`reading definitions (${stage})`, async (connection) =>
        describeSchema(connection, selection, stage, await currentPosition(access), only),
      ),
    planRanges: (table, rowsPerRange) =>
      withConnection(`planning the ranges of ${nameOf(table)}`, (connection) => planRanges(connection, table, rowsPerRange)),
    readRange: (table, plan, range, maxBytes) =>
      casting(
        `reading range ${range} of ${nameOf(table)}`,
        plan.keyColumns.length === 0
          ? inSnapshot({ open, position: () => currentPosition(access) }, table, (connection, asOf) =>
              readRange(connection, table, plan, range, maxBytes, asOf),
            )
          : readOnce(open, (connection) => readRange(connection, table, plan, range, maxBytes, null)),
      ),
    checksumRange: (request) =>
      withConnection(`computing a checksum of ${nameOf(request.table)}`, (connection) => checksumRange(connection, request)),
    close: async () => undefined,
  };
}

/** A connection for one read: left in the middle of a result it can only be cut. */
async function* readOnce<T>(open: () => Promise<Connection>, read: (connection: Connection) => AsyncIterable<T>): AsyncGenerator<T> {
  const connection = await open();
  let done = false;
  try {
    yield* read(connection);
    done = true;
  } finally {
    if (done) await connection.end();
    else connection.destroy();
  }
}

async function* casting<T>(tried: string, rows: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* rows;
  } catch (error) {
    throw sourceError(error, tried);
  }
}
