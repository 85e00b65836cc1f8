/** What a comparison has found out, and what it couldn't. Touches nothing. */
import type { CompareResult, TableComparison } from '../workflows/compare-result.js';

export const isSame = (it: TableComparison): boolean => it.differingRanges === 0 && it.sameDefinition;

/** Nothing is known to differ in it: where it did, the source had changed rows from each look to the next. */
export const isChanging = (it: TableComparison): boolean => !isSame(it) && it.sameDefinition && it.changingRanges === it.differingRanges;

/** Neither identical nor known to differ. */
export const isUntold = ({ identical, tables, onlyAtTarget }: CompareResult): boolean =>
  !identical && onlyAtTarget.tables.length === 0 && tables.every((it) => isSame(it) || isChanging(it));
