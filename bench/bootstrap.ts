/**
 * The first copy of a database: ours, sealed, resumable, through Temporal, until the stream is consistent, against what one would do by hand, each on
 * the same two servers with their binary logs on and durable commits.
 */
import { Pair } from '../test/integration/pair.js';
import { peakResidentMB } from '../test/servers/process-memory.js';
import { fillBench } from './bootstrap-data.js';
import { type BenchOptions, type Measured, type Measurement, median } from './contract.js';
import { type DumpPeer, mariadbDump, mydumper } from './dump-peers.js';

const SERVER_OPTIONS = ['--innodb-buffer-pool-size=1G', '--innodb-log-file-size=1G', '--character-set-server=utf8mb4'];
const PEERS: readonly DumpPeer[] = [mydumper(4), mariadbDump];
/** A peer so many times slower than the fastest one is not run again: it can't become what we are measured against. */
const BEATEN = 1.3;

async function seconds(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1_000;
}

async function rowsAt(pair: Pair): Promise<number> {
  const [row] = await pair.target.sql(
    `SELECT ${['sbtest1', 'sbtest2', 'sbtest3', 'sbtest4', 'orders'].map((it) => `(SELECT COUNT(*) FROM bench.${it})`).join(' + ')} AS n`,
  );
  return Number(row?.n);
}

/** As if nothing had ever been copied; what the target logged of it is thrown away too, or ten copies would fill the disk. */
async function emptyTarget(pair: Pair): Promise<void> {
  await pair.target.sql('DROP DATABASE IF EXISTS bench; DROP DATABASE IF EXISTS srdf; FLUSH BINARY LOGS');
  const logs = await pair.target.sql('SHOW BINARY LOGS');
  await pair.target.sql(`PURGE BINARY LOGS TO '${String(logs.at(-1)?.Log_name)}'`);
}

async function measureBootstrap({ tell, scale, rounds }: BenchOptions): Promise<Measured> {
  const pair = await Pair.start({ kind: 'mariadb', name: 'bench', serverOptions: SERVER_OPTIONS, progress: tell });
  try {
    const rows = await fillBench(pair.source, scale);
    const [size] = await pair.source.sql(
      "SELECT SUM(data_length + index_length) AS bytes FROM information_schema.tables WHERE table_schema = 'bench'",
    );
    const megabytes = Math.round(Number(size?.bytes) / 1e6);
    tell(`a source of ${megabytes} MB in ${rows} rows`);
    const taken = new Map<string, number[]>();
    const figure = (name: string): number => median(taken.get(name) ?? []);
    const take = async (name: string, copy: () => Promise<void>): Promise<void> => {
      await emptyTarget(pair);
      const took = await seconds(copy);
      const copied = await rowsAt(pair);
      if (copied !== rows) throw new Error(`${name} copied ${copied} of ${rows} rows`);
      taken.set(name, [...(taken.get(name) ?? []), took]);
      tell(`${name}: ${took.toFixed(1)} s, ${(megabytes / took).toFixed(1)} MB/s`);
    };
    let running = PEERS;
    for (let round = 1; round <= rounds; round++) {
      await take('SRDF', () => pair.establish());
      for (const peer of running) await take(peer.name, () => peer.copy(pair.source, pair.target));
      const fastest = Math.min(...running.map((it) => figure(it.name)));
      running = running.filter((it) => figure(it.name) <= fastest * BEATEN);
    }
    const [sourceMB, targetMB] = [await peakResidentMB(pair.workers.source.pid), await peakResidentMB(pair.workers.target.pid)];
    tell(`the workers' memory at its highest: source ${sourceMB} MB, target ${targetMB} MB`);
    const ours = figure('SRDF');
    const fastest = PEERS.map((it) => ({ name: it.name, took: figure(it.name) })).reduce((a, b) => (a.took <= b.took ? a : b));
    const ratio = fastest.took / ours;
    return {
      figures: {
        bootstrap: {
          megabytes,
          rows,
          seconds: ours,
          peers: Object.fromEntries(PEERS.map((it) => [it.name, figure(it.name)])),
          ratio,
          memory: { sourceMB, targetMB },
        },
      },
      rows: [
        {
          what: `first copy of ${megabytes} MB, to consistent`,
          ours: `${(megabytes / ours).toFixed(1)} MB/s`,
          peer: `${(megabytes / fastest.took).toFixed(1)} MB/s (${fastest.name})`,
          ratio: `${ratio.toFixed(2)} ×`,
          target: '1 × or more',
          reached: ratio >= 1,
        },
      ],
    };
  } finally {
    await pair.remove();
  }
}

export const bootstrap: Measurement = { name: 'bootstrap', usualScale: 0.1, measure: measureBootstrap };
