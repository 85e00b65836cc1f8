/** How a bootstrap or a comparison ends that can't go on: with the catalogue's facts. Pure. */
import { ApplicationFailure } from '@temporalio/common';
import type { ErrorReport } from '../activities/contracts.js';
import { reportOf } from './cycle-failure.js';

/** The run fails with this: its type is the catalogue's code, its details are the report. */
export const failWith = (report: ErrorReport): ApplicationFailure =>
  ApplicationFailure.create({
    type: report.code,
    message: `${report.tried}: ${report.found}. ${report.action}`,
    nonRetryable: true,
    details: [report],
  });

/** A failure of an activity or a child as the run's own; anything else as it is. */
export function passOn(error: unknown): unknown {
  const report = reportOf(error);
  return report === null ? error : failWith(report);
}

/** What was copied doesn't fit together (any more): the table is begun anew. */
export const isRangeLost = (error: unknown): boolean => reportOf(error)?.code === 'bootstrap-range-lost';
