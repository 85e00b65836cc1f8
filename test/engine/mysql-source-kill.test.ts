/** A source server killed while it writes its log: what was not committed never was, and nothing the target has is ever lost unseen. */
import { readFile, stat, truncate } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT } from '../../activities/engines/mysql/binlog/event-types.js';
import { parsePosition } from '../../activities/engines/mysql/position.js';
import { readLog } from '../../activities/engines/mysql/read-log.js';
import { compareByDump, compareBySql } from '../servers/comparison.js';
import type { ServerKind } from '../servers/database-server.js';
import { MysqlReplica } from './mysql-replica.js';

interface LogEvent {
  readonly type: number;
  readonly at: number;
  readonly end: number;
}

const last = (events: readonly LogEvent[], back: number): LogEvent => {
  const event = events.at(-back);
  if (event === undefined) throw new RangeError('no event');
  return event;
};
const begun = (events: readonly LogEvent[]): LogEvent => {
  const event = events.findLast(({ type }) => type === EVENT.MARIADB_GTID || type === EVENT.GTID);
  if (event === undefined) throw new RangeError('no transaction');
  return event;
};

const BREAKS: readonly (readonly [string, (events: readonly LogEvent[]) => number])[] = [
  ['before the commit', (events) => last(events, 1).at],
  ['inside the commit', (events) => last(events, 1).end - 3],
  ['inside the head of the commit', (events) => last(events, 1).at + 5],
  ['between its rows', (events) => last(events, 3).end],
  ['inside its rows', (events) => last(events, 2).end - 1],
  ['behind its name', (events) => begun(events).end],
  ['inside its name', (events) => begun(events).end - 1],
];
const SINCE: readonly (readonly [string, number])[] = [
  ['nothing new', 0],
  ['as many transactions again', 1],
  ['more transactions than were lost', 3],
];

describe.each<ServerKind>(['mariadb', 'mysql'])('%s: the source killed', (kind) => {
  let replica: MysqlReplica;
  beforeAll(async () => {
    // A commit that the log has isn't made durable a second time: so the log alone decides what a killed server still has.
    replica = await MysqlReplica.start(kind, ['d'], ['--innodb-flush-log-at-timeout=2700']);
    replica.maxChanges = 3;
    await replica.run('CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(200)); CREATE TABLE d.m (v INT)');
  });
  afterAll(async () => {
    await replica?.remove();
  });

  const logFile = async (): Promise<string> => `${replica.source.directory}/data/${parsePosition(await replica.position()).file}`;
  const eventsOf = async (file: string): Promise<LogEvent[]> => {
    const bytes = await readFile(file);
    const events: LogEvent[] = [];
    for (let at = 4; at + 19 <= bytes.length; at += bytes.readUInt32LE(at + 9))
      events.push({ type: bytes.readUInt8(at + 4), at, end: at + bytes.readUInt32LE(at + 9) });
    return events;
  };
  const expectEqual = async (): Promise<void> => {
    expect((await compareBySql(replica.source, replica.target, ['d'])).differences).toEqual([]);
    expect(await compareByDump(replica.source, replica.target, ['d'])).toEqual([]);
  };
  /** Kills the server, leaves its last transaction as a kill while writing would, and starts it again. */
  async function breakOff(statements: string, where: (events: readonly LogEvent[]) => number): Promise<void> {
    const file = await logFile();
    await replica.source.sql(statements, 'd');
    await replica.source.kill();
    await truncate(file, where(await eventsOf(file)));
    await replica.source.run();
  }
  /** MySQL trims its log itself before it writes on: these of the cases are enough there. */
  const some = <T>(cases: readonly (readonly [string, T])[], ...ofMysql: readonly string[]): readonly (readonly [string, T])[] =>
    kind === 'mysql' ? cases.filter(([name]) => ofMysql.includes(name)) : cases;

  it.each(some(BREAKS, 'inside its rows', 'behind its name'))('while it wrote a transaction, %s', async (_where, cut) => {
    await replica.source.sql("INSERT INTO t (v) VALUES ('before')", 'd');
    const rows = (text: string) => `INSERT INTO t (v) VALUES ${Array.from({ length: 5 }, (_, i) => `('${text}${i}')`).join()};`;
    await breakOff(`BEGIN; ${rows('lost')} UPDATE t SET v = 'lost too'; COMMIT`, cut);
    expect(await replica.source.sql("SELECT 1 FROM t WHERE v LIKE 'lost%'", 'd')).toEqual([]);
    await replica.replicate();
    await expectEqual();
    await replica.run(`BEGIN; ${rows('later')} DELETE FROM t WHERE v = 'later1'; COMMIT; INSERT INTO m VALUES (1)`, 'd');
    await expectEqual();
  });

  it('while it wrote large transactions, again and again', async () => {
    await replica.source.sql('CREATE TABLE big (id INT PRIMARY KEY AUTO_INCREMENT, v CHAR(250))', 'd');
    await replica.source.sql(
      `INSERT INTO big (v) WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 900) SELECT REPEAT('x', 250) FROM s`,
      'd',
    );
    replica.maxChanges = 5_000;
    let halves = 0;
    for (let round = 0; round < (kind === 'mariadb' ? 6 : 2); round++) {
      const file = await logFile();
      const { size } = await stat(file);
      const writing = replica.source
        .sql('INSERT INTO big (v) SELECT a.v FROM big a JOIN (SELECT id FROM big LIMIT 60) b WHERE a.id <= 900', 'd')
        .catch(() => undefined);
      // The log grows when the commit writes the transaction into it.
      const killAt = size + 1 + round * 1_000_000;
      while ((await stat(file)).size < killAt) await new Promise((resolve) => setImmediate(resolve));
      await replica.source.kill();
      await writing;
      const events = await eventsOf(file);
      if (events.at(-1)?.type !== EVENT.XID || last(events, 1).end !== (await stat(file)).size) halves++;
      await replica.source.run();
      await replica.replicate();
      await expectEqual();
    }
    expect(halves).toBeGreaterThan(0);
    replica.maxChanges = 3;
  });

  it.each(some(SINCE, 'more transactions than were lost'))(
    'and the end of its log lost, with %s since: a reader that has seen it never goes on',
    async (_what, more) => {
      await replica.replicate();
      const file = await logFile();
      await replica.source.sql("INSERT INTO t (v) VALUES ('seen')", 'd');
      const seen = await replica.position();
      await replica.source.kill();
      await truncate(file, begun(await eventsOf(file)).at);
      await replica.source.run();
      // On a busy machine the engine may have made the commit durable by itself before the kill.
      await replica.source.sql("SET SESSION sql_log_bin = 0; DELETE FROM t WHERE v = 'seen'", 'd');
      for (let i = 0; i < more; i++) await replica.source.sql("INSERT INTO t (v) VALUES ('new')", 'd');
      const reading = (async () => {
        for await (const _batch of readLog(replica.access(), seen, { selection: replica.selection }));
      })();
      await expect(reading).rejects.toMatchObject({
        code: 'position-purged',
        message: expect.stringMatching(/lost the end of its log|lacks transactions/),
      });
      // One that hasn't seen it misses nothing.
      await replica.replicate();
      await expectEqual();
    },
  );

  it('and its last, torn file damaged elsewhere, the stream stops', async () => {
    await replica.source.sql("INSERT INTO t (v) VALUES ('one'); INSERT INTO t (v) VALUES ('two'); INSERT INTO t (v) VALUES ('three')", 'd');
    const file = await logFile();
    await replica.source.stop();
    // As if the file had lost its second half later, when everything in it was committed.
    await truncate(file, begun(await eventsOf(file)).at - 40);
    await replica.source.run();
    await expect(replica.cut()).rejects.toMatchObject({ code: 'log-corrupt' });
  });
});
