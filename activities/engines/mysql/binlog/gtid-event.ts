/** The events that begin a transaction and name it. Pure. */
import type { Gtid } from './gtid-set.js';

export interface GtidEvent {
  /** null: anonymous (gtid_mode=OFF). */
  readonly gtid: Gtid | null;
  /** MySQL: ms since 1970 of the commit at the server read from; null where the log has none. */
  readonly committedAt: number | null;
  /** MariaDB: the group is this one statement and has no COMMIT. */
  readonly standalone: boolean;
  /** false: it changed tables that a rollback doesn't put back. Known of MariaDB's transactions alone. */
  readonly transactional: boolean;
  /** MariaDB: part of a two-phase ALTER (binlog_alter_two_phase). */
  readonly alterPhase: boolean;
  /** MariaDB: an XA transaction that is prepared, or one that was prepared and ends here. */
  readonly xa: 'none' | 'prepared' | 'completed';
}

const uuidText = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
const milliseconds = (microseconds: bigint): number => Number(microseconds / 1000n);

/** The uuid met last, since a log is mostly one server's: its bytes and its text. */
const lastUuid = { bytes: Buffer.alloc(16), text: uuidText('0'.repeat(32)) };
function uuidAt(bytes: Buffer, at: number): string {
  for (let i = 0; i < 16; i++)
    if (bytes[at + i] !== lastUuid.bytes[i]) {
      lastUuid.bytes = Buffer.from(bytes.subarray(at, at + 16));
      lastUuid.text = uuidText(lastUuid.bytes.toString('hex'));
      break;
    }
  return lastUuid.text;
}
/** 64 bits, as far as a number can hold them. */
function sequenceAt(bytes: Buffer, at: number): number {
  const high = bytes.readUInt32LE(at + 4);
  const value = high * 2 ** 32 + bytes.readUInt32LE(at);
  if (value < 1 || high > 0x1f_ffff) throw new RangeError(`sequence number ${bytes.readBigUInt64LE(at)} is out of range`);
  return value;
}
const safe = (value: bigint): number => {
  if (value < 1n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`sequence number ${value} is out of range`);
  return Number(value);
};

/** MySQL GTID and ANONYMOUS_GTID (control_events.h `Gtid_event`). */
export function readMysqlGtid(bytes: Buffer, start: number, end: number, anonymous: boolean): GtidEvent {
  const source = uuidAt(bytes, start + 1);
  const sequence = anonymous ? 0 : sequenceAt(bytes, start + 17);
  // Logical clock: type 1 byte, two counters of 8; then the commit time in microseconds, 55 bits.
  const timeAt = start + 25 + 17;
  let committedAt: number | null = null;
  if (bytes[start + 25] === 2 && timeAt + 7 <= end)
    committedAt = Math.floor(((bytes.readUIntLE(timeAt + 4, 3) & 0x7f_ffff) * 2 ** 32 + bytes.readUInt32LE(timeAt)) / 1000);
  const gtid = anonymous ? null : { source, server: 0, sequence };
  return { gtid, committedAt, standalone: false, transactional: true, alterPhase: false, xa: 'none' };
}

/** MariaDB GTID (sql/log_event_server.cc `Gtid_log_event`): sequence 8, domain 4, flags 1, then what the flags announce. */
export function readMariadbGtid(bytes: Buffer, start: number, end: number, serverId: number): GtidEvent {
  const sequence = sequenceAt(bytes, start);
  const domain = bytes.readUInt32LE(start + 8);
  const flags = bytes.readUInt8(start + 12);
  let p = start + 13;
  if ((flags & 0x02) !== 0) p += 8;
  // FL_PREPARED_XA, FL_COMPLETED_XA: format id, two lengths, the xid's data.
  if ((flags & 0xc0) !== 0) p += 6 + bytes.readUInt8(p + 4) + bytes.readUInt8(p + 5);
  // Without a group commit id older versions pad with zeros up to 19 bytes: no extra flags then.
  const extra = p < end ? bytes.readUInt8(p) : 0;
  return {
    gtid: { source: String(domain), server: serverId, sequence },
    committedAt: null,
    standalone: (flags & 0x01) !== 0,
    transactional: (flags & 0x04) !== 0,
    alterPhase: (extra & 0x0e) !== 0,
    xa: (flags & 0x40) !== 0 ? 'prepared' : (flags & 0x80) !== 0 ? 'completed' : 'none',
  };
}

/**
 * GTID_TAGGED of MySQL 8.4 and later: fields in the format of the server's serialization library: numbers as
 * variable-length integers, whose first byte has as many low 1 bits as bytes follow
 * (libs/mysql/serialization/variable_length_integers.h).
 */
export function readTaggedGtid(bytes: Buffer, start: number, end: number): GtidEvent {
  let p = start;
  const unsigned = (): bigint => {
    const first = bytes.readUInt8(p);
    let following = 0;
    while (following < 8 && (first & (1 << following)) !== 0) following++;
    let value = 0n;
    if (following === 8) {
      value = bytes.readBigUInt64LE(p + 1);
    } else {
      value = BigInt(first) >> BigInt(following + 1);
      for (let i = 0; i < following; i++) value |= BigInt(bytes.readUInt8(p + 1 + i)) << BigInt(8 * (i + 1) - (following + 1));
    }
    p += 1 + following;
    return value;
  };
  const signed = (): bigint => {
    const raw = unsigned();
    return (raw & 1n) === 0n ? raw >> 1n : -(raw >> 1n) - 1n;
  };
  unsigned(); // version
  unsigned(); // size
  unsigned(); // last field that may not be ignored
  let uuid = '';
  let tag = '';
  let sequence = 0n;
  let committedAt: number | null = null;
  while (p < end) {
    const field = Number(unsigned());
    if (field === 0) unsigned();
    else if (field === 1) {
      let hex = '';
      for (let i = 0; i < 16; i++) {
        const byte = Number(unsigned());
        if (byte > 0xff) throw new RangeError(`the byte ${byte} in a uuid`);
        hex += byte.toString(16).padStart(2, '0');
      }
      uuid = uuidText(hex);
    } else if (field === 2) sequence = signed();
    else if (field === 3) {
      const length = Number(unsigned());
      tag = bytes.toString('latin1', p, p + length);
      p += length;
      // Into a position's text: nothing that means something there.
      if (!/^([a-z_][a-z0-9_]{0,31})?$/.test(tag)) throw new RangeError('a tag that is none');
    } else if (field === 4 || field === 5) signed();
    else if (field === 6) {
      committedAt = milliseconds(unsigned());
      break; // what follows isn't needed
    } else break;
  }
  if (uuid === '') throw new RangeError('a tagged GTID without uuid');
  return {
    gtid: { source: tag === '' ? uuid : `${uuid}:${tag}`, server: 0, sequence: safe(sequence) },
    committedAt,
    standalone: false,
    transactional: true,
    alterPhase: false,
    xa: 'none',
  };
}
