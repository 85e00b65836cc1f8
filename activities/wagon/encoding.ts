/**
 * A wagon's body to bytes and back: one compact binary encoding (docs/wagon-format.md), fixed-width little-endian, strict.
 * The first 32 bytes are SHA-256 of all that follows, so the plaintext's checksum lies inside the sealed part.
 */
import { createHash } from 'node:crypto';
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { Position, TableName } from '../vocabulary.js';
import type { CopyEncoding, DdlBody, RangeBody, SchemaBody, SchemaObject, SchemaStage, WagonBody } from './body.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { changesSize, readChanges, writeChanges } from './encoding-changes.js';
import { readStatement, writeStatement } from './encoding-statement.js';
import { LIMITS } from './limits.js';

export const CHECKSUM_BYTES = 32;
const BODY_VERSION = 1;
const KINDS = ['changes', 'ddl', 'schema', 'range'] as const satisfies readonly WagonBody['kind'][];
const STAGES = ['before-data', 'after-data', 'at-promotion'] as const satisfies readonly SchemaStage[];
const OBJECTS = [
  'database',
  'table',
  'view',
  'routine',
  'trigger',
  'event',
  'sequence',
] as const satisfies readonly SchemaObject['object'][];
const ENCODINGS = ['number', 'bytes'] as const satisfies readonly CopyEncoding[];

/** The bytes own their buffer's first `length` bytes; the checksum's place is filled by `putChecksum`. */
export function encodeBody(body: WagonBody): Uint8Array {
  const writer = new ByteWriter(expectedSize(body), CHECKSUM_BYTES);
  writer.u8(BODY_VERSION);
  writer.u8(KINDS.indexOf(body.kind));
  switch (body.kind) {
    case 'changes':
      writeChanges(writer, body);
      break;
    case 'ddl':
      writeDdl(writer, body);
      break;
    case 'schema':
      writeSchema(writer, body);
      break;
    case 'range':
      writeRange(writer, body);
      break;
  }
  return writer.finish();
}

/** Fills the reserved front of an encoded body. */
export function putChecksum(encoded: Uint8Array): void {
  encoded.set(createHash('sha256').update(encoded.subarray(CHECKSUM_BYTES)).digest(), 0);
}

/** `wagon-checksum` when the plaintext isn't what was encoded. */
export function checkChecksum(encoded: Uint8Array): void {
  const sum = createHash('sha256').update(encoded.subarray(CHECKSUM_BYTES)).digest();
  if (encoded.length < CHECKSUM_BYTES || !sum.equals(encoded.subarray(0, CHECKSUM_BYTES))) {
    throw new SrdfError('wagon-checksum', {
      tried: 'checking a decrypted wagon',
      found: 'the checksum inside does not match the body',
      action: 'Nothing was applied. The memory or disk of one of the sites is suspect: check them, then let the source cut the wagon again',
    });
  }
}

/** Views into `encoded`, no copies of row data. The checksum has been checked before. */
export function decodeBody(encoded: Uint8Array): WagonBody {
  const reader = new ByteReader(encoded, 'wagon-malformed', "decoding a wagon's body", Math.min(CHECKSUM_BYTES, encoded.length));
  const version = reader.u8();
  if (version !== BODY_VERSION) reader.refuse(`unknown body version ${version}`);
  const kind = reader.oneOf(KINDS, 'body kind');
  const body = readKind(reader, kind);
  reader.end();
  return body;
}

function readKind(reader: ByteReader, kind: WagonBody['kind']): WagonBody {
  switch (kind) {
    case 'changes':
      return readChanges(reader);
    case 'ddl':
      return readDdl(reader);
    case 'schema':
      return readSchema(reader);
    case 'range':
      return readRange(reader);
  }
}

function expectedSize(body: WagonBody): number {
  const around = 1024 + CHECKSUM_BYTES;
  if (body.kind === 'changes') return around + changesSize(body);
  if (body.kind === 'range') return around + body.values.length + 128 * body.columns.length;
  return around * 4;
}

function writeTableName(writer: ByteWriter, name: TableName): void {
  writer.text(name.database);
  writer.text(name.table);
}
function readTableName(reader: ByteReader): TableName {
  return { database: reader.text(LIMITS.nameBytes), table: reader.text(LIMITS.nameBytes) };
}

function writeDdl(writer: ByteWriter, body: DdlBody): void {
  writer.u53(body.committed.first);
  writer.u53(body.committed.last);
  writer.u53(body.logBytes);
  writeStatement(writer, body.statement);
}
function readDdl(reader: ByteReader): DdlBody {
  const committed = { first: reader.u53(), last: reader.u53() };
  const logBytes = reader.u53();
  return { kind: 'ddl', statement: readStatement(reader), committed, logBytes };
}

function writeSchema(writer: ByteWriter, body: SchemaBody): void {
  writer.u8(STAGES.indexOf(body.stage));
  writer.text(body.baseline);
  writer.u32(body.objects.length);
  for (const object of body.objects) {
    writer.u8(OBJECTS.indexOf(object.object));
    writeTableName(writer, object);
    writer.optional(object.on ?? null, (on) => writeTableName(writer, on));
    writer.u32(object.statements.length);
    for (const statement of object.statements) writer.text(statement);
    // Sorted, so that one object has one encoding.
    const session = Object.entries(object.session).sort(([a], [b]) => (a < b ? -1 : 1));
    writer.u32(session.length);
    for (const [name, value] of session) {
      writer.text(name);
      writer.text(value);
    }
  }
}
function readSchema(reader: ByteReader): SchemaBody {
  const stage = reader.oneOf(STAGES, 'schema stage');
  const baseline = reader.text(LIMITS.positionBytes) as Position;
  const objects: SchemaObject[] = [];
  const count = reader.count(18);
  for (let index = 0; index < count; index++) {
    const object = reader.oneOf(OBJECTS, 'schema object');
    const name = readTableName(reader);
    const on = reader.optional(() => readTableName(reader));
    const statements = Array.from({ length: reader.count(4) }, () => reader.text(LIMITS.statementBytes));
    const session: Record<string, string> = Object.create(null);
    const variables = reader.count(8);
    let last = '';
    for (let variable = 0; variable < variables; variable++) {
      const key = reader.text(LIMITS.nameBytes);
      if (variable > 0 && key <= last) reader.refuse('session variables out of order');
      last = key;
      session[key] = reader.text(LIMITS.statementBytes);
    }
    objects.push({ object, ...name, statements, session: { ...session }, ...(on === null ? {} : { on }) });
  }
  return { kind: 'schema', stage, baseline, objects };
}

function writeRange(writer: ByteWriter, body: RangeBody): void {
  writeTableName(writer, body);
  writer.u32(body.part);
  writer.bool(body.last);
  writer.optional(body.asOf, (position) => writer.text(position));
  writer.u32(body.columns.length);
  for (const column of body.columns) {
    writer.text(column.name);
    writer.u8(ENCODINGS.indexOf(column.encoding));
  }
  writer.u32(body.rows);
  writer.bytes(body.values);
}
function readRange(reader: ByteReader): RangeBody {
  const name = readTableName(reader);
  const part = reader.u32();
  const last = reader.bool();
  const asOf = reader.optional(() => reader.text(LIMITS.positionBytes) as Position);
  const columns = Array.from({ length: reader.count(5) }, () => ({
    name: reader.text(LIMITS.nameBytes),
    encoding: reader.oneOf(ENCODINGS, 'copy encoding'),
  }));
  const rows = reader.u32();
  const values = reader.bytes(LIMITS.plainBytes);
  checkValues(reader, values, rows * columns.length);
  return { kind: 'range', ...name, columns, values, rows, asOf, part, last };
}

/** Each value's length must lead exactly to the next, and the last to the end. */
function checkValues(reader: ByteReader, values: Uint8Array, expected: number): void {
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  let at = 0;
  let count = 0;
  while (at + 4 <= values.length) {
    const length = view.getUint32(at, true);
    at += 4 + (length === 0xffff_ffff ? 0 : length);
    count++;
  }
  if (at !== values.length || count !== expected) reader.refuse(`${expected} values declared, ${count} found`);
}
