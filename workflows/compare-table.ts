/**
 * Compares one table range by range. A range that differs is looked at again, since rows may have been under way. One that never stands still is
 * ahead of what was read each time: whether it differs isn't known, and it isn't called so.
 */
import { setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import type { CompareRangeResult, Route } from '../activities/contracts.js';
import type { Epoch, TableName } from '../activities/vocabulary.js';
import { failWith, isRangeLost, passOn } from './bootstrap-failure.js';
import type { TableComparison } from './compare-result.js';
import { sourceBootstrap, targetBootstrap } from './proxies.js';

export interface CompareTableInput {
  readonly route: Route;
  readonly table: TableName;
  readonly epoch: Epoch;
  readonly settleMilliseconds: number;
}

const RANGES_AN_ACTIVITY = 8;
/** Looks at a range the stream has passed: under traffic the target may be ahead of what the source was read at. */
const LOOKS = 5;
const MOST_NAMED = 100;

interface Look {
  readonly unequal: readonly number[];
  /** The target had passed the point at which the source was read. */
  readonly passed: boolean;
  readonly rows: number;
  /** At the source, by range. */
  readonly read: ReadonlyMap<number, CompareRangeResult | undefined>;
}

export async function compareTable(input: CompareTableInput): Promise<TableComparison> {
  try {
    return await compare(input);
  } catch (error) {
    if (!isRangeLost(error)) throw passOn(error);
    throw failWith({
      code: 'sides-differ',
      tried: `comparing ${input.table.database}.${input.table.table}`,
      found: 'the table isn’t there on both sides with the same key, or its plan got lost',
      action: 'If the schema is being changed, compare again when that has ended; otherwise look at both definitions',
    });
  }
}

async function compare({ route, table, epoch, settleMilliseconds }: CompareTableInput): Promise<TableComparison> {
  const source = sourceBootstrap(route);
  const target = targetBootstrap(route);
  const { stream } = route;
  const name = `${table.database}.${table.table}`;
  const { plan, ranges, wagon } = await source.planCompare({ stream, table, compare: workflowInfo().runId, epoch });
  const differing = new Set<number>();
  const proven = new Set<number>();
  let rows = 0;
  let sameDefinition = true;
  let behind = false;
  const look = async (numbers: readonly number[]): Promise<Look> => {
    const summary = `${name}: ${numbers.length} of ${ranges} ranges from ${(numbers[0] ?? 0) + 1} on`;
    const here = await source.checksumSource.executeWithOptions({ summary }, [{ stream, table, plan, ranges: numbers }]);
    const there = await target.checksumTarget.executeWithOptions({ summary }, [
      { stream, table, plan, wagon, ranges: numbers, notBefore: here.position },
    ]);
    const unequal = numbers.filter((_, index) => !equal(here.ranges[index], there.ranges[index]));
    sameDefinition = numbers.every((_, index) => here.ranges[index]?.schema === there.ranges[index]?.schema);
    const read = new Map(numbers.map((range, index) => [range, here.ranges[index]]));
    return { unequal, passed: there.passed, rows: here.ranges.reduce((sum, it) => sum + it.rows, 0), read };
  };
  /** Looks at what `again` names until it is nothing, or until the stream has been given its time. */
  const settle = async (first: Look, again: (latest: Look) => readonly number[]): Promise<Look> => {
    const since = Date.now();
    let latest = first;
    for (let looks = 1; again(latest).length > 0 && looks < LOOKS; ) {
      if (!latest.passed && Date.now() - since > settleMilliseconds) {
        behind = true;
        break;
      }
      await sleep(Math.min(500 * 2 ** looks, 5_000), { summary: `${name}: until the stream has passed` });
      const before = latest;
      latest = await look(again(before));
      // What stood still at the source between two looks is what a target that had passed the first has to have.
      if (before.passed) for (const range of before.unequal) if (equal(before.read.get(range), latest.read.get(range))) proven.add(range);
      if (latest.passed) looks++;
    }
    return latest;
  };

  const batch = Math.max(RANGES_AN_ACTIVITY, Math.ceil(ranges / 200));
  for (let first = 0; first < ranges; first += batch) {
    const numbers = Array.from({ length: Math.min(batch, ranges - first) }, (_, index) => first + index);
    const counted = await look(numbers);
    rows += counted.rows;
    for (const range of (await settle(counted, (latest) => latest.unequal)).unequal) differing.add(range);
    setCurrentDetails(`${name}: ${Math.min(first + batch, ranges)} of ${ranges} ranges, ${rows} rows, ${differing.size} differ`);
  }
  // An ALTER TABLE may be on its way as rows are.
  if (!sameDefinition) await settle(await look([0]), () => (sameDefinition ? [] : [0]));
  await target.checksumTarget({ stream, table, plan, wagon, ranges: [], notBefore: wagon.positionTo, release: true });
  return {
    ...table,
    ranges,
    rows,
    differing: [...differing].slice(0, MOST_NAMED),
    differingRanges: differing.size,
    changingRanges: behind ? 0 : [...differing].filter((range) => !proven.has(range)).length,
    sameDefinition,
    behind,
  };
}

const equal = (here: CompareRangeResult | undefined, there: CompareRangeResult | undefined): boolean =>
  here !== undefined && here.rows === there?.rows && here.checksum === there.checksum;
