/** A schema statement with its session, to bytes and back. */
import type { DdlClassification, DdlSession, DdlStatement } from '../engines/engine.js';
import type { ByteReader } from './byte-reader.js';
import type { ByteWriter } from './byte-writer.js';
import { LIMITS } from './limits.js';

const VERBS = ['create', 'alter', 'drop', 'rename', 'truncate'] as const satisfies readonly DdlClassification['verb'][];
const OBJECTS = [
  'database',
  'table',
  'index',
  'view',
  'routine',
  'trigger',
  'event',
  'sequence',
] as const satisfies readonly DdlClassification['object'][];

export function writeStatement(writer: ByteWriter, statement: DdlStatement): void {
  writer.bytes(statement.sql);
  writer.text(statement.defaultDatabase);
  writeSession(writer, statement.session);
  const { verb, object, names, on } = statement.classification;
  writer.u8(VERBS.indexOf(verb));
  writer.u8(OBJECTS.indexOf(object));
  writer.u32(names.length);
  for (const name of names) {
    writer.text(name.database);
    writer.text(name.table);
  }
  writer.optional(on ?? null, (table) => {
    writer.text(table.database);
    writer.text(table.table);
  });
}

export function readStatement(reader: ByteReader): DdlStatement {
  const sql = reader.bytes(LIMITS.statementBytes);
  const defaultDatabase = reader.text(LIMITS.nameBytes);
  const session = readSession(reader);
  const verb = reader.oneOf(VERBS, 'verb');
  const object = reader.oneOf(OBJECTS, 'object');
  const name = () => ({ database: reader.text(LIMITS.nameBytes), table: reader.text(LIMITS.nameBytes) });
  const names = Array.from({ length: reader.count(8) }, name);
  const on = reader.optional(name);
  return { sql, defaultDatabase, session, classification: { verb, object, names, ...(on === null ? {} : { on }) } };
}

function writeSession(writer: ByteWriter, session: DdlSession): void {
  const number = (value: number | null) => writer.optional(value, (it) => writer.u53(it));
  writer.optional(session.sqlMode, (mode) => writer.u64(mode));
  number(session.characterSetClient);
  number(session.collationConnection);
  number(session.collationServer);
  number(session.databaseCollation);
  writer.optional(session.timeZone, (zone) => writer.text(zone));
  number(session.lcTimeNames);
  number(session.autoIncrementIncrement);
  number(session.autoIncrementOffset);
  number(session.flags2);
  number(session.defaultCollationForUtf8mb4);
  writer.optional(session.explicitDefaultsForTimestamp, (it) => writer.bool(it));
  // Seconds may have a fraction (MariaDB logs microseconds): the exact double, not a rounded number.
  writer.f64(session.timestamp);
}

function readSession(reader: ByteReader): DdlSession {
  const number = () => reader.optional(() => reader.u53());
  return {
    sqlMode: reader.optional(() => reader.u64()),
    characterSetClient: number(),
    collationConnection: number(),
    collationServer: number(),
    databaseCollation: number(),
    timeZone: reader.optional(() => reader.text(LIMITS.nameBytes)),
    lcTimeNames: number(),
    autoIncrementIncrement: number(),
    autoIncrementOffset: number(),
    flags2: number(),
    defaultCollationForUtf8mb4: number(),
    explicitDefaultsForTimestamp: reader.optional(() => reader.bool()),
    timestamp: reader.f64(),
  };
}
