import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Selection } from '../../activities/engines/engine.js';
import { createTargetEngine } from '../../activities/engines/mysql/target.js';
import { DatabaseServer, type ServerKind } from '../servers/database-server.js';

const SELECTION: Selection = { databases: ['d'], include: [], exclude: [] };

describe.each<ServerKind>(['mariadb', 'mysql'])('%s: preflight of a target', (kind) => {
  let server: DatabaseServer;
  beforeAll(async () => {
    server = await DatabaseServer.start({ kind, name: 'inspect', options: ['--log-bin-trust-function-creators=1'] });
  });
  afterAll(async () => {
    await server?.remove();
  });
  const inspect = async (user: string, mustBeEmpty = false, name = kind) => {
    const engine = createTargetEngine({ name, server: { host: '127.0.0.1', port: server.port, user }, password: undefined });
    try {
      return await engine.inspect(SELECTION, { mustBeEmpty });
    } finally {
      await engine.close();
    }
  };
  const errors = async (...args: Parameters<typeof inspect>): Promise<readonly string[]> =>
    (await inspect(...args)).findings.filter((it) => it.severity === 'error').map((it) => it.check);

  it('finds nothing wrong with an empty server, and tells who it is', async () => {
    const preflight = await inspect('root', true);
    expect(preflight.findings.filter((it) => it.severity === 'error')).toEqual([]);
    expect(preflight.engine).toBe(kind);
    expect(preflight.server).not.toBe('');
    expect((await inspect('root')).server).toBe(preflight.server);
    // Inspecting leaves nothing behind.
    expect(await server.sql("SHOW DATABASES LIKE 'srdf'")).toEqual([]);
  });

  it('the GRANT it prints is the one that mends it', async () => {
    await server.sql("CREATE USER 'poor'@'%'");
    const { findings } = await inspect('poor');
    const finding = findings.find((it) => it.check === 'privileges');
    expect(finding?.found).toContain('BINLOG');
    await server.sql(finding?.fix ?? '');
    expect(await errors('poor')).toEqual([]);
  });

  it('names what is in the way', async () => {
    await server.sql('CREATE DATABASE d; CREATE TABLE d.t (a INT)');
    expect(await errors('root', true)).toEqual(['target-not-empty']);
    expect(await errors('root', false)).toEqual([]);
    await server.sql('DROP DATABASE d; SET GLOBAL max_allowed_packet=1048576; SET GLOBAL log_bin_trust_function_creators=0');
    expect([...(await errors('root'))].sort()).toEqual(['log_bin_trust_function_creators', 'max_allowed_packet']);
    for (const finding of (await inspect('root')).findings.filter((it) => it.severity === 'error'))
      await server.sql(/SET GLOBAL [^;]*/.exec(finding.fix)?.[0] ?? '');
    expect(await errors('root')).toEqual([]);
    expect(await errors('root', false, kind === 'mysql' ? 'mariadb' : 'mysql')).toEqual(['engine']);
  });

  it('refuses commits that a power cut could take back, and minds the log only where it is written', async () => {
    await server.sql('SET GLOBAL sync_binlog=0; SET GLOBAL innodb_flush_log_at_trx_commit=2');
    expect([...(await errors('root'))].sort()).toEqual(['innodb_flush_log_at_trx_commit', 'sync_binlog']);
    for (const finding of (await inspect('root')).findings.filter((it) => it.severity === 'error'))
      await server.sql(finding.fix.split(';')[0] ?? '');
    expect(await errors('root')).toEqual([]);
    await server.stop();
    await server.run(['--skip-log-bin', '--sync-binlog=0']);
    expect(await errors('root')).toEqual([]);
  });
});
