/** Reading the binary log of real servers: transactions, positions, and what has to stop the stream. */
import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogItem, Selection } from '../../activities/engines/engine.js';
import { TransactionAssembler } from '../../activities/engines/mysql/binlog/transaction-assembler.js';
import { formatPosition, parsePosition } from '../../activities/engines/mysql/position.js';
import { currentPosition, reached, readLog, scanDdl } from '../../activities/engines/mysql/read-log.js';
import { imageAt, imageBytes } from '../../activities/engines/row-images.js';
import type { Position } from '../../activities/vocabulary.js';
import { SrdfError } from '../../temporal/error-catalogue.js';
import { DatabaseServer } from '../servers/database-server.js';

const selection: Selection = { databases: ['shop'], include: [], exclude: [] };

/** An item without memory addresses, so that two reads can be compared. */
function plain(item: LogItem): unknown {
  if (item.kind === 'rows')
    return {
      ...item,
      table: { ...item.table, bytes: Buffer.from(item.table.bytes).toString('hex') },
      rows: Array.from({ length: item.rows.images }, (_, i) => Buffer.from(imageAt(item.rows, i)).toString('hex')),
    };
  if (item.kind === 'commit') return { ...item, position: item.position, transaction: item.transaction };
  if (item.kind === 'ddl') return { ...item, statement: { ...item.statement, sql: Buffer.from(item.statement.sql).toString('latin1') } };
  return item;
}
/** logBytes of the first transaction of a read holds what lies before it; and a name isn't a position. */
const withoutPlace = (item: unknown): unknown => {
  const { logBytes: _bytes, position: _position, resumeAfter: _after, ...rest } = item as Record<string, unknown>;
  return rest;
};
const codeOf = async (read: Promise<unknown>): Promise<string> =>
  await read.then(
    () => 'nothing thrown',
    (error: unknown) => (error instanceof SrdfError ? error.code : String(error)),
  );

describe.each(['mariadb', 'mysql'] as const)('%s', (kind) => {
  let server: DatabaseServer;
  const source = (user = 'root') => ({
    server: { host: '127.0.0.1', port: server.port, user },
    password: null,
    role: 'source' as const,
    serverId: 4711,
  });
  const position = (): Promise<Position> => currentPosition(source());
  async function read(from: Position, chosen = selection, user = 'root'): Promise<LogItem[]> {
    const items: LogItem[] = [];
    for await (const batch of readLog(source(user), from, { selection: chosen })) items.push(...batch.items);
    return items;
  }
  /** `insert t 2` and the like, in log order; commits as `|`. */
  const story = (items: readonly LogItem[]): string =>
    items
      .filter((it) => it.kind !== 'begin')
      .map((it) =>
        it.kind === 'rows'
          ? `${it.operation} ${it.table.table} ${it.rows.images / (it.operation === 'update' ? 2 : 1)}`
          : it.kind === 'ddl'
            ? `${it.statement.classification.verb} ${it.statement.classification.object}`
            : '|',
      )
      .join(' ');
  let before: Position;

  beforeAll(async () => {
    server = await DatabaseServer.start({ kind });
    await server.sql(
      'CREATE DATABASE shop; CREATE DATABASE other; CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(300)); CREATE TABLE other.t LIKE shop.t',
    );
    before = await position();
  });
  afterAll(async () => {
    await server.remove();
  });

  it('gives whole transactions in order, and leaves out what is out of scope but not its bytes', async () => {
    const from = await position();
    await server.sql(
      "BEGIN; INSERT INTO shop.t VALUES (1,'a'),(2,'b'); UPDATE shop.t SET v='c'; INSERT INTO other.t VALUES (1,'x'); DELETE FROM shop.t WHERE id=2; COMMIT; INSERT INTO other.t VALUES (2,REPEAT('x',300))",
    );
    const items = await read(from);
    expect(story(items)).toBe('insert t 2 update t 2 delete t 1 | |');
    const commits = items.flatMap((it) => (it.kind === 'commit' ? [it] : []));
    expect(commits[1]?.logBytes).toBeGreaterThan(300);
    expect(commits.at(-1)?.position).toBe(await position());
    expect(Math.abs((commits[0]?.committedAt ?? 0) - Date.now())).toBeLessThan(600_000);
  });

  it('gives DDL with its session, and rows behind it that can be resumed at', async () => {
    const from = await position();
    await server.sql(
      "SET time_zone='+03:00'; SET sql_mode='ANSI_QUOTES'; CREATE TABLE \"shop\".\"d\" (a TIMESTAMP DEFAULT '2020-01-01 00:00:00'); ALTER TABLE shop.d ADD b INT; CREATE TABLE shop.s AS SELECT 1 AS a, 'x' AS b; TRUNCATE shop.s; RENAME TABLE shop.s TO shop.s2; CREATE VIEW shop.v AS SELECT 1; CREATE INDEX i ON shop.t (v); DROP INDEX i ON shop.t; DROP VIEW shop.v; DROP TABLE shop.d, shop.s2; CREATE TABLE other.u (a INT); DROP TABLE other.u",
    );
    const items = await read(from);
    expect(story(items)).toBe(
      'create table | alter table | create table insert s 1 | truncate table | rename table | create view | create index | drop index | drop view | drop table | | |',
    );
    const ddl = items.flatMap((it) => (it.kind === 'ddl' ? [it] : []));
    expect(ddl[0]?.statement.session.timeZone).toBe('+03:00');
    expect((ddl[0]?.statement.session.sqlMode ?? 0n) & 4n).toBe(4n);
    const select = ddl[2];
    expect(story(await read(select?.resumeAfter ?? from)).startsWith('insert s 1 | truncate table |')).toBe(true);
    expect(story(await read(ddl[0]?.resumeAfter ?? from)).startsWith('| alter table |')).toBe(true);
    const scanned = await scanDdl(source(), from, await position(), selection);
    expect(scanned.map((it) => it.classification.verb)).toEqual(ddl.map((it) => it.statement.classification.verb));
    expect(reached(scanned[1]?.position ?? from, scanned[0]?.position ?? from)).toBe(true);
  });

  it('reads CREATE … SELECT under SET NAMES latin1 with its true names', async () => {
    const from = await position();
    await execa('mariadb', ['--no-defaults', '-h127.0.0.1', `-P${server.port}`, '-uroot', '--default-character-set=latin1'], {
      input: Buffer.from(
        'CREATE TABLE shop.`é` AS SELECT 1 AS `ü`; DROP TABLE shop.`é`; CREATE TABLE shop.`é` (a INT); DROP TABLE shop.`é`',
        'latin1',
      ),
    });
    const items = await read(from);
    const names = items.flatMap((it) =>
      it.kind === 'ddl' ? it.statement.classification.names.map((name) => name.table) : it.kind === 'rows' ? [it.table.table] : [],
    );
    expect(names).toEqual(['é', 'é', 'é', 'é', 'é']);
    const generated = items.find((it) => it.kind === 'ddl');
    expect(generated?.kind === 'ddl' && generated.statement.session.characterSetClient).toBe(45);
  });

  it('reads compressed events as it reads plain ones', async () => {
    const rows =
      "INSERT INTO shop.t VALUES (101,REPEAT('y',300)),(102,REPEAT('z',300)); UPDATE shop.t SET v=REPEAT('q',299) WHERE id>100; DELETE FROM shop.t WHERE id>100; ALTER TABLE shop.t COMMENT 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc'";
    const from = await position();
    await server.sql(rows);
    const uncompressed = await read(from);
    const on =
      kind === 'mysql'
        ? 'SET SESSION binlog_transaction_compression=ON;'
        : 'SET GLOBAL log_bin_compress=ON; SET GLOBAL log_bin_compress_min_len=10;';
    const again = await position();
    try {
      await server.sql(`${on} ${rows}`);
    } finally {
      if (kind === 'mariadb') await server.sql('SET GLOBAL log_bin_compress=OFF');
    }
    const compressed = await read(again);
    const images = (items: readonly LogItem[]) => items.flatMap((it) => (it.kind === 'rows' ? [plain(it)] : []));
    expect(images(compressed)).toEqual(images(uncompressed));
    expect(story(compressed)).toBe(story(uncompressed));
    const bytes = (items: readonly LogItem[]) => items.reduce((sum, it) => sum + (it.kind === 'commit' ? it.logBytes : 0), 0);
    expect(bytes(compressed)).toBeLessThan(bytes(uncompressed) - 300);
  });

  it('reads files with and without checksums, whatever the server says now', async () => {
    const from = await position();
    await server.sql("INSERT INTO shop.t VALUES (201,'crc')");
    await server.sql("SET GLOBAL binlog_checksum=NONE; INSERT INTO shop.t VALUES (202,'none'),(203,'none')");
    await server.sql("SET GLOBAL binlog_checksum=CRC32; INSERT INTO shop.t VALUES (204,'crc')");
    await server.sql('FLUSH BINARY LOGS; DELETE FROM shop.t WHERE id > 200');
    expect(story(await read(from))).toBe('insert t 1 | insert t 2 | insert t 1 | delete t 4 |');
    expect(parsePosition(await position()).file).not.toBe(parsePosition(from).file);
  });

  it('gives a position in the new file when only the file has changed', async () => {
    const from = await position();
    await server.sql('FLUSH BINARY LOGS');
    const items = await read(from);
    const last = items.at(-1);
    expect(last?.kind).toBe('commit');
    expect(last?.kind === 'commit' && parsePosition(last.position).file).toBe(parsePosition(await position()).file);
  });

  it('reads nothing twice and nothing not at all from every position on, by file and offset and by GTID', async () => {
    const all = (await read(before)).map(plain);
    const commits = all.flatMap((it, i) => ((it as LogItem).kind === 'commit' ? [i] : []));
    expect(commits.length).toBeGreaterThan(25);
    for (const index of commits) {
      const at = (all[index] as Extract<LogItem, { kind: 'commit' }>).position;
      const rest = all.slice(index + 1).map(withoutPlace);
      expect((await read(at)).map(plain).map(withoutPlace)).toEqual(rest);
      // As if the position came from another server: only its GTIDs count there.
      const elsewhere = formatPosition({ ...parsePosition(at), server: 'another', file: 'gone.000001', offset: 4 });
      const named = (items: readonly unknown[]) => items.filter((it) => (it as { transaction?: string }).transaction !== '');
      const byGtid = (await read(elsewhere)).map(plain).map(withoutPlace);
      // A commit without a name only says that the file has changed; its begin goes with it.
      expect(named(byGtid).filter((it) => (it as LogItem).kind !== 'begin')).toEqual(
        named(rest).filter((it) => (it as LogItem).kind !== 'begin'),
      );
    }
  });

  it('follows the log until it is told to stop', async () => {
    const from = await position();
    const stop = new AbortController();
    const seen: string[] = [];
    const following = expect(
      (async () => {
        for await (const batch of readLog(source(), from, { selection, follow: true, signal: stop.signal })) {
          // Once in between nothing is given but that the end is reached.
          if (batch.items.length > 0) seen.push(story(batch.items));
          if (seen.join(' ').split('|').length > 2) stop.abort(new Error('enough'));
        }
      })(),
    ).rejects.toThrow('enough');
    await server.sql("INSERT INTO shop.t VALUES (301,'a')");
    await server.sql('DELETE FROM shop.t WHERE id=301');
    await following;
    expect(seen.join(' ')).toBe('insert t 1 | delete t 1 |');
  });

  it('holds no more of a huge transaction than it was just asked for', async () => {
    const from = await position();
    await server.sql(
      `CREATE TABLE shop.big (id INT PRIMARY KEY, v CHAR(200)); SET SESSION ${kind === 'mysql' ? 'cte_max_recursion_depth' : 'max_recursive_iterations'}=1000000; INSERT INTO shop.big WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n+1 FROM s WHERE n < 300000) SELECT n, REPEAT('x',200) FROM s`,
    );
    let rows = 0;
    let largest = 0;
    let memory = 0;
    const base = process.memoryUsage.rss();
    for await (const batch of readLog(source(), from, { selection })) {
      const bytes = batch.items.reduce((sum, it) => sum + (it.kind === 'rows' ? imageBytes(it.rows) : 0), 0);
      largest = Math.max(largest, bytes);
      memory = Math.max(memory, process.memoryUsage.rss() - base);
      for (const it of batch.items) if (it.kind === 'rows') rows += it.rows.images;
      // A slow consumer: the socket has to wait for it.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(rows).toBe(300_000);
    expect(largest).toBeLessThan(4 * 2 ** 20);
    expect(memory).toBeLessThan(200 * 2 ** 20);
  });

  it('reads rows larger than a packet of the protocol, compressed too', async () => {
    await server.sql('CREATE TABLE shop.blobs (id INT PRIMARY KEY, b LONGBLOB)');
    const from = await position();
    await server.sql("INSERT INTO shop.blobs VALUES (1, REPEAT('x', 20000000)), (2, REPEAT('y', 16777216))");
    if (kind === 'mysql')
      await server.sql(
        "SET SESSION binlog_transaction_compression=ON; INSERT INTO shop.blobs VALUES (3, REPEAT('z', 5000000)), (4, 'end')",
      );
    const images = (await read(from)).flatMap((it) => (it.kind === 'rows' ? [imageBytes(it.rows)] : []));
    const sum = images.reduce((a, b) => a + b, 0);
    expect(sum - 36_777_216 - (kind === 'mysql' ? 5_000_003 : 0)).toBeLessThan(100);
    expect(sum).toBeGreaterThan(36_777_216 + (kind === 'mysql' ? 5_000_003 : 0));
    await server.sql('DROP TABLE shop.blobs');
  });

  it('notices every flipped bit', async () => {
    const { server: identity, gtid, known } = parsePosition(await position());
    await server.sql(
      "FLUSH BINARY LOGS; INSERT INTO shop.t VALUES (401,'a'); UPDATE shop.t SET v='b' WHERE id=401; ALTER TABLE shop.t COMMENT 'x'; DELETE FROM shop.t WHERE id=401",
    );
    const file = parsePosition(await position()).file;
    const bytes = await readFile(`${server.directory}/data/${file}`);
    const feed = (damaged: Buffer): LogItem[] => {
      const assembler = new TransactionAssembler({
        family: kind,
        server: identity,
        source: 'file',
        selection,
        from: { server: identity, file, offset: 4, parts: 0, gtid, known },
        rows: true,
      });
      for (let p = 4; p + 19 <= bytes.length; p += bytes.readUInt32LE(p + 9)) assembler.event(damaged, p, p + bytes.readUInt32LE(p + 9));
      return assembler.batch.items;
    };
    expect(story(feed(bytes))).toBe('insert t 1 | update t 1 | alter table | delete t 1 |');
    for (let p = 4; p < bytes.length; p++) {
      const damaged = Buffer.from(bytes);
      damaged[p] = (damaged[p] ?? 0) ^ (1 << (p % 8));
      let code = 'nothing thrown';
      let story2 = '';
      try {
        story2 = story(feed(damaged));
      } catch (error) {
        code = error instanceof SrdfError ? error.code : String(error);
      }
      // The flag that says the file is being written isn't part of its checksum.
      if (code === 'nothing thrown' && p - 4 === 17 && p % 8 === 5) continue;
      if (!['log-corrupt', 'log-event-unsupported'].includes(code)) throw new Error(`byte ${p}: ${code} ${story2}`);
    }
  });

  it('reads with no more than the privileges the preflight asks for', async () => {
    const from = await position();
    await server.sql(
      `CREATE USER reader@'%'; GRANT REPLICATION SLAVE, ${kind === 'mysql' ? 'REPLICATION CLIENT, BACKUP_ADMIN, XA_RECOVER_ADMIN, LOCK TABLES' : 'BINLOG MONITOR'}, SELECT, SHOW VIEW, TRIGGER, EVENT ON *.* TO reader@'%'; INSERT INTO shop.t VALUES (501,'a')`,
    );
    expect(story(await read(from, selection, 'reader'))).toMatch(/insert t 1 \|$/);
    expect(await currentPosition(source('reader'))).toBe(await position());
    await server.sql("CREATE USER nobody@'%'; GRANT SELECT ON *.* TO nobody@'%'");
    expect(await codeOf(read(from, selection, 'nobody'))).toBe('source-preflight');
    // MariaDB tells a snapshot's position to everybody.
    if (kind === 'mysql') expect(await codeOf(currentPosition(source('nobody')))).toBe('source-preflight');
    expect(await codeOf(read(from, selection, 'stranger'))).toBe('source-preflight');
  });

  it.each([
    ['a statement instead of rows', "SET SESSION binlog_format=STATEMENT; INSERT INTO shop.t VALUES (601,'a')", 'log-event-unsupported'],
    ['an image that is not FULL', "SET SESSION binlog_row_image=MINIMAL; UPDATE shop.t SET v='zz' WHERE id=1", 'source-preflight'],
    [
      'an XA transaction',
      "XA START 'x'; INSERT INTO shop.t VALUES (602,'a'); XA END 'x'; XA PREPARE 'x'; XA COMMIT 'x'",
      'log-event-unsupported',
    ],
  ])('stops at %s, and not when it is out of scope', async (_what, statements, code) => {
    await server.sql("REPLACE INTO shop.t VALUES (1,'a'); REPLACE INTO other.t VALUES (1,'a')");
    const from = await position();
    await server.sql(statements);
    expect(await codeOf(read(from))).toBe(code);
    const outside = await position();
    await server.sql(statements.replaceAll('shop.', 'other.'));
    // A statement may touch any database whatever its default one is: there it stops in doubt.
    if (!statements.includes('STATEMENT')) expect(await codeOf(read(outside))).toBe('nothing thrown');
  });

  it.runIf(kind === 'mysql')('stops at a partial JSON update', async () => {
    await server.sql(
      "CREATE TABLE shop.j (id INT PRIMARY KEY, d JSON); INSERT INTO shop.j VALUES (1, JSON_OBJECT('a', REPEAT('x', 500), 'b', 1))",
    );
    const from = await position();
    await server.sql("SET SESSION binlog_row_value_options='PARTIAL_JSON'; UPDATE shop.j SET d = JSON_SET(d, '$.b', 2)");
    expect(await codeOf(read(from))).toBe('log-event-unsupported');
  });

  it('tells a purged log from a server that is gone', async () => {
    const from = await position();
    await server.sql('FLUSH BINARY LOGS; FLUSH BINARY LOGS');
    const { file } = parsePosition(await position());
    // A file is kept, with a warning only, while the server still sends it to a reader, gone or not: readers that ended let go of it.
    const oldest = async (): Promise<unknown> => {
      await server.sql(`PURGE BINARY LOGS TO '${file}'`);
      return (await server.sql('SHOW BINARY LOGS'))[0]?.Log_name;
    };
    await expect.poll(oldest, { timeout: 60_000 }).toBe(file);
    expect(await codeOf(read(from))).toBe('position-purged');
    const elsewhere = formatPosition({ ...parsePosition(before), server: 'another' });
    expect(await codeOf(read(elsewhere))).toBe('position-purged');
    const here = await position();
    await server.sql(kind === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER');
    await server.sql("REPLACE INTO shop.t VALUES (1,'a')");
    expect(await codeOf(read(here))).toBe('position-purged');
    await server.stop();
    expect(await codeOf(read(here))).toBe('source-unreachable');
    await server.run();
  });
});
