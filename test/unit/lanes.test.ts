import { expect, it } from 'vitest';
import { lanes } from '../../activities/bootstrap/lanes.js';

/** Work that begins when it is let, and ends when it is told. */
function harness(count: number) {
  const run = lanes(count);
  const ends: (() => void)[] = [];
  const begun: string[] = [];
  return {
    begun,
    work: (name: string, rank: number): Promise<string> =>
      run(rank, async () => {
        begun.push(name);
        await new Promise<void>((resolve) => ends.push(resolve));
        if (name === 'b') throw new Error('no');
        return name;
      }),
    endOldest: async (): Promise<void> => {
      ends.shift()?.();
      await new Promise(setImmediate);
    },
  };
}

it('never more at a time than lanes, those of one rank in the order they came, and none is lost to a failure', async () => {
  const { begun, work, endOldest } = harness(2);
  const names = ['a', 'b', 'c', 'd', 'e'];
  const results = Promise.allSettled(names.map((it) => work(it, 0)));
  for (let ended = 0; ended < names.length; ended++) {
    await new Promise(setImmediate);
    expect(begun).toEqual(names.slice(0, ended + 2));
    await endOldest();
  }
  expect((await results).map((it) => it.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
});

it('lanes that come free go to the highest rank, every third to whoever has waited longest', async () => {
  const { begun, work, endOldest } = harness(1);
  const all = [work('first', 1), work('low 1', 1), work('low 2', 1), work('high 1', 9), work('high 2', 9), work('high 3', 9)];
  for (const _ of all) await endOldest();
  await Promise.all(all);
  expect(begun).toEqual(['first', 'high 1', 'high 2', 'low 1', 'high 3', 'low 2']);
});

it('a lane that nobody waits for is there for the next', async () => {
  const { begun, work, endOldest } = harness(1);
  const first = work('first', 0);
  await endOldest();
  await first;
  const second = work('second', 0);
  expect(begun).toEqual(['first', 'second']);
  await endOldest();
  await second;
});
