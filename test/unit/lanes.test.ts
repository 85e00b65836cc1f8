import { expect, it } from 'vitest';
import { lanes } from '../../activities/bootstrap/lanes.js';

it('never more at a time than lanes, in the order they came, and none is lost to a failure', async () => {
  const run = lanes(2);
  const ends: (() => void)[] = [];
  const begun: number[] = [];
  const work = (number: number): Promise<number> =>
    run(async () => {
      begun.push(number);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (number === 1) throw new Error('no');
      return number;
    });
  const results = Promise.allSettled([0, 1, 2, 3, 4].map(work));
  for (let ended = 0; ended < 5; ended++) {
    await new Promise(setImmediate);
    expect(begun).toEqual([0, 1, 2, 3, 4].slice(0, ended + 2));
    ends.shift()?.();
  }
  expect((await results).map((it) => it.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
});
