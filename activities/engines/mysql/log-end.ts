/** Where a server's binary log ends. */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { SrdfError } from '../../../temporal/error-catalogue.js';
import type { ServerKind } from './connection.js';
import { wordsOf } from './server-words.js';

export interface LogEnd {
  readonly file: string;
  readonly offset: number;
}

export const logEndStatement = (kind: ServerKind): string =>
  kind.engine === 'mysql' && kind.number >= 80_200 ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';

/** binlog_do_db and binlog_ignore_db are options, not variables: only the log's status tells them. Pure. */
export const logFilters = (status: RowDataPacket | undefined): readonly { readonly option: string; readonly value: string }[] =>
  ['Binlog_Do_DB', 'Binlog_Ignore_DB']
    .map((column) => ({ option: column.toLowerCase(), value: String(status?.[column] ?? '') }))
    .filter(({ value }) => value !== '');

/**
 * The end as the server names it now (SHOW BINARY LOG STATUS, formerly SHOW MASTER STATUS). Asked before every read, it also tells of a server
 * that was started again with a filter since: what that hides is nowhere in the log, and every read would look well.
 */
export async function logEnd(connection: Connection, kind: ServerKind): Promise<LogEnd> {
  const statement = logEndStatement(kind);
  const [rows] = await connection.query<RowDataPacket[]>(statement);
  const row = rows[0];
  if (row === undefined)
    throw new SrdfError('source-preflight', {
      tried: `asking the source for the end of its binary log (${statement})`,
      found: 'it writes none',
      action: 'Put log_bin=ON into the configuration of the source and restart it',
    });
  const filters = logFilters(row);
  if (filters.length > 0)
    throw new SrdfError('source-preflight', {
      tried: `asking the source for the end of its binary log (${statement})`,
      found: `${filters.map(({ option, value }) => `${option}=${value}`).join(' and ')} hides databases from the log: changes made since the source was started so may be missing from it already`,
      action: `Remove ${filters.map(({ option }) => option).join(' and ')} from my.cnf, restart the source, then establish the stream again (srdf establish)`,
    });
  return { file: String(row.File), offset: Number(row.Position) };
}

/** The file the server wrote on in after this one; null while it writes this one, or when it is gone. */
export async function fileAfter(connection: Connection, file: string): Promise<string | null> {
  const [rows] = await connection.query<RowDataPacket[]>('SHOW BINARY LOGS');
  const at = rows.findIndex((row) => String(row.Log_name) === file);
  const next = at < 0 ? undefined : rows[at + 1];
  return next === undefined ? null : String(next.Log_name);
}

/** Errors of statements on an open source connection. 1142, 1227, 1370: a privilege lacks. */
export function queryError(error: unknown, tried: string): unknown {
  if (error instanceof SrdfError) return error;
  const { errno, message, code } = error as { errno?: number; message?: string; code?: string };
  // A server's number; below it are the driver's and the system's own, which speak of the connection.
  const found = errno !== undefined && errno >= 1_000 ? wordsOf(errno, message ?? '') : (message ?? String(code ?? error));
  if (errno === 1142 || errno === 1227 || errno === 1044 || errno === 1045 || errno === 1370)
    return new SrdfError('source-preflight', {
      tried,
      found,
      action: 'Grant the account of the source in srdf.yaml what the README lists for it; `srdf establish --dry-run` names what lacks',
      cause: error,
    });
  return new SrdfError('source-unreachable', {
    tried,
    found,
    action: 'Check that the source runs; it is tried again by itself',
    cause: error,
  });
}
