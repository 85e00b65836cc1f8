import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ForeignKeyFact, LogBatch, LogItem, Operation } from '../../activities/engines/engine.js';
import { concatImages } from '../../activities/engines/row-images.js';
import { cutBodies } from '../../activities/wagon/cut.js';
import type { CutPiece } from '../../activities/wagon/cut-piece.js';
import { factsOf, ModelDatabase, modelFormat, Refused, type Row, rowImages, type Schema, shapesOf } from './compaction-model.js';
import { position } from './wagon-fixture.js';

interface Step {
  readonly table: number;
  readonly kind: Operation | 'swap';
  readonly pick: number;
  readonly row: Row;
  readonly keepKey: boolean;
  readonly checks: boolean;
}

const action = fc.constantFrom('restrict', 'cascade', 'set-null');
const byte = fc.integer({ min: 0, max: 5 });
const key = fc.integer({ min: 1, max: 5 });
const schemas: fc.Arbitrary<Schema> = fc
  .array(
    fc.record({
      keyed: fc.boolean().chain((it) => (it ? fc.constant(true) : fc.boolean())),
      uniqueSecond: fc.boolean(),
      parent: fc.option(fc.nat({ max: 3 }), { nil: null }),
      second: fc.boolean(),
      onDelete: action,
      onUpdate: action,
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((tables) =>
    tables.map(({ keyed, uniqueSecond, parent, second, onDelete, onUpdate }, index) => {
      const to = parent === null ? null : parent % (index + 1);
      const target = to === null ? undefined : tables[to];
      if (to === null || target === undefined || !target.keyed) return { keyed, uniqueSecond, reference: null };
      // A self-reference that changes itself on update is refused by the servers too.
      const self = to === index;
      const parentColumn = second && target.uniqueSecond ? (1 as const) : (0 as const);
      return { keyed, uniqueSecond, reference: { parent: to, parentColumn, onDelete, onUpdate: self ? ('restrict' as const) : onUpdate } };
    }),
  );
const steps: fc.Arbitrary<Step> = fc.record({
  table: fc.nat({ max: 3 }),
  kind: fc.constantFrom('insert', 'insert', 'update', 'update', 'delete', 'swap'),
  pick: fc.nat({ max: 7 }),
  row: fc.tuple(key, byte, byte, byte),
  keepKey: fc.boolean(),
  checks: fc.integer({ min: 0, max: 9 }).map((it) => it > 0),
});
const histories = fc.array(fc.array(steps, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8 });

/** Runs a history on the source and gives its log, with the source's state after each transaction by position. */
function run(schema: Schema, history: readonly (readonly Step[])[]): { items: LogItem[]; states: Map<string, string>; changes: number } {
  const source = new ModelDatabase(schema);
  const shapes = shapesOf(schema);
  const items: LogItem[] = [];
  const states = new Map<string, string>();
  let changes = 0;
  history.forEach((transaction, number) => {
    items.push({ kind: 'begin' });
    const change = (table: number, operation: Operation, before: Row | null, after: Row | null, checks: boolean): boolean => {
      try {
        source.change(table, operation, before, after, checks);
      } catch (error) {
        if (error instanceof Refused) return false;
        throw error;
      }
      changes++;
      const shape = shapes[table];
      if (shape === undefined) throw new RangeError(`table ${table}`);
      const rows = rowImages(...[before, after].filter((it) => it !== null));
      const last = items.at(-1);
      // Neighbours share a rows event, as a server writes them.
      if (last?.kind === 'rows' && last.table === shape && last.operation === operation && last.foreignKeyChecks === checks) {
        items[items.length - 1] = { ...last, rows: concatImages([last.rows, rows]) };
      } else items.push({ kind: 'rows', table: shape, operation, rows, foreignKeyChecks: checks, uniqueChecks: true });
      return true;
    };
    for (const step of transaction) {
      const table = step.table % schema.length;
      const rows = source.rows[table] ?? [];
      const one = rows[step.pick % Math.max(1, rows.length)];
      const other = rows[(step.pick + 1) % Math.max(1, rows.length)];
      if (step.kind === 'insert') change(table, 'insert', null, step.row, step.checks);
      else if (one === undefined || other === undefined) continue;
      else if (step.kind === 'delete') change(table, 'delete', one, null, step.checks);
      else if (step.kind === 'update')
        change(table, 'update', one, step.keepKey ? [one[0], step.row[1], step.row[2], step.row[3]] : step.row, step.checks);
      else if (one !== other && change(table, 'update', one, [one[0], 0, one[2], one[3]], step.checks)) {
        // The two exchange their secondary keys by way of NULL, as far as the source allows.
        change(table, 'update', other, [other[0], one[1], other[2], other[3]], step.checks);
        change(table, 'update', [one[0], 0, one[2], one[3]], [one[0], other[1], one[2], one[3]], step.checks);
      }
    }
    const at = position(String(number + 1).padStart(4, '0'));
    items.push({ kind: 'commit', position: at, committedAt: 1000 + number, transaction: `t${number}`, logBytes: 100 });
    states.set(at, source.state());
  });
  return { items, states, changes };
}

async function* inBatches(items: readonly LogItem[], size: number): AsyncGenerator<LogBatch> {
  for (let at = 0; at < items.length; at += size) yield { items: items.slice(at, at + size) };
}

async function cut(items: readonly LogItem[], facts: readonly ForeignKeyFact[], maxChanges: number, batch = 3): Promise<CutPiece[]> {
  const pieces: CutPiece[] = [];
  const options = {
    from: position('0000'),
    rowFormat: modelFormat,
    reached: (at: string, mark: string) => at >= mark,
    logFileOf: () => 'log',
    boundaries: [],
    maxChanges,
    maxBytes: 2 ** 20,
    foreignKeys: async () => facts,
  };
  for await (const piece of cutBodies(inBatches(items, batch), options)) if (!('withdraw' in piece)) pieces.push(piece);
  return pieces;
}

/** Applies pieces as a target does; null, or the first thing that isn't as on the source. */
function replay(schema: Schema, pieces: readonly CutPiece[], states: ReadonlyMap<string, string>, netFirst: boolean): string | null {
  const target = new ModelDatabase(schema);
  try {
    for (const { body, positionTo, train } of pieces) {
      if (body.kind === 'changes') target.apply(body, netFirst);
      if (train.last && target.state() !== states.get(positionTo)) return `differs at ${positionTo}`;
    }
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
  // Transactions at the end that changed nothing need no wagon.
  return target.state() === [...states.values()].at(-1) ? null : 'does not reach the end';
}

describe('wagons cut from a random history, applied', () => {
  it('give at each position the state the source had there, whatever the wagons sizes, in either order of their parts', async () => {
    let netted = 0;
    let ordered = 0;
    let saved = 0;
    let trains = 0;
    await fc.assert(
      fc.asyncProperty(schemas, histories, fc.integer({ min: 1, max: 40 }), fc.boolean(), async (schema, history, maxChanges, netFirst) => {
        const { items, states, changes } = run(schema, history);
        const pieces = await cut(items, factsOf(schema), maxChanges);
        expect(replay(schema, pieces, states, netFirst)).toBeNull();
        expect(pieces.reduce((sum, piece) => sum + piece.captured, 0)).toBe(changes);
        for (const { body, carried, captured, train } of pieces) {
          expect(carried).toBeLessThanOrEqual(captured + captured);
          if (body.kind === 'changes') {
            netted += body.net.length;
            ordered += body.ordered.length;
          }
          saved += captured - carried;
          if (train.index > 0) trains++;
        }
      }),
      { numRuns: 4000 },
    );
    // The property is about something: all of it occurred.
    for (const count of [netted, ordered, saved, trains]) expect(count).toBeGreaterThan(500);
  });

  it('are the same pieces whatever batches the log was read in', async () => {
    await fc.assert(
      fc.asyncProperty(schemas, histories, fc.integer({ min: 1, max: 40 }), async (schema, history, maxChanges) => {
        const { items } = run(schema, history);
        const untimed = (pieces: readonly CutPiece[]) => pieces.map((piece) => ({ ...piece, compactMilliseconds: 0 }));
        expect(untimed(await cut(items, factsOf(schema), maxChanges, 1))).toEqual(
          untimed(await cut(items, factsOf(schema), maxChanges, 1000)),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('would go wrong if the cascading foreign keys were not known, so the rules are needed', async () => {
    let wrong = 0;
    await fc.assert(
      fc.asyncProperty(schemas, histories, async (schema, history) => {
        const { items, states } = run(schema, history);
        if (replay(schema, await cut(items, [], 1000), states, false) !== null) wrong++;
      }),
      { numRuns: 1500 },
    );
    expect(wrong).toBeGreaterThan(10);
  });
});
