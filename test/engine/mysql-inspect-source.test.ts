/** The preflight of a source against real servers: what it finds, and that its statement mends it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentPosition, inspectSource } from '../../activities/engines/mysql/read-log.js';
import { createAccount } from '../servers/accounts.js';
import { DatabaseServer } from '../servers/database-server.js';

describe.each(['mariadb', 'mysql'] as const)('%s', (kind) => {
  let server: DatabaseServer;
  const selection = { databases: ['shop'], include: [], exclude: [] };
  const inspect = async (user = 'root', serverId = 77, chosen: Parameters<typeof inspectSource>[1] = selection) => {
    const at = { server: { host: '127.0.0.1', port: server.port, user }, password: null, role: 'source' as const, serverId };
    const preflight = await inspectSource(at, chosen);
    // root may do more than it needs, and is told so: rights-preflight.test.ts.
    return { ...preflight, findings: preflight.findings.filter((it) => it.check !== 'privileges-surplus') };
  };
  const errors = async (...given: Parameters<typeof inspect>) =>
    (await inspect(...given)).findings.filter((it) => it.severity === 'error').map((it) => it.check);

  beforeAll(async () => {
    server = await DatabaseServer.start({ kind });
    await server.sql('CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY, n INT)');
  });
  afterAll(async () => {
    await server.remove();
  });

  it('finds nothing wrong with a server set up as the README says, and tells who it is', async () => {
    const preflight = await inspect();
    expect(preflight.findings).toEqual([]);
    expect(preflight.engine).toBe(kind);
    expect((await inspect()).server).toBe(preflight.server);
    expect(preflight.server.length).toBeGreaterThan(8);
  });

  it.each([
    ['binlog_format', 'STATEMENT', 'ROW'],
    ['binlog_row_image', 'MINIMAL', 'FULL'],
    ['binlog_row_metadata', 'MINIMAL', 'FULL'],
  ])('refuses %s=%s, and its own statement mends it', async (variable, wrong, right) => {
    await server.sql(`SET GLOBAL ${variable}=${wrong}`);
    try {
      const found = (await inspect()).findings.filter((it) => it.check === variable);
      expect(found).toHaveLength(1);
      expect(found[0]?.severity).toBe('error');
      await server.sql((found[0]?.fix ?? '').split(';')[0] ?? '');
      expect(await errors()).toEqual([]);
    } finally {
      await server.sql(`SET GLOBAL ${variable}=${right}`);
    }
  });

  it('refuses a log that leaves databases out', async () => {
    const filtered = await DatabaseServer.start({ kind, options: ['--binlog-ignore-db=other'] });
    try {
      const at = {
        server: { host: '127.0.0.1', port: filtered.port, user: 'root' },
        password: null,
        role: 'source' as const,
        serverId: 77,
      };
      await filtered.sql('CREATE DATABASE shop');
      const { findings } = await inspectSource(at, selection);
      expect(findings.filter((it) => it.severity === 'error').map((it) => it.check)).toEqual(['binlog_ignore_db']);
    } finally {
      await filtered.remove();
    }
  });

  it.runIf(kind === 'mysql')('refuses partial JSON', async () => {
    await server.sql("SET GLOBAL binlog_row_value_options='PARTIAL_JSON'");
    try {
      expect(await errors()).toEqual(['binlog_row_value_options']);
    } finally {
      await server.sql("SET GLOBAL binlog_row_value_options=''");
    }
  });

  it("refuses the source's own server id, and databases that aren't there or are never replicated", async () => {
    expect(await errors('root', server.serverId)).toEqual(['server_id']);
    expect(await errors('root', 77, { ...selection, databases: ['shop', 'Shop'] })).toEqual(['databases']);
    expect(await errors('root', 77, { ...selection, databases: ['shop', 'mysql'] })).toEqual(['databases']);
    expect(await errors('root', 77, { ...selection, databases: ['shop', 'srdf'] })).toEqual(['databases']);
  });

  it('refuses tables without transactions, warns of tables without key, and lets both be excluded', async () => {
    await server.sql('CREATE TABLE shop.old (id INT PRIMARY KEY) ENGINE=MyISAM; CREATE TABLE shop.loose (a INT)');
    try {
      const { findings } = await inspect();
      expect(findings.map((it) => [it.severity, it.check])).toEqual(
        expect.arrayContaining([
          ['error', 'engine'],
          ['warning', 'primary-key'],
        ]),
      );
      expect(findings).toHaveLength(2);
      const exclude = [
        { database: 'shop', table: 'old' },
        { database: 'shop', table: 'loose' },
      ];
      expect((await inspect('root', 77, { ...selection, exclude })).findings).toEqual([]);
      await server.sql((findings.find((it) => it.check === 'engine')?.fix ?? '').split(';')[0] ?? '');
      await server.sql((findings.find((it) => it.check === 'primary-key')?.fix ?? '').split(';')[0] ?? '');
      expect((await inspect()).findings).toEqual([]);
    } finally {
      await server.sql('DROP TABLE shop.old, shop.loose');
    }
  });

  it.runIf(kind === 'mysql')(
    'refuses tables without key whose rows the server itself doesn’t find again, and says what to do',
    async () => {
      await server.sql(
        `CREATE TABLE shop.place (p POINT NOT NULL SRID 0, SPATIAL INDEX at (p)); CREATE TABLE shop.fine (p POINT NOT NULL SRID 0, u INT NOT NULL UNIQUE, SPATIAL INDEX at (p)); CREATE TABLE shop.plain (p POINT)`,
      );
      try {
        const found = (await inspect()).findings.filter((it) => it.severity === 'error');
        expect(found.map((it) => [it.check, it.found])).toEqual([['primary-key', expect.stringContaining('shop.place')]]);
        for (const it of found) await server.sql(it.fix.split('; or: ')[1]?.split(';')[0] ?? '');
        expect(await errors()).toEqual([]);
      } finally {
        await server.sql('DROP TABLE shop.place, shop.fine, shop.plain');
      }
    },
  );

  it('names each privilege that lacks with its GRANT, and is content once they are granted', async () => {
    await server.sql("CREATE USER 'reader'@'%'; GRANT SELECT ON shop.* TO 'reader'@'%'");
    const grants = (await inspect('reader')).findings.filter((it) => it.check === 'privileges');
    expect(grants.map((it) => it.fix)).toContain("GRANT REPLICATION SLAVE ON *.* TO 'reader'@'%';");
    expect(grants.map((it) => it.fix).includes("GRANT SELECT ON performance_schema.log_status TO 'reader'@'%';")).toBe(kind === 'mysql');
    expect(grants.every((it) => it.severity === 'error')).toBe(true);
    for (const { fix } of grants) await server.sql(fix);
    expect(await errors('reader')).toEqual([]);
  });

  it('is content with the account of the README, and misses what is taken from it', async () => {
    const { user, password } = await createAccount(server, 'source', ['shop']);
    const at = { server: { host: '127.0.0.1', port: server.port, user }, password, role: 'source' as const, serverId: 77 };
    expect((await inspectSource(at, selection)).findings).toEqual([]);
    await server.sql(`REVOKE SELECT ON shop.* FROM '${user}'@'%'`);
    expect((await inspectSource(at, selection)).findings.map((it) => it.fix)).toContain(`GRANT SELECT ON \`shop\`.* TO '${user}'@'%';`);
  });

  it('sees prepared XA transactions of others with the account of the README, and MySQL’s privilege for it is missed', async () => {
    await server.sql("DROP USER IF EXISTS 'srdf_source'@'%'");
    const { user, password } = await createAccount(server, 'source', ['shop']);
    const at = { server: { host: '127.0.0.1', port: server.port, user }, password, role: 'source' as const, serverId: 77 };
    const found = async () => (await inspectSource(at, selection)).findings.map((it) => [it.severity, it.check]);
    const writer = await server.connect('shop');
    try {
      await writer.query("XA START 'x'; INSERT INTO item VALUES (900, 1); XA END 'x'; XA PREPARE 'x'");
      expect(await found()).toEqual([['error', 'xa']]);
      await expect(currentPosition(at)).rejects.toMatchObject({
        code: 'source-preflight',
        facts: { found: expect.stringContaining('1 XA transactions are prepared') },
      });
      if (kind === 'mysql') {
        await server.sql(`REVOKE XA_RECOVER_ADMIN ON *.* FROM '${user}'@'%'`);
        const grant = `GRANT XA_RECOVER_ADMIN ON *.* TO '${user}'@'%';`;
        const [missing, ...others] = (await inspectSource(at, selection)).findings;
        expect(missing).toMatchObject({ severity: 'error', check: 'privileges', fix: grant });
        expect(others).toEqual([]);
        await expect(currentPosition(at)).rejects.toMatchObject({
          code: 'source-preflight',
          facts: { action: expect.stringContaining(grant) },
        });
        await server.sql(grant);
        expect(await found()).toEqual([['error', 'xa']]);
      }
    } finally {
      await writer.query("XA ROLLBACK 'x'");
      await writer.end();
    }
    expect(await found()).toEqual([]);
    expect(await currentPosition(at)).not.toBe('');
  });
});
