/** What the cycles of a run tell, added up. Pure. */
import type { CycleResult } from '../workflows/cycle-result.js';

export interface Measures {
  readonly cycles: number;
  readonly wagons: CycleResult['counts']['wagons'];
  readonly transactions: { readonly captured: number; readonly confirmed: number };
  /** Row changes as the source made them (captured, confirmed), and those left to apply after compaction (carried, applied). */
  readonly changes: {
    readonly captured: number;
    readonly carried: number;
    readonly applied: number;
    readonly confirmed: number;
    readonly confirmedCarried: number;
  };
  readonly bytes: { readonly log: number; readonly raw: number; readonly wire: number };
  readonly lagSeconds: { readonly p50: number; readonly p99: number } | null;
  /** Milliseconds by phase, all cycles together. */
  readonly phases: CycleResult['milliseconds'];
}

export function measure(results: readonly CycleResult[]): Measures {
  const sum = (pick: (result: CycleResult) => number): number => results.reduce((total, it) => total + pick(it), 0);
  const lags = results.flatMap((it) => it.lagMilliseconds).sort((a, b) => a - b);
  return {
    cycles: results.length,
    wagons: {
      captured: sum((it) => it.counts.wagons.captured),
      received: sum((it) => it.counts.wagons.received),
      applied: sum((it) => it.counts.wagons.applied),
      confirmed: sum((it) => it.counts.wagons.confirmed),
    },
    transactions: { captured: sum((it) => it.counts.transactions), confirmed: sum((it) => it.counts.confirmed.transactions) },
    changes: {
      captured: sum((it) => it.counts.captured),
      carried: sum((it) => it.counts.carried),
      applied: sum((it) => it.counts.applied),
      confirmed: sum((it) => it.counts.confirmed.captured),
      confirmedCarried: sum((it) => it.counts.confirmed.carried),
    },
    bytes: { log: sum((it) => it.bytes.log), raw: sum((it) => it.bytes.raw), wire: sum((it) => it.bytes.wire) },
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
