/** The target server's errors in the words of the catalogue. Pure. Server messages hold key values: only those known to be free of them are passed on. */
import { type ErrorCode, SrdfError } from '../../../../temporal/error-catalogue.js';
import { connectionLost, diskFull, serverError } from '../server-error.js';

/** 1205 lock wait, 1213 deadlock, 1020 record changed since last read (MariaDB), 1317 interrupted, 1412 definition changed, 3572 NOWAIT. */
const INTERRUPTED = new Set([1205, 1213, 1020, 1317, 1412, 3572, 3058]);
const DIVERGED: ReadonlyMap<number, string> = new Map([
  [1032, 'a row that the source changed is missing'],
  [1062, 'a row that the source wrote is there already (duplicate key)'],
  [1586, 'a row that the source wrote is there already (duplicate key)'],
  [1451, 'a row that the source deleted is still referenced'],
  [1452, 'a row that the source wrote refers to a row that is missing'],
  [1216, 'a row that the source wrote refers to a row that is missing'],
  [1217, 'a row that the source deleted is still referenced'],
  [1146, 'the table is missing'],
  [1049, 'the database is missing'],
  [1677, 'a column has another type'],
  [1761, 'a foreign key’s action met a duplicate key'],
  [1526, 'a row fits no partition'],
]);
const DENIED = new Set([1044, 1045, 1142, 1143, 1227, 1370]);

/** 1598 of a server that can't write its binlog and ends itself therefore, in the middle of the commit: only the ledger knows its outcome. */
const endsItself = (errno: number, message: string): boolean => errno === 1598 && /binlog_error_action|abort/i.test(message);

/** `doing`: what was tried, e.g. `applying wagon 12 of shop`; `where`: the table, when known. */
export function applyError(error: unknown, doing: string, where: string | null): SrdfError {
  if (error instanceof SrdfError) return error;
  const { errno, code, message } = serverError(error);
  const tried = where === null ? doing : `${doing}, table ${where}`;
  const make = (as: ErrorCode, found: string, action: string): SrdfError => new SrdfError(as, { tried, found, action });
  const named = `error ${errno === 0 ? code : errno}`;
  if (connectionLost(error))
    return make(
      'target-unreachable',
      `the connection was lost or refused (${named})`,
      'Check that the target server runs; it is tried again by itself',
    );
  if (endsItself(errno, message))
    return make(
      'target-unreachable',
      `the target can’t write its binary log and ends itself (${named}, binlog_error_action)`,
      'See that the disk of the target’s binary log has room and that the server runs again; it is tried again by itself',
    );
  if (INTERRUPTED.has(errno))
    return make('apply-interrupted', `a lock conflict (${named})`, 'Nothing was applied; it is tried again by itself');
  const diverged = DIVERGED.get(errno);
  if (diverged !== undefined)
    return make(
      'target-divergence',
      `${diverged} (${named})`,
      'Nothing was applied. Find out who writes to the target besides SRDF. Make the row there what the source had before this change, or copy the stream anew: `srdf establish` says how',
    );
  if (errno === 1153 || errno === 1301 || code === 'ER_NET_PACKET_TOO_LARGE')
    return make(
      'apply-failed',
      `a row larger than the target’s max_allowed_packet (${named})`,
      'On the target: SET GLOBAL max_allowed_packet = 1073741824; also in its configuration file',
    );
  if (errno === 1290 || errno === 1836 || errno === 1792)
    return make(
      'apply-failed',
      `the target is read-only for this account (${named})`,
      'On the target: SET GLOBAL read_only = OFF, or grant READ_ONLY ADMIN (MariaDB), CONNECTION_ADMIN (MySQL)',
    );
  if (DENIED.has(errno))
    return make(
      'apply-failed',
      `a privilege is missing: ${message} (${named})`,
      'Grant the account of the target in srdf.yaml what the README lists for it, then retry the dead letter',
    );
  if (diskFull(errno, message))
    return make('target-full', `the target’s disk is full (${named})`, 'Make room on the target’s disk; it is tried again by itself');
  return make(
    'apply-failed',
    `the target refused it (${named})`,
    'Look the number up in the server’s manual and its error log; nothing was applied',
  );
}
