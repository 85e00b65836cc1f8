/** What a failed statement on the source means while tables are read. Pure. */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import { queryError } from '../log-end.js';
import { connectionLost, diskFull, serverError } from '../server-error.js';

/** 1054 unknown column, 1146 no such table, 1049 no such database, 1176 no such index, 1412 the table was changed behind the snapshot. */
const CHANGED = new Set([1049, 1054, 1146, 1176, 1412]);
/**
 * 1205 lock wait timeout, 1213 deadlock, 1317 interrupted, 1969 and 3024 too long for the server's limit, 1028 a sort that was ended, 1037 out of
 * memory: nothing is wrong with what was asked for.
 */
const BUSY = new Set([1028, 1037, 1205, 1213, 1317, 1969, 3024]);

/** Errors: `bootstrap-range-lost` (the table isn't what it was), `source-busy`, `source-preflight` (a privilege), `source-unreachable`, `not-supported`. */
export function sourceError(error: unknown, tried: string): unknown {
  if (error instanceof SrdfError) return error;
  const { errno } = error as { errno?: number };
  if (errno === undefined || errno < 1000 || (errno >= 2000 && errno < 3000)) {
    // Errors of the driver and the network carry a code or say that they are fatal; anything else is a fault of the program.
    const { code, fatal } = error as { code?: string; fatal?: boolean };
    return code === undefined && fatal !== true ? error : queryError(error, tried);
  }
  if (CHANGED.has(errno))
    return new SrdfError('bootstrap-range-lost', {
      tried,
      found: `the table was changed meanwhile (error ${errno})`,
      action: 'It is planned and copied anew',
      cause: error,
    });
  if (BUSY.has(errno))
    return new SrdfError('source-busy', {
      tried,
      found: `error ${errno} of the server`,
      action: 'It is tried again by itself',
      cause: error,
    });
  if ([1044, 1045, 1142, 1143, 1227, 1370].includes(errno)) return queryError(error, tried);
  if (connectionLost(error)) return queryError(error, tried);
  // A table that is sorted or joined is written into temporary files.
  if (diskFull(errno, serverError(error).message))
    return new SrdfError('source-busy', {
      tried,
      found: `the source’s disk is full (error ${errno})`,
      action: 'Make room on the source’s disk; it is tried again by itself',
      cause: error,
    });
  return new SrdfError('not-supported', {
    tried,
    found: `error ${errno} of the server`,
    action: "Look the number up in the server's manual and its error log; exclude the table (streams[].exclude) if it can't be mended",
    cause: error,
  });
}
