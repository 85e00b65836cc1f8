/**
 * A range plan inside a sealed wagon: a range body whose columns are the key's and whose rows are the boundaries, each value an
 * SQL literal. Pure.
 */
import { SrdfError } from '../../temporal/error-catalogue.js';
import { standaloneSequence } from '../bootstrap/wagon-sequence.js';
import type { RangePlan } from '../engines/engine.js';
import type { Sequence, TableName } from '../vocabulary.js';
import type { RangeBody } from '../wagon/body.js';
import { packRows, unpackRows } from '../wagon/range-values.js';

/** Above every number that a copy's wagon can have: which of the two a range in the inbox is, its address tells. */
const LAST_OF_COPIES = 2 ** 52;
export const planSequence = (compare: string, plan: string): Sequence =>
  (Number.MAX_SAFE_INTEGER - standaloneSequence('compare', compare, plan)) as Sequence;
export const isPlan = ({ sequence }: { readonly sequence: Sequence }): boolean => sequence > LAST_OF_COPIES;

export function planBody(table: TableName, plan: RangePlan): RangeBody {
  return {
    kind: 'range',
    database: table.database,
    table: table.table,
    columns: plan.keyColumns.map((name) => ({ name, encoding: 'bytes' as const })),
    values: packRows(plan.boundaries.map((boundary) => boundary.map((it) => Buffer.from(it, 'utf8')))),
    rows: plan.boundaries.length,
    asOf: null,
    part: 0,
    last: true,
  };
}

/** What a boundary may be: a number, a quoted time, a string of bytes with its character set and collation. Anything else isn't run as SQL. */
const LITERAL = /^(-?[0-9.]+(e[+-]?\d+)?|'[0-9 :.-]*'|_[a-z0-9]+ ?('[\x20-\x26\x28-\x5b\x5d-\x7e]*'|X'[0-9a-f]*')( COLLATE \w+)?)$/i;

/** Throws `wagon-malformed` for what isn't a plan. */
export function planOf(body: RangeBody): RangePlan {
  const boundaries = [...unpackRows(body)].map((row) => row.map((cell) => (cell === null ? '' : Buffer.from(cell).toString('utf8'))));
  if (boundaries.some((boundary) => boundary.some((it) => !LITERAL.test(it))))
    throw new SrdfError('wagon-malformed', {
      tried: 'reading the plan of a comparison',
      found: 'a boundary that is no SQL literal',
      action: 'Install the same version of SRDF on both sites',
    });
  return { keyColumns: body.columns.map((it) => it.name), boundaries };
}
