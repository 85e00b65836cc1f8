/** The statements of MariaDB and MySQL by their leading words; the names of what they change. Pure. */
import type { TableName } from '../../../vocabulary.js';
import type { StatementKind } from './classify.js';
import type { Lexer } from './lexer.js';
import { NameReader, Unclassifiable } from './names.js';
import { alterTable, createTable, createTrigger, dropList, eventRename, indexTable, renameList } from './objects.js';

export { Unclassifiable } from './names.js';

const outside = (what: string): StatementKind => ({ kind: 'outside', what });
type Verb = 'create' | 'alter' | 'drop' | 'rename' | 'truncate';
type DdlObject = 'database' | 'table' | 'index' | 'view' | 'routine' | 'trigger' | 'event' | 'sequence';
const ddl = (verb: Verb, object: DdlObject, names: readonly TableName[], on?: TableName): StatementKind => ({
  kind: 'ddl',
  classification: { verb, object, names, ...(on === undefined ? {} : { on }) },
});

export function parseStatement(lexer: Lexer, defaultDatabase: string, decode: (bytes: string) => string): StatementKind {
  const names = new NameReader(lexer, defaultDatabase, decode);
  if (lexer.accept('SET', 'STATEMENT')) skipSetStatement(lexer);
  const verb = lexer.word();
  switch (verb) {
    case 'CREATE':
      lexer.next();
      return create(lexer, names);
    case 'ALTER':
      lexer.next();
      return alter(lexer, names);
    case 'DROP':
      lexer.next();
      return drop(lexer, names);
    case 'RENAME':
      lexer.next();
      if (lexer.accept('USER')) return outside('accounts');
      if (!lexer.accept('TABLE') && !lexer.accept('TABLES')) throw names.unexpected('RENAME');
      return ddl('rename', 'table', renameList(lexer, names));
    case 'TRUNCATE': {
      lexer.next();
      lexer.accept('TABLE');
      const table = names.name();
      skipWait(lexer);
      names.statementEnd('TRUNCATE TABLE');
      return ddl('truncate', 'table', [table]);
    }
    default:
      return withoutObjects(lexer, names, verb);
  }
}

/** `SET STATEMENT variable=value, … FOR statement` (MariaDB). */
function skipSetStatement(lexer: Lexer): void {
  for (let depth = 0; ; ) {
    const token = lexer.peek();
    if (token.kind === 'end' || token.kind === 'broken') throw new Unclassifiable('SET STATEMENT without FOR');
    if (depth === 0 && lexer.accept('FOR')) return;
    lexer.next();
    if (token.kind === 'sign') depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0;
  }
}

const CHANGES = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'LOAD', 'CALL', 'DO', 'SELECT', 'WITH', 'HANDLER', 'MERGE']);
const OUTSIDE = new Map([
  ['GRANT', 'accounts'],
  ['REVOKE', 'accounts'],
  ['SET', 'SET'],
  ['FLUSH', 'FLUSH'],
  ['OPTIMIZE', 'table maintenance'],
  ['REPAIR', 'table maintenance'],
  ['CHECK', 'table maintenance'],
  ['CHECKSUM', 'table maintenance'],
  ['RESET', 'server administration'],
  ['PURGE', 'server administration'],
  ['INSTALL', 'server administration'],
  ['UNINSTALL', 'server administration'],
]);

function withoutObjects(lexer: Lexer, names: NameReader, verb: string): StatementKind {
  if (CHANGES.has(verb)) return { kind: 'statement-change', what: verb };
  const what = OUTSIDE.get(verb);
  if (what !== undefined) return outside(what);
  if (verb === 'ANALYZE') {
    // MariaDB's ANALYZE UPDATE … executes the statement; only ANALYZE TABLE changes nothing.
    lexer.next();
    const next = lexer.word();
    if (next === 'TABLE' || next === 'TABLES' || next === 'LOCAL' || next === 'NO_WRITE_TO_BINLOG') return outside('table maintenance');
    return { kind: 'statement-change', what: 'ANALYZE of a statement' };
  }
  const transaction = transactionVerb(lexer);
  if (transaction === null) throw names.unexpected('a statement');
  return { kind: 'transaction', verb: transaction };
}

function transactionVerb(lexer: Lexer): 'begin' | 'commit' | 'rollback' | 'savepoint' | 'xa' | 'rollback-to' | null {
  const ends = (): boolean => {
    lexer.acceptSign(';');
    return lexer.peek().kind === 'end';
  };
  if (lexer.accept('BEGIN')) {
    lexer.accept('WORK');
    return ends() ? 'begin' : null;
  }
  if (lexer.accept('START', 'TRANSACTION')) return 'begin';
  if (lexer.accept('COMMIT')) {
    lexer.accept('WORK');
    return ends() ? 'commit' : null;
  }
  if (lexer.accept('ROLLBACK')) {
    lexer.accept('WORK');
    if (lexer.word() === 'TO') return 'rollback-to';
    return ends() ? 'rollback' : null;
  }
  if (lexer.word() === 'SAVEPOINT' || lexer.accept('RELEASE', 'SAVEPOINT')) return 'savepoint';
  return lexer.word() === 'XA' ? 'xa' : null;
}

function skipWait(lexer: Lexer): void {
  if (lexer.accept('WAIT')) lexer.next();
  else lexer.accept('NOWAIT');
}

const SERVER_WIDE = new Map([
  ['USER', 'accounts'],
  ['ROLE', 'accounts'],
  ['SERVER', 'server-wide object'],
  ['TABLESPACE', 'server-wide object'],
  ['LOGFILE', 'server-wide object'],
  ['INSTANCE', 'server-wide object'],
]);

function serverWide(lexer: Lexer): StatementKind | null {
  const what = SERVER_WIDE.get(lexer.word());
  if (what !== undefined) return outside(what);
  if (lexer.accept('RESOURCE', 'GROUP') || lexer.accept('UNDO', 'TABLESPACE') || lexer.accept('SPATIAL', 'REFERENCE', 'SYSTEM'))
    return outside('server-wide object');
  return null;
}

const acceptDatabase = (lexer: Lexer): boolean => lexer.accept('DATABASE') || lexer.accept('SCHEMA');
const acceptTable = (lexer: Lexer): boolean => lexer.accept('TABLE') || lexer.accept('TABLES');
const acceptRoutine = (lexer: Lexer): boolean =>
  lexer.accept('PROCEDURE') || lexer.accept('FUNCTION') || lexer.accept('PACKAGE', 'BODY') || lexer.accept('PACKAGE');

function create(lexer: Lexer, names: NameReader): StatementKind {
  lexer.accept('OR', 'REPLACE');
  const system = serverWide(lexer);
  if (system !== null) return system;
  if (acceptDatabase(lexer)) return ddl('create', 'database', [names.existing().database()]);
  if (lexer.accept('TEMPORARY')) return outside('temporary table');
  if (lexer.accept('TABLE')) return createTable(lexer, names);
  if (lexer.accept('SEQUENCE')) return ddl('create', 'sequence', [names.existing().name()]);
  for (const _ of [0, 1]) {
    if (!lexer.accept('ONLINE')) lexer.accept('OFFLINE');
    for (const type of ['UNIQUE', 'FULLTEXT', 'SPATIAL', 'VECTOR']) lexer.accept(type);
  }
  if (lexer.accept('INDEX')) return ddl('create', 'index', [indexTable(lexer, names)]);
  names.objectModifiers();
  if (lexer.accept('VIEW')) return ddl('create', 'view', [names.existing().name()]);
  if (lexer.accept('TRIGGER')) return createTrigger(names);
  if (lexer.accept('EVENT')) return ddl('create', 'event', [names.existing().name()]);
  lexer.accept('AGGREGATE');
  if (acceptRoutine(lexer)) {
    const routine = names.existing().name();
    // A loadable function (RETURNS … SONAME) has no parameter list; it belongs to the server.
    return lexer.word() === 'RETURNS' && lexer.word(2) === 'SONAME' ? outside('loadable function') : ddl('create', 'routine', [routine]);
  }
  throw names.unexpected('CREATE');
}

function alter(lexer: Lexer, names: NameReader): StatementKind {
  const system = serverWide(lexer);
  if (system !== null) return system;
  if (acceptDatabase(lexer)) return ddl('alter', 'database', [names.alteredDatabase()]);
  if (!lexer.accept('ONLINE')) lexer.accept('OFFLINE');
  const ignore = lexer.accept('IGNORE');
  if (lexer.accept('TABLE')) return alterTable(lexer, names, ignore);
  if (lexer.accept('SEQUENCE')) return ddl('alter', 'sequence', [names.existing().name()]);
  names.objectModifiers();
  if (lexer.accept('VIEW')) return ddl('alter', 'view', [names.existing().name()]);
  if (lexer.accept('EVENT')) return eventRename(lexer, names);
  if (acceptRoutine(lexer)) return ddl('alter', 'routine', [names.existing().name()]);
  throw names.unexpected('ALTER');
}

function drop(lexer: Lexer, names: NameReader): StatementKind {
  const system = serverWide(lexer);
  if (system !== null) return system;
  if (acceptDatabase(lexer)) return ddl('drop', 'database', [names.existing().database()]);
  if (lexer.accept('TEMPORARY')) return outside('temporary table');
  if (acceptTable(lexer)) return ddl('drop', 'table', dropList(names));
  if (lexer.accept('VIEW')) return ddl('drop', 'view', dropList(names));
  if (lexer.accept('SEQUENCE')) return ddl('drop', 'sequence', dropList(names));
  if (!lexer.accept('ONLINE')) lexer.accept('OFFLINE');
  if (lexer.accept('INDEX')) return ddl('drop', 'index', [indexTable(lexer, names)]);
  if (lexer.accept('TRIGGER')) return ddl('drop', 'trigger', [names.existing().name()]);
  if (lexer.accept('EVENT')) return ddl('drop', 'event', [names.existing().name()]);
  if (acceptRoutine(lexer)) return ddl('drop', 'routine', [names.existing().name()]);
  if (lexer.word() === 'PREPARE') return outside('SET');
  throw names.unexpected('DROP');
}
