/**
 * Whether a body keeps to the stream's selection as the target's own config has it, and is what it says it is. The source is not believed:
 * one that was broken into, or has another config, mustn't write into other databases of the target. Pure.
 */
import type { TableName } from '../../vocabulary.js';
import type { SchemaBody, SchemaObject, TableShape, WagonBody } from '../../wagon/body.js';
import type { DdlClassification, DdlStatement, Selection } from '../engine.js';
import { runnableText } from './apply/ddl-session.js';
import { databaseInScope, ddlInScope, foldedNames, tableInScope } from './binlog/scope.js';
import { readTableName } from './binlog/table-map.js';
import { classifyStatement } from './ddl/classify.js';
import { NUMBER, nameOf, quoteTable } from './ranges/sql-literals.js';

/** What was found, or null: all of it lies within. */
export function outOfScope(body: WagonBody, selection: Selection): string | null {
  switch (body.kind) {
    case 'changes':
      return first(body.tables, (shape) => ofShape(shape, selection));
    case 'ddl':
      return ofStatement(body.statement, selection);
    case 'schema':
      return ofSchema(body, selection);
    case 'range':
      return tableInScope(selection, body) ? null : `rows of ${nameOf(body)}`;
  }
}

function first<T>(all: readonly T[], find: (it: T) => string | null): string | null {
  for (const it of all) {
    const found = find(it);
    if (found !== null) return found;
  }
  return null;
}

/** Lengths are one byte in the server and of variable length in other readers: from here on the two would read different names. */
const ONE_BYTE_LENGTHS = 251;

/** The names beside a table map decide nothing: the server goes by those inside. */
function ofShape(shape: TableShape, selection: Selection): string | null {
  const bytes = Buffer.from(shape.bytes.buffer, shape.bytes.byteOffset, shape.bytes.byteLength);
  const databaseLength = bytes[0] ?? ONE_BYTE_LENGTHS;
  const tableLength = bytes[databaseLength + 2] ?? ONE_BYTE_LENGTHS;
  if (databaseLength >= ONE_BYTE_LENGTHS || tableLength >= ONE_BYTE_LENGTHS || databaseLength + tableLength + 4 > bytes.length)
    return `rows said to be of ${nameOf(shape)}, whose table map has no readable name`;
  const inside = readTableName(bytes);
  if (inside.database !== shape.database || inside.table !== shape.table || `${inside.database}${inside.table}`.includes('\0'))
    return `rows said to be of ${nameOf(shape)}, whose table map names ${nameOf(inside)}`;
  return tableInScope(selection, inside) ? null : `rows of ${nameOf(inside)}`;
}

/** sql_mode's names of a whole mode (ANSI, ORACLE…), which the server takes for ANSI_QUOTES among others; sql_class.h of both servers. */
const COMPOSITE_MODES = 0x100n | 0x200n | 0x400n | 0x800n | 0x1000n | 0x40000n;
const ANSI_QUOTES = 4n;
const NO_BACKSLASH_ESCAPES = 1n << 20n;

/** The statement is read again here, as it will be run: what the source calls it must be what it is. */
function ofStatement(statement: DdlStatement, selection: Selection): string | null {
  const { classification: said, session } = statement;
  const what = `a statement said to ${describe(said)}`;
  if (session.sqlMode !== null && (session.sqlMode & COMPOSITE_MODES) !== 0n && (session.sqlMode & ANSI_QUOTES) === 0n)
    return `${what}, in an sql_mode that no server logs`;
  for (const text of [statement.sql, Buffer.from(runnableText(statement), 'latin1')]) {
    const kind = classifyStatement(text, statement.defaultDatabase, session);
    if (kind.kind !== 'ddl') return `${what}, whose text is ${kind.kind === 'unclassifiable' ? kind.found : kind.kind}`;
    // In lower case by a source that takes it for the same; whether this server does, it is asked before it runs the statement.
    if (!saysTheSame(kind.classification, said) && !saysTheSame(foldedNames(kind.classification), said))
      return `${what}, whose text says to ${describe(kind.classification)}`;
  }
  return ofClassification(said, selection);
}

const describe = ({ verb, object, names }: DdlClassification): string => `${verb} the ${object} ${names.map(nameOf).join(', ')}`;
export const saysTheSame = (a: DdlClassification, b: DdlClassification): boolean =>
  a.verb === b.verb &&
  a.object === b.object &&
  a.names.length === b.names.length &&
  a.names.every((name, at) => equal(name, b.names[at])) &&
  (a.on === undefined ? b.on === undefined : equal(a.on, b.on));
const equal = (a: TableName, b: TableName | undefined): boolean => a.database === b?.database && a.table === b.table;

/** Stricter than what makes a source send a statement: each object named must be the stream's, not just one. */
function ofClassification(ddl: DdlClassification, selection: Selection): string | null {
  const strange = ddl.names.find((it) => !databaseInScope(selection, it.database)) ?? strangeTable(ddl, selection);
  if (strange !== undefined) return `a statement to ${describe(ddl)}, of which ${nameOf(strange)} isn’t the stream’s`;
  return ddlInScope(selection, ddl) ? null : `a statement to ${describe(ddl)}`;
}

function strangeTable(ddl: DdlClassification, selection: Selection): TableName | undefined {
  if (ddl.object !== 'table' && ddl.object !== 'index') return undefined;
  if (ddl.verb !== 'rename') return ddl.names.find((it) => !tableInScope(selection, it));
  // Old and new in turn. A table of the stream may get any name in its database; another's table mustn't be taken.
  const made: TableName[] = [];
  for (const [at, name] of ddl.names.entries()) {
    if (at % 2 === 1) made.push(name);
    else if (!tableInScope(selection, name) && !made.some((it) => equal(it, name))) return name;
  }
  return undefined;
}

function ofSchema(body: SchemaBody, selection: Selection): string | null {
  return first(body.objects, (object) => {
    const byTable = object.object === 'table' || object.object === 'view' || object.object === 'sequence';
    const within =
      object.object === 'trigger'
        ? object.on !== undefined && object.on.database === object.database && tableInScope(selection, object.on)
        : byTable
          ? tableInScope(selection, object)
          : databaseInScope(selection, object.database);
    if (!within) return `a definition of the ${object.object} ${nameOf(object)}`;
    return first(object.statements, (statement) => ofDefinition(object, statement));
  });
}

const MODE_NAMES = new Set(['ANSI', 'ORACLE', 'MSSQL', 'DB2', 'MAXDB', 'POSTGRESQL']);

/** Nothing but the creation of the very object; for some kinds with statements more, which describe-schema.ts makes. */
function ofDefinition(object: SchemaObject, statement: string): string | null {
  const what = `a definition of the ${object.object} ${nameOf(object)}`;
  if (object.object === 'sequence' && isSetValue(object, statement)) return null;
  if (object.object === 'table' && isSetDefault(object, statement)) return null;
  const modes = (object.session.sql_mode ?? '').split(',').filter((it) => it !== '');
  if (modes.some((it) => !/^[A-Z][A-Z0-9_]*$/.test(it)) || (modes.some((it) => MODE_NAMES.has(it)) && !modes.includes('ANSI_QUOTES')))
    return `${what} in an sql_mode that no server has`;
  const sqlMode = (modes.includes('ANSI_QUOTES') ? ANSI_QUOTES : 0n) | (modes.includes('NO_BACKSLASH_ESCAPES') ? NO_BACKSLASH_ESCAPES : 0n);
  const kind = classifyStatement(Buffer.from(statement, 'utf8'), object.database, { sqlMode, characterSetClient: null });
  if (kind.kind !== 'ddl') return `${what}, whose text is ${kind.kind === 'unclassifiable' ? kind.found : kind.kind}`;
  const { verb, object: made, names, on } = kind.classification;
  const [name] = names;
  const verbs = object.object === 'database' ? ['create', 'alter'] : object.object === 'routine' ? ['create', 'drop'] : ['create'];
  const fits =
    verbs.includes(verb) &&
    made === object.object &&
    names.length === 1 &&
    name !== undefined &&
    equal(name, object) &&
    (object.on === undefined || (on !== undefined && equal(on, object.on)));
  return fits ? null : `${what}, whose text says to ${describe(kind.classification)}`;
}

/** A default that the table's own definition can't show. */
function isSetDefault(object: SchemaObject, statement: string): boolean {
  const head = `ALTER TABLE ${quoteTable(object)} ALTER COLUMN `;
  return statement.startsWith(head) && /^`(?:[^`]|``)+` SET DEFAULT _utf8mb4 X'[0-9a-f]*'$/.test(statement.slice(head.length));
}

function isSetValue(object: SchemaObject, statement: string): boolean {
  const head = `DO SETVAL(${quoteTable(object)}, `;
  if (!statement.startsWith(head) || !statement.endsWith(')')) return false;
  const values = statement.slice(head.length, -1).split(', ');
  return values.length === 3 && values.every((it) => NUMBER.test(it));
}
