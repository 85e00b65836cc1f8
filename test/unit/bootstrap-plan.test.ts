/** What a bootstrap decides without touching anything: order, what counts as changed, ranges' conditions, addresses, JSON numbers. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPlan, storePlan } from '../../activities/bootstrap/range-plans.js';
import { changedBy, inCopyOrder } from '../../activities/bootstrap/table-order.js';
import { schemaSequence, standaloneSequence } from '../../activities/bootstrap/wagon-sequence.js';
import { planBody, planOf } from '../../activities/compare/plan-body.js';
import type { DdlClassification, TablePlan } from '../../activities/engines/engine.js';
import { jsonLiteral } from '../../activities/engines/mysql/ranges/json-literal.js';
import { rangeCondition } from '../../activities/engines/mysql/ranges/range-condition.js';
import type { BootstrapId, Position, StreamName, TableName } from '../../activities/vocabulary.js';
import { packRows, unpackRows } from '../../activities/wagon/range-values.js';

const table = (name: string, estimatedBytes = 0): TablePlan => ({
  database: 'shop',
  table: name,
  estimatedRows: 1,
  estimatedBytes,
  keyed: true,
});

describe('the order of tables', () => {
  it('is the operator’s for those named, then by size', () => {
    const order = inCopyOrder([table('a', 1), table('b', 50), table('c', 9), table('d', 50)], ['shop.c', 'shop.nosuch', 'shop.a']);
    expect(order.map((it) => it.table)).toEqual(['c', 'a', 'b', 'd']);
  });
});

describe('what changed while it was copied', () => {
  const ddl = (verb: DdlClassification['verb'], object: DdlClassification['object'], ...names: string[]): DdlClassification => ({
    verb,
    object,
    names: names.map((name) => ({ database: name.split('.')[0] ?? '', table: name.split('.')[1] ?? '' })),
  });
  const ours = (name: TableName): boolean => name.database === 'shop';

  it('names each table once, both sides of a rename, and never one that isn’t ours', () => {
    const changed = changedBy(
      [
        ddl('alter', 'table', 'shop.a'),
        ddl('create', 'index', 'shop.a'),
        ddl('rename', 'table', 'shop.x', 'other.y', 'shop._x_gho', 'shop.x'),
        ddl('truncate', 'table', 'shop.t'),
      ],
      ours,
    );
    expect(changed.tables.map((it) => it.table)).toEqual(['a', 'x', '_x_gho', 't']);
    expect(changed.tables.every((it) => it.database === 'shop')).toBe(true);
  });
  it('counts views, routines, triggers and events, and what a rename or drop may have done to them', () => {
    expect(changedBy([ddl('create', 'view', 'shop.v'), ddl('drop', 'trigger', 'shop.t')], ours)).toEqual({ tables: [], otherObjects: 2 });
    expect(changedBy([ddl('rename', 'table', 'shop.v', 'shop.w')], ours).otherObjects).toBe(1);
    expect(changedBy([ddl('alter', 'database', 'shop.')], ours)).toEqual({ tables: [], otherObjects: 0 });
  });
  it('stops when a database came or went', () => {
    expect(() => changedBy([ddl('drop', 'database', 'shop.')], ours)).toThrowError(
      expect.objectContaining({ code: 'bootstrap-unsettled' }),
    );
  });
});

describe('ranges', () => {
  /** Evaluates the generated condition on small integers, as SQL would. */
  const holds = (condition: string, row: readonly number[]): boolean => {
    const js = condition
      .replace(/\bk(\d)\b/g, (_, index: string) => String(row[Number(index)]))
      .replace(/\bAND\b/g, '&&')
      .replace(/\bOR\b/g, '||')
      .replace(/\bTRUE\b/g, 'true')
      .replace(/(?<![<>=])=(?!=)/g, '===');
    return new Function(`return ${js};`)() as boolean;
  };
  it('hold every row exactly once, whatever the boundaries', () => {
    const tuple = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }));
    const compare = (a: readonly number[], b: readonly number[]): number => {
      for (const [index, value] of a.entries()) if (value !== b[index]) return value - (b[index] ?? 0);
      return 0;
    };
    fc.assert(
      fc.property(fc.uniqueArray(tuple, { maxLength: 8, selector: (it) => it.join() }), tuple, (cuts, row) => {
        const sorted = [...cuts].sort(compare);
        const plan = { keyColumns: ['a', 'b', 'c'], boundaries: sorted.map((it) => it.map(String)) };
        const keys = ['k0', 'k1', 'k2'];
        const inside = Array.from({ length: sorted.length + 1 }, (_, range) => holds(rangeCondition(keys, plan, range), row));
        const expected = sorted.findIndex((it) => compare(row, it) <= 0);
        expect(inside.flatMap((it, range) => (it ? [range] : []))).toEqual([expected < 0 ? sorted.length : expected]);
      }),
      { numRuns: 2_000 },
    );
  });
  it('refuse a number the plan doesn’t have', () => {
    expect(() => rangeCondition(['k'], { keyColumns: ['k'], boundaries: [['1']] }, 2)).toThrowError(
      expect.objectContaining({ code: 'bootstrap-range-lost' }),
    );
  });
});

describe('range plans on disk', () => {
  const stream = 'shop' as StreamName;
  const stored = {
    table: { database: 'shop', table: 'orders' },
    plan: { keyColumns: ['id'], boundaries: [["_utf8mb4'secret'"]] },
    position: 'p' as Position,
  };
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'srdf-plans-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('come back under their name, which rises with the round and tells nothing of the keys', async () => {
    const first = await storePlan(directory, stream, 0, 'b1', stored);
    const second = await storePlan(directory, stream, 100, 'b1', stored);
    expect(await readPlan(directory, stream, first, stored.table)).toEqual(stored);
    expect(first < second).toBe(true);
    expect(first).toMatch(/^\d{6}-[0-9a-f]{40}$/);
  });
  it('are lost, with their own error, when the disk was, for another table, and for a name that leads elsewhere', async () => {
    const name = await storePlan(directory, stream, 0, 'b1', stored);
    const lost = { code: 'bootstrap-range-lost' };
    await expect(readPlan(directory, stream, name, { database: 'shop', table: 'other' })).rejects.toMatchObject(lost);
    await expect(readPlan(directory, stream, `../${name}`, stored.table)).rejects.toMatchObject(lost);
    expect(await readdir(join(directory, 'range-plans', stream))).toHaveLength(1);
    const file = join(directory, 'range-plans', stream, `${name}.json`);
    await writeFile(file, (await readFile(file, 'utf8')).replace('secret', 'secreu'));
    await expect(readPlan(directory, stream, name, stored.table)).rejects.toMatchObject(lost);
    await rm(directory, { recursive: true });
    await expect(readPlan(directory, stream, name, stored.table)).rejects.toMatchObject(lost);
  });
});

describe('plans inside a wagon', () => {
  it('come out as they went in', () => {
    const plan = {
      keyColumns: ['a', 'b', 'c', 'd'],
      boundaries: [
        ['-1', "'2024-01-01 00:00:00.5'", "_latin1 X'e4' COLLATE latin1_german1_ci", '1.5e-3'],
        ['18446744073709551615', "'-838:59:59'", "_binary'it is plain'", '-0e0'],
      ],
    };
    expect(planOf(planBody({ database: 'shop', table: 't' }, plan))).toEqual(plan);
    expect(planOf(planBody({ database: 'shop', table: 't' }, { keyColumns: [], boundaries: [] }))).toEqual({
      keyColumns: [],
      boundaries: [],
    });
  });
  it.each(['SLEEP(5)', "'a' OR 1", '1; DROP TABLE t', "_utf8mb4'a'b'", '(SELECT 1)', ''])('refuse what is no literal: %s', (literal) => {
    const body = planBody({ database: 'shop', table: 't' }, { keyColumns: ['k'], boundaries: [[literal]] });
    expect(() => planOf(body)).toThrowError(expect.objectContaining({ code: 'wagon-malformed' }));
  });
});

describe('values of a range', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.option(fc.uint8Array()), fc.option(fc.uint8Array()))), (rows) => {
        const values = packRows(rows);
        const columns = [
          { name: 'a', encoding: 'bytes' as const },
          { name: 'b', encoding: 'bytes' as const },
        ];
        const back = [...unpackRows({ values, rows: rows.length, columns })];
        expect(back.map((row) => row.map((it) => it && [...it]))).toEqual(rows.map((row) => row.map((it) => it && [...it])));
      }),
    );
  });
  it('are refused when they end early or late', () => {
    const values = packRows([[Buffer.from('abc')]]);
    const columns = [{ name: 'a', encoding: 'bytes' as const }];
    expect(() => [...unpackRows({ values: values.subarray(0, 6), rows: 1, columns })]).toThrow(RangeError);
    expect(() => [...unpackRows({ values, rows: 0, columns })]).toThrow(RangeError);
    expect(() => [...unpackRows({ values, rows: 2, columns })]).toThrow(RangeError);
  });
});

describe('addresses of wagons outside the chain', () => {
  it('tells apart the definitions of tables that are described side by side', () => {
    const of = (...tables: string[]) =>
      schemaSequence(
        'b' as BootstrapId,
        'before-data',
        2,
        tables.map((table) => ({ database: 'shop', table })),
      );
    expect(new Set([of(), of('altered'), of('created'), of('altered', 'created')]).size).toBe(4);
    expect(of('altered')).toBe(of('altered'));
  });

  it('are the same for the same thing, another for another, and always a safe integer above 0', () => {
    expect(standaloneSequence('range', 'b', 'p', 1, 0)).toBe(standaloneSequence('range', 'b', 'p', 1, 0));
    const many = new Set<number>();
    for (let range = 0; range < 20_000; range++) {
      const sequence = standaloneSequence('range', 'b', 'p', range, 0);
      expect(Number.isSafeInteger(sequence) && sequence > 0).toBe(true);
      many.add(sequence);
    }
    expect(many.size).toBe(20_000);
  });
});

describe('JSON of MySQL', () => {
  const literal = (json: string): string => jsonLiteral(Buffer.from(json));
  it.each(['{"a": 1.5}', '[1.0, -0.0, 1e20, 18446744073709551615]', '"1.10"', '{"1.10": "x"}', '0.1', 'null'])('stays text: %s', (json) => {
    expect(literal(json)).not.toContain('DECIMAL');
  });
  it.each([
    ['1.10', "CAST(CAST('1.10' AS DECIMAL(3,2)) AS JSON)"],
    ['[99999999999999999999]', "JSON_ARRAY(CAST(CAST('99999999999999999999' AS DECIMAL(20,0)) AS JSON))"],
    [
      '{"a": [true, -2.50]}',
      "JSON_OBJECT(_utf8mb4'a', JSON_ARRAY(CAST(_utf8mb4'true' AS JSON), CAST(CAST('-2.50' AS DECIMAL(3,2)) AS JSON)))",
    ],
  ])('keeps the digits of a DECIMAL: %s', (json, sql) => {
    expect(literal(json)).toBe(sql);
  });
});
