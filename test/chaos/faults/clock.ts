/** A worker's clock that jumps a day while it runs, and back again. */
import type { Side } from '../../integration/pair.js';
import type { Fault } from '../contract.js';

const DAY = 86_400_000;

/** What is found expired or not yet valid meanwhile stops the stream; it goes on as soon as the clock is right. */
const jump = (side: Side, name: string, milliseconds: number): Fault => ({
  name: `the clock of the ${side} worker jumps ${name}`,
  group: 'clock',
  expected: 'goes on',
  async inflict(pair) {
    await pair.breakable.setClock(side, milliseconds);
    return async () => await pair.breakable.setClock(side, 0);
  },
});

/** The worker starts with that clock: everything it checks at its start, it checks by it. */
const restarted = (side: Side, name: string, milliseconds: number): Fault => ({
  name: `the ${side} worker starts again with a clock a day ${name}`,
  group: 'clock',
  expected: 'goes on',
  async inflict(pair) {
    await pair.killWorker(side);
    await pair.breakable.setClock(side, milliseconds);
    // A day behind, the keys of a pair that was made today aren't valid yet: it may refuse to start, and say why.
    await pair.startWorker(side).catch((error: unknown) => {
      if (!/key-bundle-early|worker ended/.test(String(error))) throw error;
    });
    return async () => {
      await pair.breakable.setClock(side, 0);
      if (!pair.workers[side].running) await pair.startWorker(side);
    };
  },
});

export const CLOCK_FAULTS: readonly Fault[] = (['source', 'target'] as const).flatMap((side) => [
  jump(side, 'a day ahead', DAY),
  jump(side, 'a day back', -DAY),
  restarted(side, 'ahead', DAY),
  restarted(side, 'behind', -DAY),
]);
