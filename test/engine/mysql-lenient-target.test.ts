/**
 * Settings of a target under which its server passes over rows that don't fit, or forgets in a power cut what it has confirmed: nothing is applied
 * while they stand.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerKind } from '../servers/database-server.js';
import { MysqlReplica, STREAM } from './mysql-replica.js';

const CASES: readonly { readonly kind: ServerKind; readonly variable: string; readonly turn?: string; readonly start?: string }[] = [
  { kind: 'mariadb', variable: 'slave_exec_mode', turn: "SET GLOBAL slave_exec_mode='IDEMPOTENT'" },
  { kind: 'mariadb', variable: 'slave_run_triggers_for_rbr', turn: "SET GLOBAL slave_run_triggers_for_rbr='YES'" },
  { kind: 'mariadb', variable: 'slave_skip_errors', start: '--slave-skip-errors=1032' },
  { kind: 'mysql', variable: 'replica_skip_errors', start: '--replica-skip-errors=1032' },
  ...(['mariadb', 'mysql'] as const).flatMap((kind) => [
    { kind, variable: 'sync_binlog', turn: 'SET GLOBAL sync_binlog=0' },
    { kind, variable: 'innodb_flush_log_at_trx_commit', turn: 'SET GLOBAL innodb_flush_log_at_trx_commit=2' },
  ]),
];

describe.each<ServerKind>(['mariadb', 'mysql'])('%s: a target that is lenient with rows, or forgetful', (kind) => {
  let replica: MysqlReplica;
  beforeAll(async () => {
    replica = await MysqlReplica.start(kind, ['d']);
    await replica.run('CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT); INSERT INTO d.t VALUES (1, 1)');
  });
  afterAll(async () => await replica?.remove());

  it.each(CASES.filter((it) => it.kind === kind))(
    'is refused with $variable, and goes on once it is mended',
    async ({ variable, turn, start }) => {
      const restart = async (options: readonly string[]): Promise<void> => {
        await replica.target.stop();
        await replica.target.run(options);
        await replica.target.sql('SET GLOBAL log_bin_trust_function_creators=1');
      };
      if (turn !== undefined) await replica.target.sql(turn);
      if (start !== undefined) await restart([start]);
      // A row that somebody removed on the target: the very thing that must not pass.
      await replica.target.sql('DELETE FROM d.t');
      await replica.source.sql('UPDATE d.t SET v = v + 1');
      const refused = expect.objectContaining({
        code: 'target-preflight',
        facts: expect.objectContaining({ found: expect.stringContaining(variable) }),
      });
      const before = await replica.ledger();
      await expect(replica.replicate()).rejects.toEqual(refused);
      expect(await replica.ledger()).toEqual(before);
      const { findings } = await replica.engine.inspect(replica.selection, { mustBeEmpty: false });
      const finding = findings.find((it) => it.check === variable);
      expect(finding?.severity).toBe('error');

      if (turn === undefined) await restart([]);
      else await replica.target.sql((finding?.fix ?? '').split(';')[0] ?? '');
      await expect(replica.replicate()).rejects.toMatchObject({ code: 'target-divergence' });
      await replica.target.sql(`INSERT INTO d.t VALUES (1, ${Number((await replica.source.sql('SELECT v FROM d.t'))[0]?.v) - 1})`);
      await replica.replicate();
      const { source, target } = await replica.dumps();
      expect(target).toBe(source);
    },
  );

  it('is refused for a statement too, and for the ranges of a first copy', async () => {
    await replica.target.sql('SET GLOBAL sync_binlog=1000');
    await replica.source.sql('ALTER TABLE d.t ADD w INT');
    await expect(replica.replicate()).rejects.toMatchObject({ code: 'target-preflight' });
    const loaded = replica.engine.loadedParts?.(STREAM, { database: 'd', table: 't', plan: 'p', range: 0 });
    await expect(loaded).rejects.toMatchObject({ code: 'target-preflight' });
    expect(await replica.target.sql("SHOW COLUMNS FROM d.t LIKE 'w'")).toEqual([]);
    await replica.target.sql('SET GLOBAL sync_binlog=1');
    await replica.replicate();
    const { source, target } = await replica.dumps();
    expect(target).toBe(source);
  });
});
