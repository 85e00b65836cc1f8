/**
 * What the source server pays for being read: sysbench's transactions a second with our reader connected (`every: continuous`, everything
 * carried on to the target) against the same with a native MariaDB replica connected. Source and clients have half of the cores for
 * themselves, all that would run elsewhere has the other half. In turns; who reads has caught up before each round.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { Pair } from '../test/integration/pair.js';
import { executedAtSource, gtidsOf, ledgerRow } from '../test/integration/pair-ledger.js';
import { type Measurement, median } from './contract.js';
import { NativeReplica } from './native-replica.js';
import { halves, pin } from './processor-cores.js';
import { prepareSysbench, runSysbench } from './sysbench.js';

const TABLE_ROWS = 10_000;
const TRANSACTIONS = 15_000;
const THREADS = 4;
const ASKED = 0.95;
/** As in catch-up.ts: SRDF's target alone syncs its binary log. */
const SERVER_OPTIONS = ['--innodb-buffer-pool-size=512M', '--sync-binlog=0', '--innodb-flush-log-at-trx-commit=1'];
const TARGET_OPTIONS = ['--sync-binlog=1'];

export const sourceLoad: Measurement = {
  name: 'source',
  usualScale: 1,
  async measure({ tell, scale, rounds: asked }) {
    // Two runs of the same load differ by a tenth and more here.
    const rounds = asked + 2;
    const transactions = Math.round(TRANSACTIONS * Math.max(0.2, scale));
    const pair = await Pair.start({
      kind: 'mariadb',
      name: 'bench',
      every: 'continuous',
      serverOptions: SERVER_OPTIONS,
      sideOptions: { target: TARGET_OPTIONS },
      progress: tell,
    });
    let replica: NativeReplica | null = null;
    const [here, elsewhere] = halves();
    try {
      await prepareSysbench(pair.source, TABLE_ROWS);
      await pair.establish();
      replica = await NativeReplica.of(pair.source, ['bench'], SERVER_OPTIONS);
      await pin(here, process.pid, pair.source.pid);
      await pin(elsewhere, pair.target.pid, replica.server.pid, pair.temporal.pid, pair.workers.source.pid, pair.workers.target.pid);
      const load = async (): Promise<number> => await runSysbench(pair.source, TABLE_ROWS, transactions, THREADS);
      const native = readBy(replica);
      await load(); // warms the server up
      await execa('sync'); // what earlier measurements have written isn't to reach the disk during one of these
      const takes = { ours: [] as number[], native: [] as number[] };
      for (let round = 0; round < rounds; round++) {
        const own = async () => {
          await pair.must('resume', pair.name);
          await ledgerAtEnd(pair);
          takes.ours.push(await load());
          await ledgerAtEnd(pair);
          await pair.must('suspend', pair.name, '--reason', 'the other reader has its turn');
        };
        const theirs = async () => takes.native.push(await native(load));
        if (round === 0) await pair.must('suspend', pair.name, '--reason', 'the other reader has its turn');
        for (const step of round % 2 === 0 ? [theirs, own] : [own, theirs]) await step();
        tell(`round ${round + 1}: ${takes.ours.at(-1)} transactions/s read by SRDF, ${takes.native.at(-1)} read by a native replica`);
      }
      const [ours, peer] = [median(takes.ours), median(takes.native)];
      const ratio = Number((ours / peer).toFixed(3));
      return {
        figures: { source: { transactionsPerSecond: ours, native: peer, ratio } },
        rows: [
          {
            what: "source's throughput while it is read, sysbench oltp_write_only",
            ours: `${ours.toFixed(0)} transactions/s`,
            peer: `${peer.toFixed(0)} transactions/s, a native replica connected`,
            ratio: `${ratio} ×`,
            target: `${ASKED} ×`,
            reached: ratio >= ASKED,
          },
        ],
      };
    } finally {
      await pin(`${here},${elsewhere}`, process.pid);
      await replica?.remove();
      await pair.remove();
    }
  },
};

/** Runs a load with the replica connected and at the log's end, and disconnects it. */
function readBy(replica: NativeReplica): (load: () => Promise<number>) => Promise<number> {
  return async (load) => {
    await replica.catchUp(0);
    await replica.server.sql('START SLAVE');
    const perSecond = await load();
    await replica.server.sql('STOP SLAVE');
    return perSecond;
  };
}

async function ledgerAtEnd(pair: Pair): Promise<void> {
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; await sleep(100)) {
    if (gtidsOf((await ledgerRow(pair))?.position ?? '') === (await executedAtSource(pair))) return;
  }
  throw new Error(`the target did not catch up within 120 s\n${await pair.logTails()}`);
}
