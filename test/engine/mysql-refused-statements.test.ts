/** What the source does after the preflight that no target can follow: it is met in the log, or before it is read, and the stream stops. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Selection } from '../../activities/engines/engine.js';
import { currentPosition, readLog } from '../../activities/engines/mysql/read-log.js';
import type { Position } from '../../activities/vocabulary.js';
import { DatabaseServer, type ServerKind } from '../servers/database-server.js';

const SELECTION: Selection = { databases: ['shop', 'folded'], include: [], exclude: [{ database: 'shop', table: 'kept_here' }] };

async function statements(server: DatabaseServer, from: Position): Promise<string[]> {
  const seen: string[] = [];
  const source = {
    server: { host: '127.0.0.1', port: server.port, user: 'root' },
    password: null,
    role: 'source',
    serverId: 9_001,
  } as const;
  for await (const { items } of readLog(source, from, { selection: SELECTION }))
    for (const item of items)
      if (item.kind === 'ddl') seen.push(`${item.statement.classification.verb} ${item.statement.classification.object}`);
  return seen;
}
const positionOf = async (server: DatabaseServer): Promise<Position> =>
  await currentPosition({ server: { host: '127.0.0.1', port: server.port, user: 'root' }, password: null, role: 'source' });

describe.each<ServerKind>(['mariadb', 'mysql'])('%s', (kind) => {
  let server: DatabaseServer;
  beforeAll(async () => {
    server = await DatabaseServer.start({ kind });
    await server.sql(
      `CREATE DATABASE shop; CREATE DATABASE other; CREATE TABLE other.p (id INT PRIMARY KEY); CREATE TABLE shop.kept_here (id INT PRIMARY KEY);
       CREATE TABLE shop.p (id INT PRIMARY KEY); CREATE TABLE shop.c (id INT PRIMARY KEY, p INT)`,
    );
  });
  afterAll(async () => await server?.remove());
  const run = async (sql: string): Promise<string[]> => {
    const from = await positionOf(server);
    await server.sql(sql);
    return await statements(server, from);
  };
  const parentsOf = async (table: string): Promise<string[]> =>
    (
      await server.sql(
        `SELECT DISTINCT CONCAT(REFERENCED_TABLE_SCHEMA, '.', REFERENCED_TABLE_NAME) AS parent FROM information_schema.KEY_COLUMN_USAGE
         WHERE REFERENCED_TABLE_NAME IS NOT NULL AND TABLE_NAME = '${table}'`,
      )
    ).map((row) => String(row.parent));

  it.each([
    ['ALTER TABLE shop.c ADD CONSTRAINT x FOREIGN KEY (p) REFERENCES other.p (id) ON DELETE CASCADE', 'shop.c', 'other.p'],
    ['CREATE TABLE shop.made (p INT, FOREIGN KEY (p) REFERENCES other.p (id))', 'shop.made', 'other.p'],
    ['CREATE TABLE shop.made2 (p INT, FOREIGN KEY (p) REFERENCES kept_here (id))', 'shop.made2', 'shop.kept_here'],
    ['SET foreign_key_checks=0; CREATE TABLE shop.early (p INT, FOREIGN KEY (p) REFERENCES other.later (id))', 'shop.early', 'other.later'],
  ])('a foreign key to a table that isn’t replicated: %s', async (sql, child, parent) => {
    await expect(run(sql)).rejects.toMatchObject({
      code: 'log-event-unsupported',
      message: expect.stringMatching(`${child} gets a foreign key to ${parent}, which isn't replicated.*exclude ${child}.*srdf establish`),
    });
  });

  it('a parent named without its database lies in the child’s, and goes with the stream', async () => {
    expect(await run('USE other; CREATE TABLE shop.inside (p INT, FOREIGN KEY (p) REFERENCES p (id))')).toEqual(['create table']);
    expect(await parentsOf('inside')).toEqual(['shop.p']);
    expect(await run('USE other; ALTER TABLE shop.inside ADD q INT, ADD FOREIGN KEY (q) REFERENCES p (id)')).toEqual(['alter table']);
    expect(await parentsOf('inside')).toEqual(['shop.p']);
    expect(await run('USE shop; CREATE TABLE other.outside (p INT, FOREIGN KEY (p) REFERENCES p (id))')).toEqual([]);
    expect(await parentsOf('outside')).toEqual(['other.p']);
    await server.sql('CREATE DATABASE IF NOT EXISTS folded; CREATE TABLE folded.p (id INT PRIMARY KEY); CREATE TABLE other.moves (p INT)');
    expect(await run('USE other; ALTER TABLE moves RENAME TO folded.moves, ADD FOREIGN KEY (p) REFERENCES p (id)')).toEqual([
      'rename table',
    ]);
    expect(await parentsOf('moves')).toEqual(['folded.p']);
  });

  it('what isn’t the stream’s may have keys to what it likes', async () => {
    expect(await run('CREATE TABLE other.c (p INT, FOREIGN KEY (p) REFERENCES shop.p (id))')).toEqual([]);
    expect(await run('ALTER TABLE shop.kept_here ADD p INT, ADD FOREIGN KEY (p) REFERENCES other.p (id)')).toEqual([]);
  });

  it.runIf(kind === 'mariadb')('history', async () => {
    for (const sql of [
      'CREATE TABLE shop.versioned (id INT PRIMARY KEY) WITH SYSTEM VERSIONING',
      'CREATE TABLE shop.partly (id INT PRIMARY KEY, a INT WITH SYSTEM VERSIONING)',
      'ALTER TABLE shop.p ADD SYSTEM VERSIONING',
    ])
      await expect(run(sql)).rejects.toMatchObject({
        code: 'log-event-unsupported',
        message: expect.stringMatching(
          'keeps its history.*DROP SYSTEM VERSIONING.*thrown away; or exclude the table; then.*srdf establish',
        ),
      });
    expect(await run('ALTER TABLE shop.p DROP SYSTEM VERSIONING')).toEqual(['alter table']);
    expect(await run('ALTER TABLE shop.kept_here ADD SYSTEM VERSIONING')).toEqual([]);
  });

  it.each(['--binlog-ignore-db=other', '--binlog-do-db=shop'])(
    'a log that leaves databases out since the source was started with %s',
    async (option) => {
      const from = await positionOf(server);
      await server.stop();
      await server.run([option]);
      const name = option.replace(/^--/, '').replace(/=.*/, '').replaceAll('-', '_');
      await expect(statements(server, from)).rejects.toMatchObject({
        code: 'source-preflight',
        message: expect.stringMatching(`${name}=\\w+ hides databases.*may be missing.*Remove ${name} from my.cnf.*srdf establish`),
      });
      await server.stop();
      await server.run();
      expect(await statements(server, from)).toEqual([]);
    },
  );
});

it('names are compared as a server compares them that takes them without regard to case', async () => {
  const server = await DatabaseServer.start({ kind: 'mariadb', options: ['--lower-case-table-names=1'] });
  try {
    await server.sql(
      'CREATE DATABASE folded; CREATE TABLE folded.p (id INT PRIMARY KEY); CREATE DATABASE other; CREATE TABLE other.p (id INT PRIMARY KEY)',
    );
    const from = await positionOf(server);
    await server.sql('CREATE TABLE Folded.C (p INT, FOREIGN KEY (p) REFERENCES FOLDED.P (id))');
    expect(await statements(server, from)).toEqual(['create table']);
    await server.sql('ALTER TABLE FOLDED.C ADD q INT, ADD FOREIGN KEY (q) REFERENCES Other.p (id)');
    await expect(statements(server, from)).rejects.toMatchObject({ code: 'log-event-unsupported' });
  } finally {
    await server.remove();
  }
});
