/** Our decoder against another one's, where that one is right: plain numbers, text, dates and bytes, on random rows. */
import ZongJi from '@vlasky/zongji';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ColumnValue, decodeRow } from '../../activities/engines/mysql/binlog/decode-row.js';
import { parseTableMap } from '../../activities/engines/mysql/binlog/table-map.js';
import { parsePosition } from '../../activities/engines/mysql/position.js';
import { currentPosition, readLog } from '../../activities/engines/mysql/read-log.js';
import { offsetAt } from '../../activities/engines/row-images.js';
import { DatabaseServer } from '../servers/database-server.js';

type Row = Record<string, unknown>;
const plain = (value: unknown): unknown =>
  value === null || value === undefined ? null : Buffer.isBuffer(value) ? value.toString('hex') : String(value);
function ourPlain(value: ColumnValue): unknown {
  if (value.kind === 'null') return null;
  if (value.kind === 'bytes') return value.collation === 63 ? value.bytes.toString('hex') : value.bytes.toString('utf8');
  if (value.kind === 'float') return String(value.value);
  return value.kind === 'number' || value.kind === 'temporal' ? value.text : String(value);
}

describe.each(['mariadb', 'mysql'] as const)('%s', (kind) => {
  let server: DatabaseServer;
  beforeAll(async () => {
    server = await DatabaseServer.start({ kind });
    await server.sql(
      'CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY, a SMALLINT, b INT UNSIGNED, d DOUBLE, n DECIMAL(12,4), v VARCHAR(200) CHARACTER SET utf8mb4, dt DATETIME(3), x BLOB)',
    );
  });
  afterAll(async () => {
    await server.remove();
  });

  it('reads the same rows as zongji', async () => {
    const source = {
      server: { host: '127.0.0.1', port: server.port, user: 'root' },
      password: null,
      role: 'source' as const,
      serverId: 4711,
    };
    const from = await currentPosition(source);
    const nullable = <T>(it: fc.Arbitrary<T>) => fc.option(it, { nil: null });
    const rows = fc.sample(
      fc.tuple(
        nullable(fc.integer({ min: -32768, max: 32767 })),
        nullable(fc.integer({ min: 0, max: 4294967295 })),
        nullable(fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0)),
        nullable(
          fc
            .tuple(fc.integer({ min: -99999999, max: 99999999 }), fc.integer({ min: 0, max: 9999 }))
            .map(([a, b]) => `${a}.${String(b).padStart(4, '0')}`),
        ),
        nullable(fc.string({ unit: 'binary', maxLength: 40 })),
        nullable(
          fc
            .date({ min: new Date('1970-01-02'), max: new Date('2200-01-01'), noInvalidDate: true })
            .map((it) => it.toISOString().slice(0, 23).replace('T', ' ')),
        ),
        nullable(fc.uint8Array({ maxLength: 300 }).map((it) => Buffer.from(it))),
      ),
      300,
    );
    const connection = await server.connect('shop');
    await connection.query("SET time_zone='+00:00'");
    for (const [id, row] of rows.entries()) await connection.query('INSERT INTO t VALUES (?)', [[id, ...row]]);
    await connection.query('UPDATE t SET a = IF(a = 1, 2, 1) WHERE id % 3 = 0');
    await connection.query('DELETE FROM t WHERE id % 5 = 0');
    await connection.end();

    const ours: unknown[][] = [];
    for await (const batch of readLog(source, from, { selection: { databases: ['shop'], include: [], exclude: [] } }))
      for (const item of batch.items)
        if (item.kind === 'rows') {
          const map = parseTableMap(Buffer.from(item.table.bytes));
          for (let i = 0; i < item.rows.images; i++) ours.push(decodeRow(item.rows.bytes, offsetAt(item.rows, i), map).map(ourPlain));
        }

    const reader = new ZongJi({ host: '127.0.0.1', port: server.port, user: 'root', dateStrings: true });
    const theirs: unknown[][] = [];
    const { file, offset } = parsePosition(from);
    try {
      await new Promise<void>((resolve, reject) => {
        reader.on('error', reject);
        reader.on('binlog', (event: unknown) => {
          for (const row of (event as { readonly rows?: readonly (Row | { before: Row; after: Row })[] }).rows ?? [])
            for (const image of 'before' in row && 'after' in row ? [row.before as Row, row.after as Row] : [row as Row])
              theirs.push(['id', 'a', 'b', 'd', 'n', 'v', 'dt', 'x'].map((column) => plain(image[column])));
          if (theirs.length >= ours.length) resolve();
        });
        void reader.start({
          filename: file,
          position: offset,
          serverId: 4712,
          includeEvents: ['tablemap', 'writerows', 'updaterows', 'deleterows'],
          includeSchema: { shop: true },
        });
      });
    } finally {
      reader.stop();
    }
    expect(ours).toHaveLength(300 + 2 * 100 + 60);
    const number = (row: readonly unknown[]) =>
      row.map((value, i) => (i === 3 || i === 4 ? (value === null ? null : Number(value) + 0) : value));
    expect(ours.map(number)).toEqual(theirs.map(number));
  });
});
