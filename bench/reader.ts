/**
 * Rows a second out of a binary log: this reader (checksums verified, rows cut out and handed over) against @vlasky/zongji, on
 * the same log in the same run. Prints one line of JSON a server; the ratio is what counts.
 * Arguments: rows to write (default 200000), servers (default mariadb,mysql).
 */
import ZongJi from '@vlasky/zongji';
import { parsePosition } from '../activities/engines/mysql/position.js';
import { currentPosition, readLog } from '../activities/engines/mysql/read-log.js';
import type { Position } from '../activities/vocabulary.js';
import { DatabaseServer, type ServerKind } from '../test/servers/database-server.js';

const [rowsArgument = '200000', kinds = 'mariadb,mysql'] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(rowsArgument) || !kinds.split(',').every((kind) => kind === 'mariadb' || kind === 'mysql')) {
  console.error('usage: npm run bench [-- ROWS [mariadb,mysql]]   ROWS: row changes to write and read, 200000 if not said');
  process.exit(2);
}

async function ours(server: DatabaseServer, from: Position): Promise<number> {
  let rows = 0;
  const source = { server: { host: '127.0.0.1', port: server.port, user: 'root' }, password: null, role: 'source' as const, serverId: 901 };
  for await (const batch of readLog(source, from, { selection: { databases: ['bench'], include: [], exclude: [] } }))
    for (const item of batch.items)
      if (item.kind === 'rows') rows += (item.rows.offsets.length - 1) / (item.operation === 'update' ? 2 : 1);
  return rows;
}

async function theirs(server: DatabaseServer, from: Position, rows: number): Promise<number> {
  const reader = new ZongJi({ host: '127.0.0.1', port: server.port, user: 'root' });
  const { file, offset } = parsePosition(from);
  let seen = 0;
  await new Promise<void>((resolve, reject) => {
    reader.on('error', reject);
    reader.on('binlog', (event: unknown) => {
      seen += (event as { readonly rows?: readonly unknown[] }).rows?.length ?? 0;
      if (seen >= rows) resolve();
    });
    void reader.start({
      filename: file,
      position: offset,
      serverId: 902,
      includeEvents: ['tablemap', 'writerows', 'updaterows', 'deleterows'],
      includeSchema: { bench: true },
    });
  });
  reader.stop();
  return seen;
}

interface Measured {
  readonly rows: number;
  readonly perSecond: number;
  /** Of this process's own processor time: what counts on a busy machine. */
  readonly perCpuSecond: number;
}
async function timed(read: () => Promise<number>): Promise<Measured> {
  const start = performance.now();
  const cpu = process.cpuUsage();
  const rows = await read();
  const used = process.cpuUsage(cpu);
  return {
    rows,
    perSecond: Math.round(rows / ((performance.now() - start) / 1e3)),
    perCpuSecond: Math.round(rows / ((used.user + used.system) / 1e6)),
  };
}
const ratio = (a: number, b: number): number => Number((a / b).toFixed(1));

for (const kind of kinds.split(',') as ServerKind[]) {
  const server = await DatabaseServer.start({ kind, name: 'bench-reader' });
  try {
    await server.sql(
      'CREATE DATABASE bench; CREATE TABLE bench.sbtest (id INT PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL, KEY k (k))',
    );
    const connection = await server.connect('bench');
    const source = { server: { host: '127.0.0.1', port: server.port, user: 'root' }, password: null, role: 'source' as const };
    const from = await currentPosition(source);
    const total = Number(rowsArgument);
    // As sysbench's oltp_write_only: per transaction an index update, another update, a delete and an insert of one row each.
    const text = (length: number, seed: number): string => String(seed).repeat(length).slice(0, length);
    for (let id = 0; id < total / 4; id += 500) {
      const values = Array.from({ length: 500 }, (_, i) => `(${id + i},${i},'${text(119, i)}','${text(59, i)}')`).join(',');
      await connection.query(`INSERT INTO sbtest VALUES ${values}`);
    }
    for (let id = 0; id < total / 4; id += 500) {
      const statements = Array.from(
        { length: 500 },
        (_, i) =>
          `UPDATE sbtest SET k=k+1 WHERE id=${id + i}; UPDATE sbtest SET c='${text(119, i + 1)}' WHERE id=${id + i}; DELETE FROM sbtest WHERE id=${id + i}`,
      ).join('; ');
      await connection.query(`BEGIN; ${statements}; COMMIT`);
    }
    await connection.end();
    await timed(() => ours(server, from));
    const own = await timed(() => ours(server, from));
    const other = await timed(() => theirs(server, from, own.rows));
    console.log(
      JSON.stringify({
        server: kind,
        ours: own,
        zongji: other,
        ratio: ratio(own.perSecond, other.perSecond),
        ratioCpu: ratio(own.perCpuSecond, other.perCpuSecond),
      }),
    );
  } finally {
    await server.remove();
  }
}
