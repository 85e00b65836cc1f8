/** Where a cut of a followed log ends: behind whole transactions, not before the log's end, and soon after the first change. */
import { describe, expect, it } from 'vitest';
import { FollowedLog } from '../../activities/cycle/follow-log.js';
import type { LogBatch, LogItem } from '../../activities/engines/engine.js';
import { rowImages } from '../../activities/engines/row-images.js';
import type { Position } from '../../activities/vocabulary.js';

const begin: LogItem = { kind: 'begin' };
const commit: LogItem = { kind: 'commit', position: 'p1' as Position, committedAt: 1, transaction: '1', logBytes: 1 };
const rows: LogItem = {
  kind: 'rows',
  table: { database: 'shop', table: 'orders', bytes: Uint8Array.of(1) },
  operation: 'insert',
  rows: rowImages(Uint8Array.of(1), Int32Array.of(0, 1)),
  foreignKeyChecks: true,
  uniqueChecks: true,
};

/** Gives these batches, then says nothing more until it is ended. */
class SilentLog {
  ended = false;
  constructor(private readonly script: readonly (LogBatch | (() => void))[]) {}
  async *read(signal: AbortSignal): AsyncGenerator<LogBatch> {
    try {
      for (const step of this.script) {
        if (typeof step === 'function') step();
        else yield step;
      }
      signal.throwIfAborted();
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    } finally {
      this.ended = true;
    }
  }
}
const never = new AbortController().signal;
const follow = { waitMilliseconds: 20, lingerMilliseconds: 5 };
const collect = async (followed: FollowedLog): Promise<LogItem[]> => {
  const items: LogItem[] = [];
  for await (const batch of followed.batches()) items.push(...batch.items);
  return items;
};

describe('a followed log', () => {
  it('ends without a change once it has waited, and lets go of the reader', async () => {
    const log = new SilentLog([{ items: [], reachedEnd: true }]);
    const followed = new FollowedLog((signal) => log.read(signal), follow, never);
    expect(await collect(followed)).toEqual([]);
    expect([followed.reachedEnd, log.ended]).toEqual([true, true]);
  });

  it('ends with what has come together after the first change', async () => {
    const log = new SilentLog([{ items: [], reachedEnd: true }, { items: [begin, rows, commit] }, { items: [begin, rows, commit] }]);
    const hours = { waitMilliseconds: 3_600_000, lingerMilliseconds: 5 };
    expect(await collect(new FollowedLog((signal) => log.read(signal), hours, never))).toHaveLength(6);
  });

  it('never ends before the log is read to where it ended, nor inside a transaction', async () => {
    let now = 0;
    const late = () => {
      now += 1_000;
    };
    const log = new SilentLog([
      { items: [begin, rows, commit] },
      late,
      { items: [begin, rows], reachedEnd: true },
      late,
      { items: [rows] },
      late,
      { items: [rows, commit] },
    ]);
    const followed = new FollowedLog(
      (signal) => log.read(signal),
      follow,
      never,
      () => now,
    );
    const items = await collect(followed);
    expect(items.at(-1)).toEqual(commit);
    expect(items).toHaveLength(8);
    expect(followed.reachedEnd).toBe(true);
  });

  it('hands an error of the reader on', async () => {
    const failing = async function* (): AsyncGenerator<LogBatch> {
      yield { items: [begin, rows, commit] };
      throw new Error('the connection is lost');
    };
    await expect(collect(new FollowedLog(failing, follow, never))).rejects.toThrow('the connection is lost');
  });

  it('ends with the reason of its signal', async () => {
    const log = new SilentLog([{ items: [], reachedEnd: true }]);
    const stop = new AbortController();
    const collecting = collect(new FollowedLog((signal) => log.read(signal), { ...follow, waitMilliseconds: 3_600_000 }, stop.signal));
    stop.abort(new Error('told to stop'));
    await expect(collecting).rejects.toThrow('told to stop');
    expect(log.ended).toBe(true);
  });
});
