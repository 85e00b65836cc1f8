/** A position says: whatever lies before it in the log is visible to every read that begins later. Also in the middle of a commit. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentPosition, ownedGtids } from '../../activities/engines/mysql/current-position.js';
import { parsePosition } from '../../activities/engines/mysql/position.js';
import { DatabaseServer } from '../servers/database-server.js';

/** Every transaction waits this long between its write to the log and its commit in InnoDB, as it may for a slow disk or a semi-synchronous replica. */
const DELAY_MICROSECONDS = 1_000_000;

describe('MySQL: a position noted while a transaction is in the log and not yet in InnoDB', () => {
  let server: DatabaseServer;
  beforeAll(async () => {
    server = await DatabaseServer.start({ kind: 'mysql', name: 'visible' });
    await server.sql(
      `CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); SET GLOBAL binlog_group_commit_sync_delay=${DELAY_MICROSECONDS}`,
    );
  });
  afterAll(async () => await server?.remove());

  it('does not lie behind the transaction unless its rows are visible', async () => {
    const access = { server: { host: '127.0.0.1', port: server.port, user: 'root' }, password: null, role: 'source' } as const;
    const before = parsePosition(await currentPosition(access)).offset;
    const [writer, reader] = [await server.connect('d'), await server.connect('d')];
    try {
      const committing = writer.query('INSERT INTO t VALUES (1)');
      let inLog = before;
      while (inLog === before) {
        const [rows] = await reader.query('SHOW BINARY LOG STATUS');
        inLog = Number((rows as { Position: number }[])[0]?.Position);
      }
      const noted = parsePosition(await currentPosition(access)).offset;
      const [rows] = await reader.query('SELECT id FROM t');
      expect({ behind: noted >= inLog, visible: rows }).toEqual(
        noted >= inLog ? { behind: true, visible: [{ id: 1 }] } : { behind: false, visible: rows },
      );
      await committing;
      expect(parsePosition(await currentPosition(access)).offset).toBeGreaterThanOrEqual(inLog);
    } finally {
      await writer.end();
      await reader.end();
    }
  });

  it('is noted only once what was being committed at that moment is visible', async () => {
    await server.sql('SET GLOBAL binlog_group_commit_sync_delay=0');
    const access = { server: { host: '127.0.0.1', port: server.port, user: 'root' }, password: null, role: 'source' } as const;
    const [writer, watcher] = [await server.connect('d'), await server.connect('d')];
    const looks = async (): Promise<number> => {
      const [rows] = await watcher.query(
        "SELECT COALESCE(SUM(COUNT_STAR), 0) AS looks FROM performance_schema.events_statements_summary_by_digest WHERE DIGEST_TEXT LIKE '%gtid_owned%AS%'",
      );
      return Number((rows as { looks: unknown }[])[0]?.looks);
    };
    try {
      // A transaction that owns its GTID, as one does that waits between log and engine.
      await writer.query("SET SESSION gtid_next='00000000-0000-0000-0000-00000000000a:1'");
      await writer.query('BEGIN');
      await writer.query('INSERT INTO t VALUES (2)');
      const before = await looks();
      const happened: string[] = [];
      const noting = currentPosition(access).then(() => happened.push('noted'));
      while ((await looks()) < before + 3);
      happened.push('commits');
      await writer.query('COMMIT');
      await noting;
      expect(happened).toEqual(['commits', 'noted']);
    } finally {
      await writer.query("SET SESSION gtid_next='AUTOMATIC'");
      await writer.end();
      await watcher.end();
    }
  });
});

describe('owned GTIDs', () => {
  it('are each told with their owner', () => {
    expect(ownedGtids('')).toEqual([]);
    expect(ownedGtids('a:12#5')).toEqual(['a:12#5']);
    expect(ownedGtids('a:12#5:13#6,\nb:1#7')).toEqual(['a:12#5', 'a:13#6', 'b:1#7']);
  });
});
