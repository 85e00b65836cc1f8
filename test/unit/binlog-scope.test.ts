import { describe, expect, it } from 'vitest';
import { ddlInScope, tableInScope } from '../../activities/engines/mysql/binlog/scope.js';

const all = { databases: ['shop', 'srdf', 'mysql'], include: [], exclude: [{ database: 'shop', table: 'log' }] };
const some = { databases: ['shop'], include: [{ database: 'shop', table: 'item' }], exclude: [] };
const table = (name: string, database = 'shop') => ({ database, table: name });

describe('what belongs to a stream', () => {
  it('is every table of its databases but the excluded, and never the ledger or the server', () => {
    expect(tableInScope(all, table('item'))).toBe(true);
    expect(tableInScope(all, table('item', 'other'))).toBe(false);
    expect(tableInScope(all, table('log'))).toBe(false);
    expect(tableInScope(all, table('ledger', 'srdf'))).toBe(false);
    expect(tableInScope(all, table('user', 'mysql'))).toBe(false);
  });
  it('is, with include, those tables and the ones by which gh-ost and pt-online-schema-change rebuild them', () => {
    expect(tableInScope(some, table('item'))).toBe(true);
    expect(tableInScope(some, table('other'))).toBe(false);
    for (const name of ['_item_gho', '_item_ghc', '_item_del', '_item_new', '_item_old', '__item_new']) {
      expect(tableInScope(some, table(name))).toBe(true);
      expect(tableInScope(some, table(name.replace('item', 'other')))).toBe(false);
    }
    expect(tableInScope(all, table('_log_gho'))).toBe(false);
  });
  it('goes by table for tables and indexes, by the table for triggers, by database for the rest', () => {
    const names = [table('other'), table('item')];
    expect(ddlInScope(some, { verb: 'rename', object: 'table', names })).toBe(true);
    expect(ddlInScope(some, { verb: 'drop', object: 'table', names: [table('other')] })).toBe(false);
    expect(ddlInScope(some, { verb: 'create', object: 'trigger', names: [table('t')], on: table('item') })).toBe(true);
    expect(ddlInScope(some, { verb: 'create', object: 'trigger', names: [table('t')], on: table('other') })).toBe(false);
    expect(ddlInScope(some, { verb: 'create', object: 'view', names: [table('v')] })).toBe(true);
    expect(ddlInScope(some, { verb: 'create', object: 'view', names: [table('v', 'other')] })).toBe(false);
    expect(ddlInScope(some, { verb: 'create', object: 'database', names: [{ database: 'shop', table: '' }] })).toBe(true);
  });
});
