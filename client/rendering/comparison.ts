/** A comparison as an operator reads it. Touches nothing. */
import type { CompareProgress, CompareResult, TableComparison } from '../../workflows/compare-result.js';
import { isUntold } from '../comparison-facts.js';
import { count, duration, table } from './table.js';

/** One line. */
export function renderCompareProgress({ tables, rows, differing, current }: CompareProgress): string {
  const differ = differing.length === 0 ? '' : `; differ: ${differing.join(', ')}`;
  return `comparing: ${tables.done} of ${tables.total} tables, ${count(rows)} rows${differ}${current.length === 0 ? '' : `; now ${current.join(', ')}`}`;
}

export function renderComparison(stream: string, result: CompareResult): string {
  const rows = [
    ...result.tables.map((it) => [`${it.database}.${it.table}`, count(it.rows), verdict(it)]),
    ...result.onlyAtTarget.tables.map((it) => [
      `${it.database}.${it.table}`,
      '',
      `only at the target${notYet(result.onlyAtTarget.behind)}`,
    ]),
  ];
  return (
    `${table([{ title: 'table' }, { title: 'rows', align: 'right' }, { title: '' }], rows)}\n` +
    `${stream}: ${result.identical ? 'both sides are identical' : isUntold(result) ? 'no difference is known, and not all could be compared' : 'the sides differ'}, ${count(result.rows)} rows compared in ${duration(result.milliseconds)}\n` +
    'Not compared: views, routines, triggers, events, and the values of sequences.\n'
  );
}

const notYet = (behind: boolean): string => (behind ? ' (the stream has not passed that point yet)' : '');

function verdict(it: TableComparison): string {
  const differ = it.differingRanges - it.changingRanges;
  const found = [
    ...(it.sameDefinition ? [] : ['the definitions differ']),
    ...(differ === 0 ? [] : [`${differ} of ${it.ranges} ranges differ${notYet(it.behind)}`]),
    ...(it.changingRanges === 0 ? [] : [`${it.changingRanges} of ${it.ranges} ranges never stood still`]),
  ];
  return found.length === 0 ? 'identical' : found.join('; ');
}
