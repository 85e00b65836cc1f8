/** What the cycles of a run tell, added up. Pure. */
import type { CycleResult } from '../workflows/cycle-result.js';

export interface Measures {
  readonly cycles: number;
  readonly lagSeconds: { readonly p50: number; readonly p99: number } | null;
  /** Milliseconds by phase, all cycles together. What a killed worker was doing is missing: it died with it. */
  readonly phases: CycleResult['milliseconds'];
}

export function measure(results: readonly CycleResult[]): Measures {
  const sum = (pick: (result: CycleResult) => number): number => results.reduce((total, it) => total + pick(it), 0);
  const lags = results.flatMap((it) => it.lagMilliseconds).sort((a, b) => a - b);
  return {
    cycles: results.length,
    lagSeconds: lags.length === 0 ? null : { p50: quantile(lags, 0.5) / 1_000, p99: quantile(lags, 0.99) / 1_000 },
    phases: {
      total: sum((it) => it.milliseconds.total),
      read: sum((it) => it.milliseconds.read),
      compact: sum((it) => it.milliseconds.compact),
      seal: sum((it) => it.milliseconds.seal),
      ship: sum((it) => it.milliseconds.ship),
      open: sum((it) => it.milliseconds.open),
      apply: sum((it) => it.milliseconds.apply),
      confirm: sum((it) => it.milliseconds.confirm),
    },
  };
}

/** Nearest rank of a sorted list: a value that really occurred. */
const quantile = (sorted: readonly number[], part: number): number => sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? 0;
