import { describe, expect, it } from 'vitest';
import type { DdlClassification } from '../../activities/engines/engine.js';
import { afterCrash, NOT_RUN } from '../../activities/engines/mysql/apply/fingerprint.js';

const names = (...tables: string[]): DdlClassification['names'] => tables.map((table) => ({ database: 'd', table }));

describe('afterCrash', () => {
  it.each<[DdlClassification['verb'], DdlClassification['object'], string, boolean[], string]>([
    // verb, object, hash now (before: "x"), what exists now, expected
    ['create', 'table', 'x', [false], 'run'],
    ['create', 'table', 'x', [true], 'run'],
    ['create', 'table', 'y', [true], 'done'],
    ['create', 'table', 'y', [false], 'run'],
    ['drop', 'table', 'x', [true, true], 'run'],
    ['drop', 'table', 'y', [false, true], 'run'],
    ['drop', 'table', 'y', [false, false], 'done'],
    ['drop', 'database', 'y', [true], 'run'],
    ['drop', 'index', 'x', [true], 'run'],
    ['drop', 'index', 'y', [true], 'done'],
    ['truncate', 'table', 'y', [true], 'run'],
    ['truncate', 'table', 'x', [true], 'run'],
    ['alter', 'table', 'x', [true], 'run'],
    ['alter', 'table', 'y', [true], 'done'],
    ['rename', 'table', 'x', [true, false], 'run'],
    ['rename', 'table', 'y', [false, true], 'done'],
  ])('%s %s, hash %s, there %j: %s', (verb, object, hash, exists, expected) => {
    expect(afterCrash({ verb, object, names: names(...exists.map((_, i) => `t${i}`)) }, 'x', { hash, exists })).toBe(expected);
  });

  it.each<[DdlClassification['verb'], DdlClassification['object'], boolean[], string]>([
    ['create', 'table', [true], 'run'],
    ['create', 'index', [true], 'run'],
    ['alter', 'table', [true], 'run'],
    ['rename', 'table', [false, true], 'run'],
    ['drop', 'index', [true], 'run'],
    ['drop', 'table', [true], 'run'],
    ['drop', 'table', [false], 'done'],
  ])('%s %s that was refused, there %j: %s, however the target was mended', (verb, object, exists, expected) => {
    const ddl = { verb, object, names: names(...exists.map((_, i) => `é${i}`)) };
    for (const hash of ['x', 'y']) expect(afterCrash(ddl, NOT_RUN, { hash, exists })).toBe(expected);
  });

  it('doesn’t guess whether two tables of one form were swapped, where it can’t see their numbers', () => {
    const swap: DdlClassification = { verb: 'alter', object: 'table', names: names('é', 'b') };
    expect(afterCrash(swap, 'x', { hash: 'x', exists: [true, true] })).toBe('uncertain');
    expect(afterCrash(swap, 'x', { hash: 'y', exists: [true, true] })).toBe('done');
  });
});
