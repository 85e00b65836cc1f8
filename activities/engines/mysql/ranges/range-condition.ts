/** The WHERE of one range of a plan, written so that the primary key's index is used. Pure. */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { RangePlan } from '../../engine.js';

/** Rows behind the boundary: `(a, b) > (x, y)` in the expanded form, which both servers turn into index ranges (row constructors they don't). */
export function after(keys: readonly string[], boundary: readonly string[]): string {
  return expand(keys, boundary, '>', '>');
}
/** Rows up to the boundary, it included. */
function upTo(keys: readonly string[], boundary: readonly string[]): string {
  return expand(keys, boundary, '<', '<=');
}
function expand(keys: readonly string[], boundary: readonly string[], strict: string, last: string): string {
  const [key, ...others] = keys;
  const [value, ...rest] = boundary;
  if (key === undefined || value === undefined || others.length !== rest.length)
    throw new Error('a boundary has as many values as the key has columns');
  if (others.length === 0) return `${key} ${last} ${value}`;
  return `(${key} ${strict}= ${value} AND (${key} ${strict} ${value} OR (${key} = ${value} AND ${expand(others, rest, strict, last)})))`;
}

const rangeCount = (plan: RangePlan): number => plan.boundaries.length + 1;

/** `keys`: what to compare by, for each of `plan.keyColumns`. n boundaries make n + 1 ranges: (-∞, b0], (b0, b1], … (b(n-1), +∞). */
export function rangeCondition(keys: readonly string[], plan: RangePlan, range: number): string {
  if (!Number.isInteger(range) || range < 0 || range >= rangeCount(plan))
    throw new SrdfError('bootstrap-range-lost', {
      tried: `reading range ${range} of a plan`,
      found: `the plan has ${rangeCount(plan)} ranges`,
      action: 'The table is planned anew',
    });
  const low = plan.boundaries[range - 1];
  const high = plan.boundaries[range];
  if (low === undefined) return high === undefined ? 'TRUE' : upTo(keys, high);
  if (high === undefined) return after(keys, low);
  // Columns on which both boundaries agree are equalities: without them every range of one tenant would scan the whole tenant.
  let shared = 0;
  while (shared < keys.length - 1 && low[shared] === high[shared]) shared++;
  const equal = keys.slice(0, shared).map((key, index) => `${key} = ${low[index]}`);
  const rest = keys.slice(shared);
  return [...equal, after(rest, low.slice(shared)), upTo(rest, high.slice(shared))].join(' AND ');
}
