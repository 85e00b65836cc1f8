/** kill -9 of each part of a pair, started again a moment later. */
import type { Pair } from '../../integration/pair.js';
import type { Fault } from '../contract.js';

const VICTIMS: Readonly<Record<string, (pair: Pair) => { kill(): Promise<void>; run(): Promise<void> }>> = {
  'the source worker': (pair) => ({ kill: () => pair.killWorker('source'), run: () => pair.startWorker('source') }),
  'the target worker': (pair) => ({ kill: () => pair.killWorker('target'), run: () => pair.startWorker('target') }),
  Temporal: (pair) => pair.temporal,
  'the source database': (pair) => pair.source,
  'the target database': (pair) => pair.target,
};

export const KILL_FAULTS: readonly Fault[] = Object.entries(VICTIMS).map(([name, of]) => ({
  name: `kill -9 of ${name}`,
  group: 'kill',
  expected: 'goes on',
  async inflict(pair) {
    await of(pair).kill();
    return async () => await of(pair).run();
  },
}));
