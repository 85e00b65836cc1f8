/**
 * Rows a second out of a binary log: this reader, checksums verified, against @vlasky/zongji and `mariadb-binlog --raw`, on the same log
 * in the same run. Our figure is with every value of every row decoded, which replication itself doesn't need: the rows as they travel,
 * undecoded, are the second one. The log is sysbench's: single-row events, four a transaction.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ZongJi from '@vlasky/zongji';
import { execa } from 'execa';
import { decodeRow } from '../activities/engines/mysql/binlog/decode-row.js';
import { parseTableMap, type TableMap } from '../activities/engines/mysql/binlog/table-map.js';
import { parsePosition } from '../activities/engines/mysql/position.js';
import { currentPosition, readLog } from '../activities/engines/mysql/read-log.js';
import { offsetAt } from '../activities/engines/row-images.js';
import type { Position } from '../activities/vocabulary.js';
import type { TableShape } from '../activities/wagon/body.js';
import { DatabaseServer, type ServerKind } from '../test/servers/database-server.js';
import { type BenchOptions, type BenchRow, type Measurement, median } from './contract.js';
import { CHANGES_PER_TRANSACTION, prepareSysbench, runSysbench } from './sysbench.js';

const TRANSACTIONS = 60_000;
const TABLE_ROWS = 10_000;
const ASKED = 5;

export const reader: Measurement = {
  name: 'reader',
  usualScale: 1,
  async measure(options) {
    const mariadb = await measured('mariadb', options);
    const mysql = await measured('mysql', options);
    const { rowsPerSecond, undecoded, zongji, mariadbBinlogRaw, ratio } = mariadb;
    return {
      figures: { reader: { rowsPerSecond, undecoded, zongji, mariadbBinlogRaw, ratio, mysql } },
      rows: [...told('MariaDB', mariadb), ...told('MySQL', mysql)],
    };
  },
};

interface Figures {
  readonly rowsPerSecond: number;
  readonly undecoded: number;
  readonly zongji: number;
  /** MariaDB's own tool, on MariaDB's log alone. */
  readonly mariadbBinlogRaw: number | null;
  readonly ratio: number;
}

function told(server: string, { rowsPerSecond, undecoded, zongji, mariadbBinlogRaw, ratio }: Figures): readonly BenchRow[] {
  const row = (what: string, ours: number, peer: string, theirs: number, asked: number | null): BenchRow => ({
    what: `reading the log of ${server}, ${what}`,
    ours: `${ours} rows/s`,
    peer: `${theirs} rows/s, ${peer}`,
    ratio: `${(ours / theirs).toFixed(1)} ×`,
    target: asked === null ? '–' : `${asked} ×`,
    reached: asked === null ? null : ratio >= asked,
  });
  return [
    row('every value decoded', rowsPerSecond, 'zongji', zongji, ASKED),
    row('undecoded', undecoded, 'zongji', zongji, null),
    ...(mariadbBinlogRaw === null ? [] : [row('every value decoded', rowsPerSecond, 'mariadb-binlog --raw', mariadbBinlogRaw, null)]),
  ];
}

async function measured(kind: ServerKind, { tell, scale, rounds }: BenchOptions): Promise<Figures> {
  const server = await DatabaseServer.start({
    kind,
    name: 'bench-reader',
    options: ['--sync-binlog=0', '--innodb-flush-log-at-trx-commit=2'],
  });
  try {
    await prepareSysbench(server, TABLE_ROWS);
    const access = { server: { host: '127.0.0.1', port: server.port, user: 'root' }, password: null, role: 'source' as const };
    await server.sql('FLUSH BINARY LOGS');
    const from = await currentPosition(access);
    const transactions = Math.round(TRANSACTIONS * scale);
    await runSysbench(server, TABLE_ROWS, transactions);
    const rows = transactions * CHANGES_PER_TRANSACTION;
    const takes = { decoded: [] as number[], undecoded: [] as number[], zongji: [] as number[], raw: [] as number[] };
    // Both readers run for weeks in one process: the compiler's first looks at them are not measured.
    for (const read of [() => ours(server, from, true), () => ours(server, from, false), () => zongji(server, from, rows)]) await read();
    for (let round = 0; round < rounds; round++) {
      takes.decoded.push(await perSecond(rows, () => ours(server, from, true)));
      takes.undecoded.push(await perSecond(rows, () => ours(server, from, false)));
      takes.zongji.push(await perSecond(rows, () => zongji(server, from, rows)));
      if (kind === 'mariadb') takes.raw.push(await perSecond(rows, () => mariadbBinlogRaw(server, from, rows)));
      tell(
        `${kind}, round ${round + 1}: ${JSON.stringify(Object.fromEntries(Object.entries(takes).map(([name, all]) => [name, all.at(-1)])))} rows/s`,
      );
    }
    const [rowsPerSecond, peer] = [median(takes.decoded), median(takes.zongji)];
    return {
      rowsPerSecond,
      undecoded: median(takes.undecoded),
      zongji: peer,
      mariadbBinlogRaw: kind === 'mariadb' ? median(takes.raw) : null,
      ratio: Number((rowsPerSecond / peer).toFixed(2)),
    };
  } finally {
    await server.remove();
  }
}

async function perSecond(expected: number, read: () => Promise<number>): Promise<number> {
  const started = performance.now();
  const rows = await read();
  const seconds = (performance.now() - started) / 1_000;
  if (rows !== expected) throw new Error(`${rows} rows were read, ${expected} were written`);
  return Math.round(rows / seconds);
}

async function ours(server: DatabaseServer, from: Position, decode: boolean): Promise<number> {
  const source = { server: { host: '127.0.0.1', port: server.port, user: 'root' }, password: null, role: 'source' as const, serverId: 901 };
  const maps = new Map<TableShape, TableMap>();
  const mapOf = (shape: TableShape): TableMap => {
    const known = maps.get(shape) ?? parseTableMap(Buffer.from(shape.bytes));
    maps.set(shape, known);
    return known;
  };
  let rows = 0;
  for await (const batch of readLog(source, from, { selection: { databases: ['bench'], include: [], exclude: [] } }))
    for (const item of batch.items) {
      if (item.kind !== 'rows') continue;
      if (decode) {
        const map = mapOf(item.table);
        for (let image = 0; image < item.rows.images; image++) decodeRow(item.rows.bytes, offsetAt(item.rows, image), map);
      }
      rows += item.rows.images / (item.operation === 'update' ? 2 : 1);
    }
  return rows;
}

async function zongji(server: DatabaseServer, from: Position, rows: number): Promise<number> {
  const peer = new ZongJi({ host: '127.0.0.1', port: server.port, user: 'root' });
  const { file, offset } = parsePosition(from);
  let seen = 0;
  await new Promise<void>((resolve, reject) => {
    peer.on('error', reject);
    peer.on('binlog', (event: unknown) => {
      seen += (event as { readonly rows?: readonly unknown[] }).rows?.length ?? 0;
      if (seen >= rows) resolve();
    });
    void peer.start({
      filename: file,
      position: offset,
      serverId: 902,
      includeEvents: ['tablemap', 'writerows', 'updaterows', 'deleterows'],
      includeSchema: { bench: true },
    });
  });
  peer.stop();
  return seen;
}

/** Copies the log as it is, event by event; it counts no rows, so those that were written are taken for read. */
async function mariadbBinlogRaw(server: DatabaseServer, from: Position, rows: number): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'srdf-bench-raw-'));
  try {
    const { file } = parsePosition(from);
    await execa('mariadb-binlog', [
      '--no-defaults',
      '--read-from-remote-server',
      '--raw',
      '--to-last-log',
      `--result-file=${directory}/`,
      '--host=127.0.0.1',
      `--port=${server.port}`,
      '--user=root',
      file,
    ]);
    return rows;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
