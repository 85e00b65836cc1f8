/** The judge of a pair's equality: plain SQL and the servers' own dumps of both sides, none of our own comparison. */
import { expect } from 'vitest';
import type { Pair } from './pair.js';

export async function expectIdentical(pair: Pair): Promise<void> {
  expect((await pair.compareBySql()).differences).toEqual([]);
  expect(await pair.compareByDump()).toEqual([]);
}

/** The same where tables have no key: a dump gives their rows in no order, so that its lines are compared as a set with repeats. */
export async function expectSameRows(pair: Pair): Promise<void> {
  expect((await pair.compareBySql()).differences).toEqual([]);
  const [source = [], target = []] = await Promise.all(
    [pair.source, pair.target].map(async (side) =>
      (await side.dump(pair.databases))
        .replaceAll(/ AUTO_INCREMENT=\d+/g, '')
        .split('\n')
        .sort(),
    ),
  );
  expect(target.length).toBe(source.length);
  expect(target.filter((line, index) => line !== source[index]).slice(0, 5)).toEqual([]);
}

/** What a query gives on both sides, which has to be the same; returns it, so that a test can see that it isn't nothing. */
export async function sameOnBoth(pair: Pair, query: string): Promise<readonly Record<string, unknown>[]> {
  const [source, target] = await Promise.all([pair.source.sql(query, pair.databases[0]), pair.target.sql(query, pair.databases[0])]);
  expect(target, query).toEqual(source);
  return source;
}
