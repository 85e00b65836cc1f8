/** One pair with light traffic, through one case after the other. A case that breaks it costs a new pair. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pair } from '../integration/pair.js';
import { ledgerRow } from '../integration/pair-ledger.js';
import type { ServerKind } from '../servers/database-server.js';
import { requireWhole, untilConfirmed } from './check.js';
import type { Case, CaseOutcome, FaultGroup } from './contract.js';
import { establishThrough } from './establish-through.js';
import { Holds } from './hold.js';
import { isBootstrapPoint } from './matrix.js';
import { ChaosTraffic } from './traffic.js';
import { until } from './until.js';

const REACHED_SECONDS = 60;
/** How long what was let go on meets the fault before it is given back. */
const FAULT_SECONDS: Readonly<Record<FaultGroup, number>> = {
  kill: 1,
  activity: 0,
  network: 6,
  disk: 6,
  files: 0,
  clock: 4,
  'double start': 3,
};
/** Longer than the longest silence the program puts up with. */
const GOES_ON_SECONDS = 180;

export interface CasesOptions {
  readonly kind: ServerKind;
  /** Lines, disks and clocks that can be broken. */
  readonly breakable: boolean;
  readonly progress?: (line: string) => void;
}

interface Standing {
  readonly pair: Pair;
  readonly traffic: ChaosTraffic;
}

export class ChaosCases {
  private readonly holds = new Holds();
  private standing: Standing | null = null;
  /** Of the servers, as they tell it; '' before there was a pair. */
  version = '';

  constructor(private readonly options: CasesOptions) {}

  /** Never throws: whatever goes wrong is the outcome. */
  async run(chosen: Case): Promise<CaseOutcome> {
    const { fault, point } = chosen;
    let started = performance.now();
    const outcome = (of: CaseOutcome['outcome'], detail = ''): CaseOutcome => ({
      point,
      fault: fault.name,
      group: fault.group,
      outcome: of,
      detail: detail.split('\n')[0] ?? '',
      seconds: (performance.now() - started) / 1_000,
    });
    try {
      const why = (await fault.unavailable?.()) ?? null;
      if (why !== null) return outcome('not possible here', why);
      if (this.standing === null) {
        this.standing = await this.establish().catch(async (error: unknown) => {
          this.options.progress?.(`no pair came up, trying once more: ${error}`);
          return await this.establish();
        });
        started = performance.now();
      }
      await this.go(this.standing, chosen);
      return fault.expected === 'goes on' ? outcome('went on') : outcome('stopped, mended by the operator', fault.expected.told);
    } catch (error) {
      this.options.progress?.(`${error instanceof Error ? error.stack : error}\n${await this.standing?.pair.logTails()}`);
      await this.remove();
      return outcome('FAILED', error instanceof Error ? error.message : String(error));
    }
  }

  private async go({ pair, traffic }: Standing, { fault, point }: Case): Promise<void> {
    const since = new Date();
    const bootstrap = isBootstrapPoint(point);
    if (bootstrap) await throwAway(pair);
    const before = (await ledgerRow(pair))?.sequence ?? 0;
    await this.holds.place(point);
    const established = bootstrap ? establishThrough(pair) : Promise.resolve();
    established.catch(() => undefined); // awaited below
    traffic.start();
    await traffic.lead(point);
    await this.holds.reached(point, REACHED_SECONDS);
    const giveBack = await fault.inflict(pair, point);
    try {
      await this.holds.lift();
      await sleep(FAULT_SECONDS[fault.group] * 1_000);
    } finally {
      await giveBack();
    }
    if (fault.expected !== 'goes on') {
      const { code, operator } = fault.expected;
      await until(`the stream stops with ${code}`, GOES_ON_SECONDS, async () =>
        (await pair.cycleResults(since)).some((it) => it.error?.code === code),
      );
      await operator(pair);
    }
    await established;
    const written = traffic.commits;
    await until('clients write on', 60, async () => traffic.commits >= written + 5);
    await traffic.stop();
    await untilConfirmed(pair, since, GOES_ON_SECONDS);
    await requireWhole(pair, before);
  }

  private async establish(): Promise<Standing> {
    const { kind, breakable, progress } = this.options;
    const pair = await Pair.start({
      kind,
      workers: false,
      every: '1s',
      breakable,
      stream: { wagon: { changes: 100 }, bootstrap: { rowsPerRange: 100, parallel: 2 } },
    });
    try {
      progress?.(`a pair of ${kind} servers in ${pair.directory}`);
      const traffic = new ChaosTraffic(pair.source, pair.name);
      await traffic.createTables();
      await pair.startWorkers();
      await pair.establish();
      const [row] = await pair.source.sql('SELECT VERSION() AS version');
      this.version = `${kind === 'mysql' ? 'MySQL' : 'MariaDB'} ${String(row?.version).split('-')[0]}`;
      return { pair, traffic };
    } catch (error) {
      await pair.remove();
      throw error;
    }
  }

  /** The pair goes; the next case makes a new one. */
  private async remove(): Promise<void> {
    const { standing } = this;
    this.standing = null;
    await this.holds.lift();
    await standing?.traffic.stop();
    await standing?.pair.remove();
  }

  /** Leaves nothing behind. */
  async end(): Promise<void> {
    await this.remove();
    this.holds.remove();
  }
}

/** As README.md says it of a stream that is copied anew. */
async function throwAway(pair: Pair): Promise<void> {
  await pair.target.sql(`DROP DATABASE \`${pair.name}\`; DELETE FROM srdf.ledger WHERE stream = '${pair.name}'`);
}
