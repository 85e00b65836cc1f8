/**
 * Binary log events made from row images, for BINLOG statements. Pure.
 * Layouts: MySQL libs/mysql/binlog/event/{control_events,rows_event}.h; MariaDB sql/log_event.h.
 */
import type { EngineName, Operation } from '../../engine.js';
import { EVENT, HEADER_LENGTH } from '../binlog/event-types.js';
import { readPackedInteger } from '../binlog/packed-integer.js';
import { readTableName } from '../binlog/table-map.js';

/** Lengths of the events' fixed parts by type, from 1 on, as MariaDB 10.11 and MySQL 9.7 write them. */
const FIXED_PARTS: Readonly<Record<EngineName, readonly string[]>> = {
  mariadb: [
    '380d000800120004040404120000e400041a08000000080808020000000a0a0a0000000000000a0a0a',
    '00'.repeat(118),
    '00041304000d0808080a0a0a',
  ],
  mysql: ['000d0008000000000400040000006300041a08000000000000020000000a0a0a2a2a001234000a280000'],
};

function event(type: number, serverId: number, body: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(HEADER_LENGTH);
  const all = Buffer.concat([header, ...body]);
  all.writeUInt8(type, 4);
  all.writeUInt32LE(serverId, 5);
  all.writeUInt32LE(all.length, 9);
  return all;
}

/** Tells the server how the events that follow are laid out: without checksums. */
export function formatDescription(engine: EngineName, serverVersion: string, serverId: number): Buffer {
  const lengths = Buffer.from(FIXED_PARTS[engine].join(''), 'hex');
  // Behind the lengths: which checksums follow (0: none) and this event's own, which nobody checks then.
  const body = Buffer.alloc(2 + 50 + 4 + 1 + lengths.length + 1 + 4);
  body.writeUInt16LE(4, 0);
  body.write(serverVersion.slice(0, 49), 2, 'latin1');
  body.writeUInt8(HEADER_LENGTH, 56);
  lengths.copy(body, 57);
  return event(EVENT.FORMAT_DESCRIPTION, serverId, [body]);
}

const TABLE_ID_LENGTH = 6;
/** BIT columns' lengths are exact: set by every server since 5.1. */
const TABLE_MAP_FLAGS = 1;

function tableHead(id: number, flags: number): Buffer {
  const head = Buffer.alloc(TABLE_ID_LENGTH + 2);
  head.writeUIntLE(id, 0, TABLE_ID_LENGTH);
  head.writeUInt16LE(flags, TABLE_ID_LENGTH);
  return head;
}

/** `shape`: a TABLE_MAP event's body after table id and flags. */
export const tableMapEvent = (serverId: number, id: number, shape: Uint8Array): Buffer =>
  event(EVENT.TABLE_MAP, serverId, [tableHead(id, TABLE_MAP_FLAGS), shape]);

/** The same shape under another name: its rows go to that table. */
export function renamedShape(shape: Uint8Array, database: string, table: string): Buffer {
  const { next } = readTableName(asBuffer(shape));
  const name = (text: string): Buffer => {
    const bytes = Buffer.from(text, 'utf8');
    return Buffer.concat([Buffer.of(bytes.length), bytes, Buffer.of(0)]);
  };
  return Buffer.concat([name(database), name(table), asBuffer(shape).subarray(next)]);
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
export function columnCount(shape: Uint8Array): number {
  const body = asBuffer(shape);
  return readPackedInteger(body, readTableName(body).next).value;
}

function packedCount(count: number): Buffer {
  if (count < 251) return Buffer.of(count);
  return Buffer.of(0xfc, count & 0xff, count >> 8);
}

const TYPES: Readonly<Record<EngineName, Readonly<Record<Operation, number>>>> = {
  mariadb: { insert: EVENT.WRITE_ROWS_V1, update: EVENT.UPDATE_ROWS_V1, delete: EVENT.DELETE_ROWS_V1 },
  mysql: { insert: EVENT.WRITE_ROWS, update: EVENT.UPDATE_ROWS, delete: EVENT.DELETE_ROWS },
};

/** `images`: whole images in a row, all columns present (binlog_row_image=FULL); for updates before and after in turn. */
export function rowsEvent(
  engine: EngineName,
  serverId: number,
  id: number,
  operation: Operation,
  columns: number,
  images: Uint8Array,
  flags: number,
): Buffer {
  const present = Buffer.alloc((columns + 7) >> 3, 0xff);
  const parts = [tableHead(id, flags)];
  // Version 2 events carry extra data; its length counts itself.
  if (engine === 'mysql') parts.push(Buffer.of(2, 0));
  parts.push(packedCount(columns), present);
  if (operation === 'update') parts.push(present);
  return event(TYPES[engine][operation], serverId, [...parts, images]);
}
