/** How a bootstrap or a comparison ends that can't go on: with the catalogue's facts. Pure. */
import { ApplicationFailure } from '@temporalio/common';
import type { ErrorReport } from '../activities/contracts.js';
import type { Preflight } from '../activities/engines/engine.js';
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

/** A preflight's errors as one report, each with what mends it; null when there are none. */
export function refusal(side: 'source' | 'target', preflight: Preflight): ErrorReport | null {
  const errors = preflight.findings.filter((it) => it.severity === 'error');
  if (errors.length === 0) return null;
  const same = errors.some((it) => it.check === 'same-server');
  const notEmpty = errors.every((it) => it.check.includes('empty'));
  return {
    code: same ? 'same-server' : side === 'source' ? 'source-preflight' : notEmpty ? 'target-not-empty' : 'target-preflight',
    tried: `checking the ${side} before the first copy`,
    found: errors.map((it) => it.found).join('; '),
    action: errors.map((it) => it.fix).join('; '),
  };
}

export const unsettled = (found: string): Error =>
  failWith({
    code: 'bootstrap-unsettled',
    tried: 'copying what changed while it was copied',
    found,
    action: 'Pause schema changes on the source while srdf establish runs',
  });
