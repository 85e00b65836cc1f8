/**
 * The zones of two servers' machines: a schema change of a session in the server's own zone gives other values where they differ, so the preflight
 * refuses such a pair. The zones are told as rules, which need no zone files here.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../activities/engines/engine.js';
import { compareServers } from '../../activities/engines/mysql/compare-servers.js';
import { inspectSource } from '../../activities/engines/mysql/read-log.js';
import type { ServerKind } from '../servers/database-server.js';
import { MysqlReplica } from './mysql-replica.js';

const PARIS = 'CET-1CEST,M3.5.0,M10.5.0/3';

describe.each<ServerKind>(['mariadb', 'mysql'])('%s', (kind) => {
  let replica: MysqlReplica | null = null;
  afterEach(async () => {
    await replica?.remove();
    replica = null;
  });
  const start = async (source: string, target: string): Promise<MysqlReplica> => {
    replica = await MysqlReplica.start(kind, ['d'], [], { source, target });
    return replica;
  };
  const compared = async (pair: MysqlReplica): Promise<readonly Finding[]> =>
    compareServers(await inspectSource(pair.access(), pair.selection), await pair.engine.inspect(pair.selection, { mustBeEmpty: false }));
  /** A TIMESTAMP that becomes a DATETIME, and rows that get the moment of the statement. */
  const changeSchema = async (pair: MysqlReplica): Promise<{ readonly source: string; readonly target: string }> => {
    await pair.run(
      "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, at TIMESTAMP); INSERT INTO d.t VALUES (1, '2026-01-15 12:00:00')",
    );
    await pair.run('ALTER TABLE d.t MODIFY at DATETIME; ALTER TABLE d.t ADD made DATETIME DEFAULT CURRENT_TIMESTAMP');
    return await pair.dumps();
  };

  it('that differ are refused by name, and a schema change shows why', async () => {
    const pair = await start(PARIS, 'UTC0');
    const findings = await compared(pair);
    expect(findings.map(({ severity, check }) => `${severity} ${check}`)).toEqual(['error system_time_zone']);
    expect(findings[0]?.found).toMatch(/is CES?T at the source and UTC at the target/);
    await pair.source.sql("SET GLOBAL time_zone='+00:00'");
    expect((await compared(pair)).map(({ severity }) => severity)).toEqual(['warning']);
    await pair.source.sql("SET GLOBAL time_zone='SYSTEM'");
    const { source, target } = await changeSchema(pair);
    expect(source).toContain("'2026-01-15 12:00:00'");
    expect(target).not.toBe(source);
  });

  it('that are the same give the same', async () => {
    const pair = await start(PARIS, PARIS);
    expect(await compared(pair)).toEqual([]);
    const { source, target } = await changeSchema(pair);
    expect(target).toBe(source);
  });

  it('columns that hold what a zone made of a moment are refused, and MySQL’s rows of them never written', async () => {
    const pair = await start(PARIS, PARIS);
    await pair.run(
      'CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, at TIMESTAMP NULL, day DATE GENERATED ALWAYS AS (DATE(at)) STORED)',
    );
    const told = async (): Promise<readonly string[]> =>
      (await inspectSource(pair.access(), pair.selection)).findings
        .filter(({ check }) => check === 'time-zone-column')
        .map(({ severity, found, fix }) => `${severity}: ${found}: ${fix}`);
    expect(await told()).toEqual([expect.stringMatching(/^error: d\.t\.day is generated from a TIMESTAMP.*DATETIME, or make it VIRTUAL/)]);
    await pair.source.sql("SET GLOBAL time_zone='+00:00'");
    expect(await told()).toEqual([expect.stringMatching(/^warning: .*Nothing, if no session/)]);
    await pair.source.sql("INSERT INTO d.t (id, at) VALUES (1, '2026-01-15 23:30:00')");
    if (kind === 'mysql') {
      await expect(pair.replicate()).rejects.toMatchObject({
        code: 'apply-failed',
        message: expect.stringContaining('d.t.day is generated'),
      });
      await pair.target.sql("SET GLOBAL time_zone='+00:00'");
    }
    await pair.replicate();
    const { source, target } = await pair.dumps();
    expect(target).toBe(source);
  });

  it('that only have other names are the same', async () => {
    expect(await compared(await start('UTC0', 'GMT0'))).toEqual([]);
  });
});
