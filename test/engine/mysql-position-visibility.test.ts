/** A position says: whatever lies before it in the log is visible to every read that begins later. Also in the middle of a commit. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentPosition } from '../../activities/engines/mysql/current-position.js';
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
});
