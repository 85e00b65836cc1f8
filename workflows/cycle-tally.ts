/** Adds up what the phases of a cycle report. Pure. */
import type {
  ApplyOutcome,
  ConfirmResult,
  CutResult,
  DeadLetterReport,
  ErrorReport,
  LedgerView,
  ShipResult,
} from '../activities/contracts.js';
import type { CycleOutcome, CycleResult } from './cycle-result.js';

const LAGS_KEPT = 200;

export class CycleTally {
  private from: LedgerView | null = null;
  private ledger: LedgerView | null = null;
  private caughtUp = false;
  /** When the log was looked at to its end, and the wagon up to which that holds. */
  private ends: { readonly sequence: number; readonly at: number }[] = [];
  private readonly counts = { transactions: 0, captured: 0, carried: 0, applied: 0 };
  private readonly rows = { inserted: 0, updated: 0, deleted: 0 };
  readonly wagons = { captured: 0, received: 0, applied: 0, confirmed: 0 };
  private discarded = 0;
  private readonly contents = { transactions: 0, captured: 0, carried: 0, logBytes: 0 };
  private readonly bytes = { log: 0, raw: 0, wire: 0, sent: 0 };
  private readonly milliseconds = { read: 0, compact: 0, seal: 0, ship: 0, open: 0, apply: 0, confirm: 0 };
  private lags: number[] = [];

  constructor(private readonly startedAt: number) {}

  began(ledger: LedgerView): void {
    this.from = ledger;
    this.ledger = ledger;
  }
  /** `askedAt`: when the log was asked; what was committed later needn't be in it. */
  cut(result: CutResult, askedAt: number): void {
    this.caughtUp = result.caughtUp;
    if (result.caughtUp) this.ends.push({ sequence: result.next.sequence, at: askedAt });
    this.counts.transactions += result.transactions;
    this.counts.captured += result.changes.captured;
    this.counts.carried += result.changes.carried;
    this.wagons.captured += result.fresh;
    this.bytes.log += result.bytes.log;
    this.bytes.raw += result.bytes.raw;
    this.bytes.wire += result.bytes.wire;
    this.milliseconds.read += result.milliseconds.read;
    this.milliseconds.compact += result.milliseconds.compact;
    this.milliseconds.seal += result.milliseconds.seal;
  }
  shipped(result: ShipResult): void {
    this.wagons.received += result.received.length;
    this.bytes.sent += result.bytesSent;
    this.milliseconds.ship += result.milliseconds;
  }
  applied(result: ApplyOutcome): void {
    this.ledger = result.ledger;
    this.wagons.applied += result.applied.length;
    this.counts.applied += result.changes;
    this.rows.inserted += result.rows.inserted;
    this.rows.updated += result.rows.updated;
    this.rows.deleted += result.rows.deleted;
    this.milliseconds.open += result.milliseconds.open;
    this.milliseconds.apply += result.milliseconds.apply;
  }
  confirmed(result: ConfirmResult): void {
    this.wagons.confirmed += result.confirmed.length;
    this.discarded += result.discarded?.length ?? 0;
    this.contents.transactions += result.contents.transactions;
    this.contents.captured += result.contents.captured;
    this.contents.carried += result.contents.carried;
    this.contents.logBytes += result.contents.logBytes;
    this.milliseconds.confirm += result.milliseconds;
    this.lags = [...this.lags, ...result.lagMilliseconds].slice(-LAGS_KEPT);
  }

  /** Everything committed before this moment is applied, ms since 1970; null when this run can't tell. */
  appliedThrough(): number | null {
    const standing = this.ledger?.sequence ?? -1;
    const reached = this.ends.filter((end) => end.sequence <= standing);
    this.ends = [...reached.slice(-1), ...this.ends.filter((end) => end.sequence > standing)];
    return reached.at(-1)?.at ?? null;
  }
  /** The newest confirmed wagon's lag in whole seconds; null when none was confirmed. */
  lagSeconds(): number | null {
    const last = this.lags.at(-1);
    return last === undefined ? null : Math.round(last / 1_000);
  }
  /** The newest ledger this run knows. */
  get standing(): LedgerView | null {
    return this.ledger;
  }
  /** Whether anything moved: a run that only looked is idle. */
  moved(): boolean {
    return this.wagons.captured + this.wagons.received + this.wagons.applied + this.wagons.confirmed + this.discarded > 0;
  }
  result(
    outcome: CycleOutcome,
    now: number,
    why: { readonly error?: ErrorReport; readonly deadLetter?: DeadLetterReport } = {},
  ): CycleResult {
    return {
      outcome,
      positions: { from: this.from?.position ?? null, to: this.ledger?.position ?? null },
      ledger: this.ledger,
      counts: {
        ...this.counts,
        rows: this.rows,
        confirmed: this.contents,
        wagons: { ...this.wagons, ...(this.discarded > 0 && { discarded: this.discarded }) },
      },
      bytes: this.bytes,
      lagMilliseconds: this.lags,
      milliseconds: { total: now - this.startedAt, ...this.milliseconds },
      caughtUp: this.caughtUp,
      error: why.error ?? null,
      deadLetter: why.deadLetter ?? null,
    };
  }
}
