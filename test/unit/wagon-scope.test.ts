/** What a source that was broken into could put into a wagon: none of it gets past the target's own config. */
import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import type { DdlClassification, DdlSession, Selection } from '../../activities/engines/engine.js';
import { sessionUntold } from '../../activities/engines/mysql/binlog/query-event.js';
import { classifyStatement } from '../../activities/engines/mysql/ddl/classify.js';
import { outOfScope } from '../../activities/engines/mysql/wagon-scope.js';
import type { Position } from '../../activities/vocabulary.js';
import type { ChangesBody, DdlBody, SchemaBody, SchemaObject } from '../../activities/wagon/body.js';

const all: Selection = { databases: ['shop'], include: [], exclude: [{ database: 'shop', table: 'secret' }] };
const some: Selection = { databases: ['shop'], include: [{ database: 'shop', table: 'item' }], exclude: [] };

const mapOf = (database: string, table: string): Uint8Array => {
  const name = (text: string) => Buffer.concat([Buffer.of(Buffer.byteLength(text)), Buffer.from(text), Buffer.of(0)]);
  return Buffer.concat([name(database), name(table), Buffer.of(1, 3, 0, 0)]);
};
const changes = (database: string, table: string, bytes = mapOf(database, table)): ChangesBody => ({
  kind: 'changes',
  rowFormat: 'binlog',
  tables: [
    { database: 'shop', table: 'item', bytes: mapOf('shop', 'item') },
    { database, table, bytes },
  ],
  ordered: [],
  net: [],
  counts: { transactions: 1, captured: 1, carried: 1, logBytes: 1 },
  committed: { first: 0, last: 0 },
});

const session: DdlSession = { ...sessionUntold(1), sqlMode: 0n, characterSetClient: 45, collationConnection: 45, collationServer: 45 };
/** `said`: what the wagon claims; by default what the text says. */
function ddl(sql: string, said?: DdlClassification, more: Partial<DdlSession> = {}): DdlBody {
  const kind = classifyStatement(Buffer.from(sql), 'shop', { ...session, ...more });
  const classification = said ?? (kind.kind === 'ddl' ? kind.classification : undefined);
  if (classification === undefined) throw new Error('say what the wagon claims');
  const statement = { sql: Buffer.from(sql), defaultDatabase: 'shop', session: { ...session, ...more }, classification };
  return { kind: 'ddl', statement, committed: { first: 0, last: 0 }, logBytes: 1 };
}
const claim = (verb: DdlClassification['verb'], ...names: readonly string[]): DdlClassification => ({
  verb,
  object: 'table',
  names: names.map((table) => ({ database: 'shop', table })),
});

const schema = (object: Omit<SchemaObject, 'session'>, sql_mode = ''): SchemaBody => ({
  kind: 'schema',
  stage: 'before-data',
  baseline: 'p' as Position,
  objects: [{ ...object, session: { sql_mode } }],
});

describe('rows', () => {
  it('of the stream pass', () => {
    expect(outOfScope(changes('shop', 'order'), all)).toBeNull();
    expect(outOfScope(changes('shop', '_item_gho'), some)).toBeNull();
  });
  it.each([
    ['another database', changes('bank', 'account')],
    ['the server’s accounts', changes('mysql', 'user')],
    ['the ledger', changes('srdf', 'ledger')],
    ['an excluded table', changes('shop', 'secret')],
    ['another table than they say, inside', changes('shop', 'order', mapOf('mysql', 'user'))],
    ['a name that ends early for the server', changes('shop', 'secret\0x')],
    ['a name whose length the server reads otherwise', changes('shop', 'order', Buffer.from([0xfc, 4, 0, 1, 2, 3, 4, 5, 6, 7]))],
    ['no readable table map', changes('shop', 'order', Buffer.of(4, 115))],
  ])('of %s are refused', (_, body) => {
    expect(outOfScope(body, all)).toMatch(/^rows /);
  });
  it('of a copied range go by their table', () => {
    const range = { kind: 'range', columns: [], values: new Uint8Array(), rows: 0, asOf: null, part: 0, last: true } as const;
    expect(outOfScope({ ...range, database: 'shop', table: 'item' }, all)).toBeNull();
    expect(outOfScope({ ...range, database: 'mysql', table: 'user' }, all)).toBe('rows of mysql.user');
  });
});

describe('a statement', () => {
  it.each([
    'ALTER TABLE item ADD x INT',
    'CREATE TABLE item (a INT) START TRANSACTION',
    'RENAME TABLE item TO _item_del, _item_gho TO item',
    'RENAME TABLE item TO item_2019',
    'RENAME TABLE item TO swap, _item_new TO item, swap TO _item_old',
    'CREATE TRIGGER t BEFORE INSERT ON item FOR EACH ROW SET NEW.a = 1',
    'CREATE VIEW v AS SELECT 1',
    'DROP DATABASE shop',
  ])('of the stream passes: %s', (sql) => {
    expect(outOfScope(ddl(sql), some)).toBeNull();
  });
  it.each([
    'DROP TABLE bank.account',
    'DROP TABLE item, bank.account',
    'DROP TABLE item, other',
    'ALTER TABLE item RENAME bank.item',
    'RENAME TABLE other TO item',
    'CREATE TRIGGER t BEFORE INSERT ON other FOR EACH ROW SET NEW.a = 1',
    'DROP DATABASE mysql',
    'CREATE VIEW bank.v AS SELECT 1',
    'CREATE PROCEDURE mysql.p() SELECT 1',
  ])('that names what isn’t the stream’s is refused: %s', (sql) => {
    expect(outOfScope(ddl(sql), some)).toMatch(/^a statement to /);
  });
  it.each([
    ['DROP TABLE bank.account', claim('alter', 'item'), {}],
    ['DROP TABLE item', claim('alter', 'item'), {}],
    ['ALTER TABLE item ADD x INT; DROP TABLE bank.account', claim('alter', 'item'), {}],
    ["GRANT ALL ON *.* TO 'me'@'%'", claim('alter', 'item'), {}],
    ['INSERT INTO item VALUES (1)', claim('alter', 'item'), {}],
    ['CREATE TABLE item SELECT * FROM bank.account', claim('create', 'item'), {}],
    ['/*!50000 DROP TABLE bank.account */', claim('drop', 'item'), {}],
    // The server reads ANSI as ANSI_QUOTES too: "…" would be a name there and a string here.
    ['ALTER TABLE item COMMENT "x, RENAME bank.item"', claim('alter', 'item'), { sqlMode: 0x40000n }],
  ])('that isn’t what the wagon says of it is refused: %s', (sql, said, more) => {
    expect(outOfScope(ddl(sql, said, more), some)).toMatch(/^a statement said to /);
  });
});

describe('a definition', () => {
  const item = { database: 'shop', table: 'item' };
  it.each<[Omit<SchemaObject, 'session'>]>([
    [{ object: 'table', ...item, statements: ['CREATE TABLE `item` (`a` int)'] }],
    [
      {
        object: 'database',
        database: 'shop',
        table: '',
        statements: ['CREATE DATABASE IF NOT EXISTS `shop`', 'ALTER DATABASE `shop` CHARACTER SET utf8mb4'],
      },
    ],
    [{ object: 'sequence', ...item, statements: ['CREATE SEQUENCE `item` start with 1', 'DO SETVAL(`shop`.`item`, -3, 0, 12)'] }],
    [
      {
        object: 'routine',
        database: 'shop',
        table: 'p',
        statements: ['DROP PROCEDURE IF EXISTS `shop`.`p`', 'CREATE PROCEDURE `p`() SELECT 1'],
      },
    ],
  ])('of the stream passes: $object', (object) => {
    expect(outOfScope(schema(object), some)).toBeNull();
  });
  it.each<[string, Omit<SchemaObject, 'session'>]>([
    ['another database', { object: 'table', database: 'bank', table: 'item', statements: [] }],
    [
      'another database’s trigger',
      { object: 'trigger', database: 'shop', table: 't', on: { database: 'bank', table: 'x' }, statements: [] },
    ],
    ['the server’s database', { object: 'routine', database: 'mysql', table: 'p', statements: [] }],
    ['another object in its text', { object: 'table', ...item, statements: ['CREATE TABLE bank.account (a INT)'] }],
    ['a DROP in its text', { object: 'table', ...item, statements: ['DROP TABLE item'] }],
    ['rows in its text', { object: 'table', ...item, statements: ['CREATE TABLE item (a INT)', 'INSERT INTO mysql.user VALUES (1)'] }],
    ['an account in its text', { object: 'table', ...item, statements: ["CREATE USER me@'%'"] }],
    ['a call in its SETVAL', { object: 'sequence', ...item, statements: ['DO SETVAL(`shop`.`item`, 1, 0, bank.f())'] }],
    ['two statements', { object: 'table', ...item, statements: ['CREATE TABLE item (a INT); DROP TABLE bank.account'] }],
  ])('of %s is refused', (_, object) => {
    expect(outOfScope(schema(object), some)).toMatch(/^a definition /);
  });
  it('in an sql_mode that reads its text otherwise is refused', () => {
    expect(outOfScope(schema({ object: 'table', ...item, statements: ['CREATE TABLE item (a INT)'] }, 'ANSI'), some)).toMatch(/sql_mode/);
  });
});
