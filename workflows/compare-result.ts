/** What a comparison is told, shows and returns. Types and pure rendering. */
import type { Route } from '../activities/contracts.js';
import type { TableName } from '../activities/vocabulary.js';

export interface CompareInput {
  readonly route: Route;
  /** Default: every table of the stream. */
  readonly tables?: readonly TableName[];
  /** How long a range that differs is looked at again while the stream hasn't passed the point at which it was read, ms; default 2 minutes. */
  readonly settleMilliseconds?: number;
}

export interface TableComparison extends TableName {
  readonly ranges: number;
  /** As the source counted them. */
  readonly rows: number;
  /** Numbers of the ranges that differ, however often they were looked at; at most 100. */
  readonly differing: readonly number[];
  readonly differingRanges: number;
  /** Of those, ranges in which the source had changed rows from each look to the next: whether the sides differ there can't be told. */
  readonly changingRanges: number;
  /** The definitions are equal. */
  readonly sameDefinition: boolean;
  /** The stream didn't pass the point at which the source was read: what differs may be on its way still. */
  readonly behind: boolean;
}
/** Tables of the stream that the source doesn't have. */
export interface OnlyAtTarget {
  readonly tables: readonly TableName[];
  /** As of a table's ranges: the source may have dropped them a moment ago. */
  readonly behind: boolean;
}
export interface CompareResult {
  readonly identical: boolean;
  readonly tables: readonly TableComparison[];
  /** None is looked for where the tables to compare were named. */
  readonly onlyAtTarget: OnlyAtTarget;
  readonly rows: number;
  readonly milliseconds: number;
}
export interface CompareProgress {
  readonly tables: { readonly done: number; readonly total: number };
  readonly rows: number;
  readonly differing: readonly string[];
  readonly current: readonly string[];
}

/** Markdown for the Temporal UI. */
export function compareDetails(progress: CompareProgress): string {
  const lines = [`**${progress.tables.done} of ${progress.tables.total} tables** compared, ${progress.rows} rows`];
  if (progress.differing.length > 0) lines.push('', `**differ:** ${progress.differing.map((it) => `\`${it}\``).join(', ')}`);
  if (progress.current.length > 0) lines.push('', `now: ${progress.current.map((it) => `\`${it}\``).join(', ')}`);
  return lines.join('\n');
}
