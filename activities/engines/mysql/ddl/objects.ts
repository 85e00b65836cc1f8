/** The rest of those statements whose names don't all stand at the front. Pure. */
import type { TableName } from '../../../vocabulary.js';
import type { DdlClassification } from '../../engine.js';
import type { StatementKind } from './classify.js';
import type { Lexer } from './lexer.js';
import { type NameReader, Unclassifiable } from './names.js';
import { type TableTraits, TraitCollector } from './table-traits.js';

/** Visits what stands outside parentheses, to the statement's end; a semicolon with anything behind it isn't understood. */
function walk(lexer: Lexer, names: NameReader, where: string, visit: (depth: number) => boolean): void {
  for (let depth = 0; ; ) {
    const token = lexer.peek();
    if (token.kind === 'end') return;
    if (token.kind === 'broken') throw new Unclassifiable(token.why);
    if (lexer.sign() === ';') {
      names.statementEnd(where);
      return;
    }
    if (visit(depth)) continue;
    lexer.next();
    if (token.kind !== 'sign') continue;
    if (token.text === '(') depth++;
    if (token.text === ')' && --depth < 0) throw new Unclassifiable(`a parenthesis too many in ${where}`);
  }
}

/** A column definition can't hold SELECT: it is then CREATE TABLE … SELECT, logged as text. */
export function createTable(lexer: Lexer, names: NameReader): StatementKind {
  const table = names.existing().name();
  const collector = new TraitCollector(lexer, names, 'create');
  let fromQuery = false;
  walk(lexer, names, 'CREATE TABLE', (depth) => {
    if (lexer.word() === 'SELECT') fromQuery = true;
    if (depth === 0 && lexer.word() === 'AS' && lexer.word(1) === 'TABLE') fromQuery = true;
    if (depth === 0 && lexer.word() === 'VALUES' && lexer.word(1) === 'ROW') fromQuery = true;
    return collector.visit(depth);
  });
  if (fromQuery) return { kind: 'statement-change', what: 'CREATE TABLE … SELECT' };
  return withTraits({ verb: 'create', object: 'table', names: [table] }, collector.traits(table));
}

const withTraits = (classification: DdlClassification, traits: TableTraits | undefined): StatementKind => ({
  kind: 'ddl',
  classification,
  ...(traits !== undefined && { traits }),
});

/** RENAME TO makes it a rename; EXCHANGE PARTITION and MariaDB's CONVERT PARTITION name a second table. */
export function alterTable(lexer: Lexer, names: NameReader, ignore: boolean): StatementKind {
  const table = names.existing().name();
  const collector = new TraitCollector(lexer, names, ignore ? 'alter-ignore' : 'alter');
  let renamed: TableName | null = null;
  const others: TableName[] = [];
  walk(lexer, names, 'ALTER TABLE', (depth) => {
    if (collector.visit(depth)) return true;
    if (depth !== 0) return false;
    const next = lexer.word(1);
    if (lexer.word() === 'RENAME' && next !== 'COLUMN' && next !== 'INDEX' && next !== 'KEY') {
      lexer.next();
      if (!lexer.accept('TO') && !lexer.accept('AS')) lexer.acceptSign('=');
      if (renamed !== null) throw new Unclassifiable('ALTER TABLE with two RENAMEs');
      lexer.accept('IF', 'EXISTS');
      renamed = names.name();
      return true;
    }
    if (lexer.word() === 'EXCHANGE' && next === 'PARTITION' && lexer.word(3) === 'WITH' && lexer.word(4) === 'TABLE') {
      for (let taken = 0; taken < 5; taken++) lexer.next();
      others.push(names.name());
      return true;
    }
    if (lexer.accept('CONVERT', 'TABLE')) {
      others.push(names.name());
      return true;
    }
    if (lexer.word() === 'CONVERT' && next === 'PARTITION' && lexer.word(3) === 'TO' && lexer.word(4) === 'TABLE') {
      for (let taken = 0; taken < 5; taken++) lexer.next();
      others.push(names.name());
      return true;
    }
    return false;
  });
  const target: TableName | null = renamed;
  const traits = collector.traits(target ?? table);
  if (target === null) return withTraits({ verb: 'alter', object: 'table', names: [table, ...others] }, traits);
  if (others.length > 0) throw new Unclassifiable('ALTER TABLE that renames and moves a partition');
  return withTraits({ verb: 'rename', object: 'table', names: [table, target] }, traits);
}

/** `a TO b, c TO d`: old and new in turn. */
export function renameList(lexer: Lexer, names: NameReader): readonly TableName[] {
  const list: TableName[] = [];
  names.existing();
  do {
    list.push(names.name());
    if (lexer.accept('WAIT')) lexer.next();
    else lexer.accept('NOWAIT');
    if (!lexer.accept('TO')) throw names.unexpected('RENAME TABLE');
    list.push(names.name());
  } while (lexer.acceptSign(','));
  names.statementEnd('RENAME TABLE');
  return list;
}

export function dropList(names: NameReader): readonly TableName[] {
  return names.existing().list('DROP');
}

/** The table of `CREATE INDEX name [USING type] ON table` and `DROP INDEX name ON table`. */
export function indexTable(lexer: Lexer, names: NameReader): TableName {
  names.existing().nameParts();
  if (lexer.accept('USING') || lexer.accept('TYPE')) lexer.next();
  if (!lexer.accept('ON')) throw names.unexpected('an index');
  return names.name();
}

/** A trigger lies in its table's database; it is named with that database or with none. */
export function createTrigger(names: NameReader): StatementKind {
  const { name, database } = names.existing().nameParts();
  const on = names.triggerTable();
  if (database !== null && database !== on.database) throw new Unclassifiable('a trigger and its table in two databases');
  return { kind: 'ddl', classification: { verb: 'create', object: 'trigger', names: [{ database: on.database, table: name }], on } };
}

/** ALTER EVENT: `RENAME TO` stands before the body, which begins with DO. */
export function eventRename(lexer: Lexer, names: NameReader): StatementKind {
  const event = names.existing().name();
  for (let depth = 0; ; ) {
    const token = lexer.peek();
    if (token.kind === 'broken') throw new Unclassifiable(token.why);
    if (token.kind === 'end' || (depth === 0 && lexer.word() === 'DO')) break;
    if (depth === 0 && lexer.accept('RENAME', 'TO'))
      return { kind: 'ddl', classification: { verb: 'rename', object: 'event', names: [event, names.name()] } };
    lexer.next();
    if (token.kind === 'sign') depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0;
  }
  return { kind: 'ddl', classification: { verb: 'alter', object: 'event', names: [event] } };
}
