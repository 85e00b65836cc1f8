/**
 * QUERY events: the statement and the session it ran in. Pure.
 * Status variables: libs/mysql/binlog/event/statement_events.h (MySQL), sql/log_event.h (MariaDB, 128 and up).
 */
import { inflateSync } from 'node:zlib';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { DdlSession } from '../../engine.js';

export interface QueryEvent {
  readonly sql: Buffer;
  readonly defaultDatabase: string;
  readonly session: DdlSession;
  /** Databases the statement touched, as far as the log tells (MySQL); null: not told. */
  readonly updatedDatabases: readonly string[] | null;
  /** The statement's error code at the source; not 0: it failed in the middle and was logged for what it had done. */
  readonly errorCode: number;
}

const STATUS = {
  FLAGS2: 0,
  SQL_MODE: 1,
  CATALOG: 2,
  AUTO_INCREMENT: 3,
  CHARSET: 4,
  TIME_ZONE: 5,
  CATALOG_NZ: 6,
  LC_TIME_NAMES: 7,
  CHARSET_DATABASE: 8,
  TABLE_MAP_FOR_UPDATE: 9,
  MASTER_DATA_WRITTEN: 10,
  INVOKER: 11,
  UPDATED_DB_NAMES: 12,
  MICROSECONDS: 13,
  COMMIT_TS: 14,
  COMMIT_TS2: 15,
  EXPLICIT_DEFAULTS_FOR_TIMESTAMP: 16,
  DDL_LOGGED_WITH_XID: 17,
  DEFAULT_COLLATION_FOR_UTF8MB4: 18,
  SQL_REQUIRE_PRIMARY_KEY: 19,
  DEFAULT_TABLE_ENCRYPTION: 20,
  MARIADB_HRNOW: 128,
  MARIADB_XID: 129,
  MARIADB_GTID_FLAGS3: 130,
  MARIADB_CHARACTER_SET_COLLATIONS: 131,
  MARIADB_DUMMY: 255,
} as const;
/** max_allowed_packet's own limit. */
const LARGEST_EVENT = 2 ** 30;
/** The writer had more databases than it names. */
const TOO_MANY_DATABASES = 254;

/** `bytes[start, end)`: the event's body, behind the header and before the checksum. `timestamp`: the header's. */
export function readQueryEvent(bytes: Buffer, start: number, end: number, timestamp: number, compressed: boolean, at: string): QueryEvent {
  const databaseLength = bytes.readUInt8(start + 8);
  const errorCode = bytes.readUInt16LE(start + 9);
  const statusLength = bytes.readUInt16LE(start + 11);
  const statusStart = start + 13;
  const statusEnd = statusStart + statusLength;
  const sqlStart = statementAt(bytes, start);
  if (sqlStart > end) throw new RangeError(`a statement that begins ${sqlStart - end} bytes behind its event`);
  const raw = bytes.subarray(sqlStart, end);
  const status = readStatus(bytes, statusStart, statusEnd, timestamp, at);
  return {
    sql: compressed ? uncompress(raw) : raw,
    defaultDatabase: bytes.toString('utf8', statusEnd, statusEnd + databaseLength),
    errorCode,
    ...status,
  };
}

/** Where the statement begins: behind the post-header, the status variables, and the database's name with its zero. */
const statementAt = (bytes: Buffer, start: number): number => start + 13 + bytes.readUInt16LE(start + 11) + bytes.readUInt8(start + 8) + 1;

const BEGIN = Buffer.from('BEGIN');

/** Whether a QUERY event's statement is BEGIN, as servers write it before a transaction's rows; nothing else of it matters then. */
export function isBegin(bytes: Buffer, start: number, end: number): boolean {
  const sql = end - BEGIN.length;
  if (statementAt(bytes, start) !== sql) return false;
  for (let i = 0; i < BEGIN.length; i++) if (bytes[sql + i] !== BEGIN[i]) return false;
  return true;
}

/** A session of which the log tells nothing. `timestamp`: seconds since 1970. */
export const sessionUntold = (timestamp: number): DdlSession => ({
  sqlMode: null,
  characterSetClient: null,
  collationConnection: null,
  collationServer: null,
  databaseCollation: null,
  timeZone: null,
  lcTimeNames: null,
  autoIncrementIncrement: null,
  autoIncrementOffset: null,
  flags2: null,
  defaultCollationForUtf8mb4: null,
  explicitDefaultsForTimestamp: null,
  timestamp,
});

function readStatus(
  bytes: Buffer,
  start: number,
  end: number,
  timestamp: number,
  at: string,
): { session: DdlSession; updatedDatabases: string[] | null } {
  const session: { -readonly [Key in keyof DdlSession]: DdlSession[Key] } = sessionUntold(timestamp);
  let updatedDatabases: string[] | null = null;
  let p = start;
  while (p < end) {
    const code = bytes.readUInt8(p++);
    switch (code) {
      case STATUS.FLAGS2:
        session.flags2 = bytes.readUInt32LE(p);
        p += 4;
        break;
      case STATUS.SQL_MODE:
        session.sqlMode = bytes.readBigUInt64LE(p);
        p += 8;
        break;
      case STATUS.CATALOG:
        p += bytes.readUInt8(p) + 2;
        break;
      case STATUS.CATALOG_NZ:
        p += bytes.readUInt8(p) + 1;
        break;
      case STATUS.AUTO_INCREMENT:
        session.autoIncrementIncrement = bytes.readUInt16LE(p);
        session.autoIncrementOffset = bytes.readUInt16LE(p + 2);
        p += 4;
        break;
      case STATUS.CHARSET:
        session.characterSetClient = bytes.readUInt16LE(p);
        session.collationConnection = bytes.readUInt16LE(p + 2);
        session.collationServer = bytes.readUInt16LE(p + 4);
        p += 6;
        break;
      case STATUS.TIME_ZONE: {
        const length = bytes.readUInt8(p++);
        session.timeZone = bytes.toString('latin1', p, p + length);
        p += length;
        break;
      }
      case STATUS.LC_TIME_NAMES:
        session.lcTimeNames = bytes.readUInt16LE(p);
        p += 2;
        break;
      case STATUS.CHARSET_DATABASE:
        session.databaseCollation = bytes.readUInt16LE(p);
        p += 2;
        break;
      case STATUS.TABLE_MAP_FOR_UPDATE:
      case STATUS.DDL_LOGGED_WITH_XID:
      case STATUS.MARIADB_XID:
      case STATUS.COMMIT_TS:
      case STATUS.COMMIT_TS2:
        p += 8;
        break;
      case STATUS.MASTER_DATA_WRITTEN:
        p += 4;
        break;
      case STATUS.INVOKER:
        p += bytes.readUInt8(p) + 1;
        p += bytes.readUInt8(p) + 1;
        break;
      case STATUS.UPDATED_DB_NAMES: {
        const count = bytes.readUInt8(p++);
        if (count === TOO_MANY_DATABASES) break;
        updatedDatabases = [];
        for (let i = 0; i < count; i++) {
          const zero = bytes.indexOf(0, p);
          if (zero < 0 || zero >= end) throw new RangeError('a database name without end');
          updatedDatabases.push(bytes.toString('utf8', p, zero));
          p = zero + 1;
        }
        break;
      }
      case STATUS.MICROSECONDS:
      case STATUS.MARIADB_HRNOW:
        session.timestamp = timestamp + bytes.readUIntLE(p, 3) / 1e6;
        p += 3;
        break;
      case STATUS.EXPLICIT_DEFAULTS_FOR_TIMESTAMP:
        session.explicitDefaultsForTimestamp = bytes.readUInt8(p++) !== 0;
        break;
      case STATUS.DEFAULT_COLLATION_FOR_UTF8MB4:
        session.defaultCollationForUtf8mb4 = bytes.readUInt16LE(p);
        p += 2;
        break;
      case STATUS.SQL_REQUIRE_PRIMARY_KEY:
      case STATUS.DEFAULT_TABLE_ENCRYPTION:
        p += 1;
        break;
      case STATUS.MARIADB_GTID_FLAGS3: {
        // A flag byte, and with COMMIT or ROLLBACK ALTER (0x4, 0x8) the number of the statement it ends.
        const flags = bytes.readUInt8(p++);
        if ((flags & 0x0c) !== 0) p += 8;
        break;
      }
      case STATUS.MARIADB_CHARACTER_SET_COLLATIONS:
        p += 1 + 4 * bytes.readUInt8(p);
        break;
      case STATUS.MARIADB_DUMMY:
        // Padding up to the end (Query_log_event::begin_event).
        p = end;
        break;
      default:
        throw new SrdfError('log-event-unsupported', {
          tried: `reading the statement at ${at}`,
          found: `the unknown status variable ${code}`,
          action: 'Upgrade SRDF to a version that knows this server, then resume the stream',
        });
    }
  }
  if (p !== end)
    throw new SrdfError('log-corrupt', {
      tried: `reading the statement at ${at}`,
      found: `its status variables end at ${p - start}, not at ${end - start}`,
      action: 'Check the file with mysqlbinlog or mariadb-binlog on the source',
    });
  return { session, updatedDatabases };
}

/**
 * MariaDB's log_bin_compress: a byte 0x80 | algorithm << 4 | n, the length in n big-endian bytes, zlib data
 * (`binlog_buf_uncompress` in sql/log_event.cc).
 */
export function uncompress(bytes: Buffer): Buffer {
  const head = bytes.readUInt8(0);
  const lengthBytes = head & 0x07;
  if ((head & 0x80) === 0 || (head & 0x70) !== 0 || lengthBytes < 1 || lengthBytes > 4)
    throw new RangeError(`a compressed event that begins with 0x${head.toString(16)}`);
  const length = bytes.readUIntBE(1, lengthBytes);
  if (length > LARGEST_EVENT) throw new RangeError(`a compressed event of ${length} bytes`);
  const plain = inflateSync(bytes.subarray(1 + lengthBytes), { maxOutputLength: Math.max(length, 1) });
  if (plain.length !== length) throw new RangeError(`${plain.length} bytes, not the ${length} announced`);
  return plain;
}
