/** What a stream at rest costs: events in the history of an idle cycle, and processor time of our two workers, Temporal's told apart. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pair } from '../test/integration/pair.js';
import type { Measurement } from './contract.js';
import { processorSeconds } from './processor-time.js';
import { prepareSysbench } from './sysbench.js';

const SECONDS = 60;
/** While the copy's last work ends and the first cycles have been compiled: as in the weeks that follow. */
const SETTLE_SECONDS = 60;
const EVENTS_ASKED = 12;
/** 1 % of a core. */
const ASKED_PER_HOUR = 36;

export const idle: Measurement = {
  name: 'idle',
  usualScale: 1,
  async measure({ tell }) {
    const pair = await Pair.start({ kind: 'mariadb', name: 'bench', every: '30s', progress: tell });
    try {
      await prepareSysbench(pair.source, 1_000);
      await pair.establish();
      await sleep(SETTLE_SECONDS * 1_000);
      const used = async () => ({
        source: await processorSeconds(pair.workers.source.pid),
        target: await processorSeconds(pair.workers.target.pid),
        temporal: await processorSeconds(pair.temporal.pid),
      });
      const since = new Date();
      const before = await used();
      await sleep(SECONDS * 1_000);
      const after = await used();
      const perHour = (name: keyof typeof before): number => Math.round(((after[name] - before[name]) / SECONDS) * 3_600);
      const own = { source: perHour('source'), target: perHour('target') };
      const cpuSecondsPerHour = own.source + own.target;
      const events = await idleEvents(pair, since);
      return {
        figures: { idle: { events, cpuSecondsPerHour, ...own, temporalCpuSecondsPerHour: perHour('temporal') } },
        rows: [
          {
            what: 'idle cycle, history events',
            ours: `${events}`,
            peer: '–',
            ratio: '–',
            target: `${EVENTS_ASKED}`,
            reached: events <= EVENTS_ASKED,
          },
          {
            what: 'idle at every: 30s, both workers',
            ours: `${cpuSecondsPerHour} s of processor an hour, ${((cpuSecondsPerHour / 3_600) * 100).toFixed(2)} % of a core`,
            peer: `Temporal server besides: ${perHour('temporal')} s`,
            ratio: '–',
            target: 'under 1 % of a core',
            reached: cpuSecondsPerHour < ASKED_PER_HOUR,
          },
        ],
      };
    } finally {
      await pair.remove();
    }
  },
};

/** Of a cycle that the schedule has started meanwhile; throws when one of them wasn't idle. */
async function idleEvents(pair: Pair, since: Date): Promise<number> {
  const { workflow } = pair.temporalClient.client;
  let most = 0;
  const query = `WorkflowType = 'replicationCycle' AND ExecutionStatus = 'Completed' AND StartTime >= '${since.toISOString()}'`;
  for await (const run of workflow.list({ query })) most = Math.max(most, run.historyLength ?? 0);
  if (most === 0) throw new Error('no cycle ran while the pair was at rest');
  return most;
}
