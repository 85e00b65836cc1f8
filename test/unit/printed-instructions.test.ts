/** What an operator is told to type at night must not destroy what nobody else has. */
import { describe, expect, it } from 'vitest';
import { refused, uncertain } from '../../activities/engines/mysql/apply/apply-ddl.js';
import { ESTABLISH_KEEPING } from '../../activities/engines/mysql/lost-history.js';
import { versionedFix } from '../../activities/engines/mysql/unreplicated.js';
import type { StreamName } from '../../activities/vocabulary.js';
import { dumpCommand } from '../../config/dump-command.js';

describe('printed instructions', () => {
  it('say to save the target before a stream is established again over a source that has lost something', () => {
    expect(ESTABLISH_KEEPING).toMatch(/only one that still has.*mariadb-dump or mysqldump, with --single-transaction.*srdf establish/);
  });

  it('touch the ledger of their own stream alone', () => {
    for (const { facts } of [uncertain('wagon 7', 'shop' as StreamName), refused('wagon 7', 'shop' as StreamName, 1061, '')])
      expect(facts.action).toMatch(/UPDATE srdf\.ledger SET intent_fingerprint = REPEAT\('0', 64\) WHERE stream = 'shop'(;|$)/);
  });

  it('name what a statement throws away', () => {
    expect(versionedFix({ database: 'shop', table: 'item' })).toMatch(/DROP SYSTEM VERSIONING.*history.*thrown away/);
  });
});

describe('dumpCommand', () => {
  it.each([
    ['mariadb', ['shop', 'crm'], 'mariadb-dump --single-transaction --routines --databases shop crm > a.sql'],
    ['mysql', ['shop'], 'mysqldump --single-transaction --routines --databases shop > a.sql'],
    ['mariadb', ["it's; rm -rf"], "mariadb-dump --single-transaction --routines --databases 'it'\\''s; rm -rf' > a.sql"],
  ])('%s %j', (engine, databases, expected) => {
    expect(dumpCommand(engine, databases, 'a.sql')).toBe(expected);
  });
});
