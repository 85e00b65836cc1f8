/**
 * The accounts of README.md and no other rights: preflight is content. With one of them less it names the one; with more it says so. Each time the
 * statement it gives is run as it stands, and mends it.
 */
import type { RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../activities/engines/engine.js';
import { HeldPrivileges } from '../../activities/engines/mysql/held-privileges.js';
import { inspectSource } from '../../activities/engines/mysql/read-log.js';
import { createTargetEngine } from '../../activities/engines/mysql/target.js';
import { type Account, createAccount } from '../servers/accounts.js';
import { DatabaseServer, type ServerKind } from '../servers/database-server.js';

const DATABASES = ['shop', 'my_`odd` %'];
const OTHERS = ['other', 'shops'];
const SELECTION = { databases: DATABASES, include: [], exclude: [] };

describe.each<ServerKind>(['mariadb', 'mysql'])('%s', (kind) => {
  let server: DatabaseServer;
  beforeAll(async () => {
    server = await DatabaseServer.start({
      kind,
      options: ['--log-bin-trust-function-creators=ON', '--read-only=ON', '--event-scheduler=OFF'],
    });
    for (const it of [...DATABASES, ...OTHERS]) await server.sql(`CREATE DATABASE \`${it.replaceAll('`', '``')}\``);
  });
  afterAll(async () => await server?.remove());

  describe.each(['source', 'target'] as const)('the account of the %s', (role) => {
    let account: Account;
    let name: string;
    beforeAll(async () => {
      account = await createAccount(server, role, DATABASES);
      name = `'${account.user}'@'%'`;
    });

    const inspect = async (): Promise<readonly Finding[]> => {
      const at = { host: '127.0.0.1', port: server.port, user: account.user };
      if (role === 'source')
        return (await inspectSource({ server: at, password: account.password, role, serverId: 77 }, SELECTION)).findings;
      const engine = createTargetEngine({ name: kind, server: at, password: account.password });
      try {
        return (await engine.inspect(SELECTION, { mustBeEmpty: true })).findings;
      } finally {
        await engine.close();
      }
    };
    const grants = async (): Promise<string[]> =>
      (await server.sql(`SHOW GRANTS FOR ${name}`)).map((row: RowDataPacket) => String(Object.values(row)[0])).sort();
    const mend = async (fix: string): Promise<void> => {
      await server.sql(fix.slice(fix.search(/GRANT |REVOKE /)));
    };

    it('is content with what the README grants', async () => {
      expect(await inspect()).toEqual([]);
    });

    it('names each right that lacks, and the GRANT that gives it', async () => {
      const whole = await grants();
      const levels = new Map<string, string[]>();
      for (const line of whole) {
        const [, list = '', level = ''] = /^GRANT (.+) ON (\S.*) TO /.exec(line) ?? [];
        for (const it of list.split(/, ?/)) if (it !== 'USAGE' && it !== '') levels.set(it, [...(levels.get(it) ?? []), level]);
      }
      expect([...levels.values()].flat().length).toBeGreaterThan(4);
      // A right is taken wherever it is held, and mended by what the preflight says; all of them are back in the end.
      for (const [privilege, from] of levels) {
        await server.sql(from.map((level) => `REVOKE ${privilege} ON ${level} FROM ${name}`).join('; '));
        const before = await grants();
        const missing = (await inspect()).filter((it) => it.severity === 'error');
        // Looking changes nothing.
        expect(await grants()).toEqual(before);
        const told = missing.filter((it) => it.check !== 'databases');
        expect(told.length, privilege).toBeGreaterThan(0);
        for (const it of told) {
          expect(it.check).toBe('privileges');
          if (privilege !== 'ALL PRIVILEGES') expect(`${it.found} ${it.fix}`).toContain(privilege);
          await mend(it.fix);
        }
        for (const level of from)
          expect(
            told.some((it) => `${it.found} ${it.fix}`.replaceAll('`', '').includes(level.replaceAll('`', ''))),
            `${privilege} on ${level}`,
          ).toBe(true);
      }
      expect((await inspect()).filter((it) => it.severity === 'error')).toEqual([]);
      await server.sql(`DROP USER ${name}`);
      account = await createAccount(server, role, DATABASES);
      expect(await grants()).toEqual(whole.map((it) => (it.includes('IDENTIFIED') ? expect.stringContaining('IDENTIFIED') : it)));
    });

    it.each([
      'ALL PRIVILEGES ON *.*',
      'SUPER, FILE ON *.*',
      'SELECT ON *.*',
      'INSERT, UPDATE ON other.*',
      'SELECT ON `shop%`.*',
      'SELECT ON other.* WITH GRANT OPTION',
      'CREATE USER ON *.* WITH GRANT OPTION',
      'SELECT (User) ON mysql.user',
      'EXECUTE ON sys.*',
    ])('warns of more: %s', async (more) => {
      const whole = await grants();
      const [, what = '', level = ''] = /^(.+?) ON (.+?)( WITH GRANT OPTION)?$/.exec(more) ?? [];
      await server.sql(`GRANT ${what} ON ${level} TO ${name}${more.endsWith('WITH GRANT OPTION') ? ' WITH GRANT OPTION' : ''}`);
      const findings = await inspect();
      expect(findings).toEqual([expect.objectContaining({ severity: 'warning', check: 'privileges-surplus' })]);
      expect(findings[0]?.fix).toContain('REVOKE');
      await mend(findings[0]?.fix ?? '');
      expect(await inspect()).toEqual([]);
      // Nothing but what the README grants is left.
      const after = await grants();
      for (const line of after) {
        const level = / ON (\S.*) TO /.exec(line)?.[1];
        expect(
          whole.some((it) => it.includes(` ON ${level} TO `)),
          line,
        ).toBe(true);
        expect(line).not.toContain('GRANT OPTION');
      }
    });
  });
});

describe('what SHOW GRANTS says', () => {
  const needs = {
    server: [],
    database: [{ anyOf: ['SELECT'], why: 'to read' }],
    databases: ['shop', 'my_db'],
    tables: [],
    ownDatabases: false,
  };
  const lacks = (...lines: string[]): number =>
    HeldPrivileges.of("'u'@'%'", lines).missing(needs, {
      databases: needs.databases,
      include: [{ database: 'shop', table: 'a`b' }],
      exclude: [],
    }).length;
  it.each([
    ['everywhere', 0, ['GRANT SELECT ON *.* TO `u`@`%`']],
    ['by patterns', 0, ['GRANT SELECT ON `sh_p`.* TO `u`@`%`', 'GRANT INSERT, SELECT ON `my\\_d%`.* TO `u`@`%`']],
    ['an escaped pattern is a name', 1, ['GRANT SELECT ON `sh\\_p`.* TO `u`@`%`', 'GRANT SELECT ON `my_db`.* TO `u`@`%`']],
    ['on each table the stream is limited to', 1, ['GRANT SELECT ON `shop`.`a``b` TO `u`@`%`']],
    ['on another table', 2, ['GRANT SELECT ON `shop`.`ab` TO `u`@`%`']],
    ['on columns', 2, ['GRANT SELECT (`x`, `SELECT`) ON `shop`.`a``b` TO `u`@`%`']],
    ['everywhere but there', 1, ['GRANT SELECT ON *.* TO `u`@`%`', 'REVOKE SELECT ON `shop`.* FROM `u`@`%`']],
    ['a database that is called like a grant', 2, ['GRANT INSERT ON `x`.* TO GRANT SELECT ON *.* TO `.* TO `u`@`%`']],
    ['a role', 2, ['GRANT `SELECT ON *.* TO`@`%` TO `u`@`%`']],
  ])('%s', (_, count, lines) => {
    expect(lacks(...lines)).toBe(count);
  });
});
