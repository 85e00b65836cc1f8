/** Net changes of a table that was copied while they happened: a row may be in the copy as it was before any of them. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { imageAt } from '../../activities/engines/row-images.js';
import { NetTable } from '../../activities/wagon/net-table.js';
import { modelFormat, type Row, rowImages, shapesOf } from './compaction-model.js';

const KEYS = [1, 2, 3, 4] as const;
const value = fc.integer({ min: 0, max: 2 });
const step = fc.record({
  key: fc.constantFrom(...KEYS),
  to: fc.constantFrom(...KEYS),
  value,
  kind: fc.constantFrom('put', 'move', 'delete'),
});
type Table = ReadonlyMap<number, number>;

const row = (key: number, of: number): Row => [key, of, 0, 0];

/** Carries out the steps at the source. Returns its state after each, and the net of all. */
function history(start: Table, steps: readonly { key: number; to: number; value: number; kind: string }[]) {
  const [shape] = shapesOf([{ keyed: true, uniqueSecond: false, reference: null }]);
  if (shape === undefined) throw new Error('no table');
  const runs: { operation: 'insert' | 'update' | 'delete'; rows: ReturnType<typeof rowImages> }[] = [];
  const states: Table[] = [start];
  for (const { key, to, value: of, kind } of steps) {
    const state = new Map(states.at(-1));
    const before = state.get(key);
    if (kind === 'delete' && before !== undefined) {
      runs.push({ operation: 'delete', rows: rowImages(row(key, before)) });
      state.delete(key);
    } else if (kind === 'put' && before === undefined) {
      runs.push({ operation: 'insert', rows: rowImages(row(key, of)) });
      state.set(key, of);
    } else if (before !== undefined && kind !== 'delete' && (kind === 'put' || to === key || !state.has(to))) {
      const after = kind === 'put' ? key : to;
      runs.push({ operation: 'update', rows: rowImages(row(key, before), row(after, of)) });
      state.delete(key);
      state.set(after, of);
    }
    states.push(state);
  }
  const net = new NetTable(
    modelFormat.open(shape),
    runs.map((it) => it.rows.bytes),
    'any',
  );
  for (const [index, { operation, rows }] of runs.entries()) expect(net.add(index, operation, rows)).toBe(true);
  return { states, net: net.changes(0) };
}

it('bring every row to its last state, whichever of its states was copied', () => {
  let cameAndWent = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...KEYS), value), { maxLength: 4 }),
      fc.array(step, { maxLength: 12 }),
      fc.array(fc.nat(), { minLength: KEYS.length, maxLength: KEYS.length }),
      (start, steps, moments) => {
        const { states, net } = history(new Map(start), steps);
        const copied = new Map<number, number>();
        for (const [index, key] of KEYS.entries()) {
          const of = states[(moments[index] ?? 0) % states.length]?.get(key);
          if (of !== undefined) copied.set(key, of);
        }
        const images = (rows: typeof net.deletes, image: number) => imageAt(rows, image);
        for (let image = 0; image < net.deletes.images; image++) copied.delete(images(net.deletes, image)[0] ?? 0);
        for (let image = 1; image < net.updates.images; image += 2) {
          const [key = 0, of = 0] = images(net.updates, image);
          copied.set(key, of);
        }
        for (let image = 0; image < net.inserts.images; image++) {
          const [key = 0, of = 0] = images(net.inserts, image);
          copied.set(key, of);
        }
        const last = states.at(-1) ?? new Map();
        expect([...copied].sort()).toEqual([...last].sort());
        if (KEYS.some((key) => !states[0]?.has(key) && !last.has(key) && states.some((it) => it.has(key)))) cameAndWent++;
      },
    ),
    { numRuns: 2_000 },
  );
  expect(cameAndWent).toBeGreaterThan(100);
});
