/**
 * Names of workflows and schedules: one pair and stream gives one id, so that Temporal itself keeps them single. A dot and
 * a slash stand in no name of pair or stream, so that no two of them ever give one id. Pure.
 */
import type { Route } from '../activities/contracts.js';
import type { BootstrapId } from '../activities/vocabulary.js';

type Named = Pick<Route, 'pair' | 'stream'>;

export const cycleScheduleId = (route: Named): string => `srdf-cycle-${route.pair}.${route.stream}`;
/** The workflow a schedule starts; Temporal appends the time of the tick. */
export const cycleWorkflowId = (route: Named): string => `srdf-cycle-${route.pair}.${route.stream}`;
export const streamWorkflowId = (route: Named): string => `srdf-stream-${route.pair}.${route.stream}`;
export const deadLetterWorkflowId = (route: Named): string => `srdf-dead-letter-${route.pair}.${route.stream}`;
export const bootstrapWorkflowId = (route: Named): string => `srdf-bootstrap-${route.pair}.${route.stream}`;
export const bootstrapTableWorkflowId = (route: Named, bootstrap: BootstrapId, database: string, table: string): string =>
  `srdf-bootstrap-${route.pair}.${route.stream}/${bootstrap}/${encodeURIComponent(database)}/${encodeURIComponent(table)}`;
export const compareWorkflowId = (route: Named): string => `srdf-compare-${route.pair}.${route.stream}`;
