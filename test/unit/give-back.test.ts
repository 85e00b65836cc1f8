import { expect, it } from 'vitest';
import { giveBack } from '../../activities/wagon/give-back.js';

it('a large buffer is freed, whichever view of it is handed over, at once and as often as one likes', async () => {
  for (let round = 0; round < 3; round++) {
    const whole = new Uint8Array(2 ** 20).fill(1);
    const part = whole.subarray(100, 200);
    giveBack(part);
    expect([whole.length, part.length]).toEqual([0, 0]);
    // Nor later, when the other end of what it was handed to has closed.
    await new Promise(setImmediate);
  }
});

it('memory that others share is left alone', () => {
  const pooled = Buffer.from('a few bytes of a pool');
  giveBack(pooled);
  expect(pooled.toString()).toBe('a few bytes of a pool');
  const shared = new Uint8Array(new SharedArrayBuffer(2 ** 20)).fill(1);
  giveBack(shared);
  expect(shared[0]).toBe(1);
});
