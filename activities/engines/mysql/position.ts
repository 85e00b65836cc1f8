/**
 * Positions of the MySQL family as text, and their order. Pure.
 * Canonical form: `server=<uid>;file=<name>;offset=<n>[;parts=<k>][;made=<seconds>];gtid=<set>[;known=<set>]`.
 */
import { SrdfError } from '../../../temporal/error-catalogue.js';
import type { Position } from '../../vocabulary.js';
import type { Reached } from '../engine.js';
import { parseGtidSet } from './binlog/gtid-set.js';
import { ESTABLISH_KEEPING } from './lost-history.js';

export interface BinlogPosition {
  /** Identity of the server whose file and offset these are. */
  readonly server: string;
  readonly file: string;
  readonly offset: number;
  /** DDL statements of the transaction at `offset` that are done already; 0 between transactions. */
  readonly parts: number;
  /**
   * When the server began the file, seconds since 1970, as the file's format description says: after RESET MASTER another file bears its name.
   * Absent: not known, and then not compared.
   */
  readonly made?: number | undefined;
  /** Everything that was executed before this position, in the server's own notation; '' without GTIDs. */
  readonly gtid: string;
  /**
   * After the stream moved to another server by GTID: transactions that may still come along in that server's log and
   * are contained in `gtid` already. MySQL: `all` (its GTIDs are sets). MariaDB: the domains that haven't moved since.
   */
  readonly known: string;
}

export function formatPosition(it: BinlogPosition): Position {
  const parts = it.parts === 0 ? '' : `;parts=${it.parts}`;
  const made = it.made === undefined ? '' : `;made=${it.made}`;
  const known = it.known === '' ? '' : `;known=${it.known}`;
  return `server=${it.server};file=${it.file};offset=${it.offset}${parts}${made};gtid=${it.gtid}${known}` as Position;
}

const isWhole = (text: string): boolean => /^\d+$/.test(text) && Number.isSafeInteger(Number(text));

export function parsePosition(text: Position): BinlogPosition {
  const fields = new Map<string, string>();
  for (const field of text.split(';')) {
    const equals = field.indexOf('=');
    if (equals > 0) fields.set(field.slice(0, equals), field.slice(equals + 1));
  }
  const { server, file, offset, parts = '0', made, gtid, known = '' } = Object.fromEntries(fields) as Record<string, string | undefined>;
  if (
    server === undefined ||
    file === undefined ||
    offset === undefined ||
    gtid === undefined ||
    !isWhole(offset) ||
    !isWhole(parts) ||
    !isWhole(made ?? '0')
  )
    throw new SrdfError('ledger-inconsistent', {
      tried: 'reading a position of the binary log',
      found: `${JSON.stringify(text.slice(0, 160))} is not one`,
      action:
        'The ledger was written by another engine or changed by hand: compare it with `srdf status`, and establish the stream again if it is lost',
    });
  return { server, file, offset: Number(offset), parts: Number(parts), ...(made !== undefined && { made: Number(made) }), gtid, known };
}

/** `mariadb-bin.000042` → 42. The number alone orders a server's files: the name before it can't change in a running log. */
export const fileNumber = (file: string): number => Number(/\.(\d+)$/.exec(file)?.[1] ?? -1);

/** Servers number their files alike: the name alone isn't the file's. */
export const logFileOf = (position: Position): string => {
  const { server, file } = parsePosition(position);
  return `${server}/${file}`;
};

/** Negative: a before b. Both of one server's log. */
export function comparePlace(a: BinlogPosition, b: BinlogPosition): number {
  return fileNumber(a.file) - fileNumber(b.file) || a.offset - b.offset || a.parts - b.parts;
}

/** Of one server's log by file and offset; after the source has moved to another server, by GTID. */
export const reached: Reached = (at, mark) => {
  const a = parsePosition(at);
  const b = parsePosition(mark);
  if (a.server === b.server) return comparePlace(a, b) >= 0;
  const family = /^\d+-\d+-\d+/.test(a.gtid) ? 'mariadb' : 'mysql';
  if (a.gtid === '' || b.gtid === '')
    throw new SrdfError('ledger-inconsistent', {
      tried: `comparing a position of server ${a.server} with one of server ${b.server}`,
      found: 'no GTIDs to compare them by',
      action: ESTABLISH_KEEPING,
    });
  return parseGtidSet(family, a.gtid).containsAll(parseGtidSet(family, b.gtid));
};
