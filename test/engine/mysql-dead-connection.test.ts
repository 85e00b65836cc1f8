/** Connections that nobody has been told are dead: given up in bounded time on both sides, while a statement that takes long goes on. */
import type { RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSession } from '../../activities/engines/mysql/apply/target-session.js';
import { openConnection, type ServerAccess } from '../../activities/engines/mysql/connection.js';
import type { Patience } from '../../activities/engines/mysql/connection-watch.js';
import { DatabaseServer, type ServerKind } from '../servers/database-server.js';
import { TcpProxy } from '../servers/tcp-proxy.js';

/** A tenth of what is waited in earnest, or so; no slow machine may take the long statement for one that is lost. */
const patience: Patience = { silence: 1_000, look: 250, asking: 1_000, away: 5_000 };
/** Each takes its time; what doesn't depend on the server is seen with one of them. */
const WAYS = { mariadb: ['to the server', 'to the client'], mysql: ['to the server'] } as const;

describe.each<ServerKind>(['mariadb', 'mysql'])('a connection to %s', (kind) => {
  let server: DatabaseServer;
  let line: TcpProxy;
  let access: ServerAccess;
  beforeAll(async () => {
    server = await DatabaseServer.start({ kind });
    await server.sql(`CREATE DATABASE shop; CREATE TABLE shop.t (n INT PRIMARY KEY); INSERT INTO shop.t VALUES (1);
      CREATE USER 'srdf'@'%' IDENTIFIED BY 'secret'; GRANT ALL ON *.* TO 'srdf'@'%'`);
    line = await TcpProxy.start({ host: '127.0.0.1', port: server.port });
    access = { server: { host: '127.0.0.1', port: line.port, user: 'srdf' }, password: 'secret', role: 'target' };
  });
  afterAll(async () => {
    await line?.close();
    await server?.remove();
  });

  const ids = async (): Promise<readonly number[]> =>
    (await server.sql("SELECT id FROM information_schema.processlist WHERE user = 'srdf'")).map((row) => Number(row.id ?? row.ID));

  it.each(WAYS[kind])('ends when what is sent %s vanishes, and its locks with it', async (way) => {
    const connection = await openConnection(access, { patience });
    await connection.query('BEGIN');
    await connection.query('SELECT * FROM shop.t FOR UPDATE');
    const [rows] = await connection.query<RowDataPacket[]>('SELECT CONNECTION_ID() AS id');
    line.blackHole(way);
    const lost = connection.query('SELECT 1').catch((error: unknown) => error);
    await line.heal();
    expect(await lost).toMatchObject({ code: 'ETIMEDOUT' });
    await expect.poll(ids, { timeout: 10_000 }).not.toContain(Number(rows[0]?.id));
    await server.sql('SET innodb_lock_wait_timeout = 1; UPDATE shop.t SET n = n + 1', 'shop');
  });

  it.runIf(kind === 'mariadb')('ends when the server can’t be reached on any other either', async () => {
    const connection = await openConnection(access, { patience });
    line.blackHole('to the server', 'to the client');
    try {
      await expect(connection.query('SELECT 1')).rejects.toMatchObject({ code: 'ETIMEDOUT' });
      await expect(openConnection(access, { patience })).rejects.toMatchObject({ code: 'target-unreachable' });
    } finally {
      await line.heal();
    }
  });

  it('lives through a statement that takes long', async () => {
    const connection = await openConnection(access, { patience });
    const [rows] = await connection.query<RowDataPacket[]>('SELECT SLEEP(3) AS slept');
    expect(Number(rows[0]?.slept)).toBe(0);
    connection.destroy();
  });

  it('of an applier that died without a word isn’t kept for long by the server', async () => {
    const session = await openSession(access);
    const [rows] = await session.connection.query<RowDataPacket[]>('SELECT @@wait_timeout AS idle, @@net_read_timeout AS torn');
    expect(Math.max(Number(rows[0]?.idle), Number(rows[0]?.torn))).toBeLessThanOrEqual(60);
    session.connection.destroy();
  });
});
