/**
 * Cut, ship, apply and confirm side by side: while one batch ships the next is cut, while one is applied the next ships.
 * Each stage handles its batches one after the other, in order. Behind the log, batches grow.
 *
 * A plan that follows the log never drains to go on as a new run, since what is committed meanwhile would wait for it: it begins nothing more,
 * waits for the activities that run, and leaves the rest where the next run looks for it. Cut wagons lie in the spool, arrived ones in the
 * inbox, and applied ones are told by the first cut as unconfirmed.
 */

import type { ActivityInterfaceFor } from '@temporalio/workflow';
import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type {
  CutFrom,
  CutInput,
  CutResult,
  FollowLog,
  Route,
  SourceActivities,
  TargetActivities,
  WagonRef,
} from '../activities/contracts.js';
import type { Position } from '../activities/vocabulary.js';
import { type CycleFailure, classify, type Phase, type Side } from './cycle-failure.js';
import type { CycleTally } from './cycle-tally.js';

export interface PipelinePlan {
  /** Already at the target: applied first. */
  readonly inbox: readonly WagonRef[];
  /** Where the first cut goes on: after the ledger and the inbox. */
  readonly after: CutFrom;
  readonly boundaries: readonly Position[];
  readonly cut: boolean;
  readonly ship: boolean;
  readonly apply: boolean;
  readonly spoolOnly: boolean;
  readonly wagonsPerActivity: number;
  readonly mayContinue: () => boolean;
  /** Stay on the log for as long as `mayContinue` says, then hand over. */
  readonly follow?: FollowLog;
}

/** Batches that may be cut and not yet applied: enough to keep every stage busy. */
const WINDOW = 3;
const FIRST_BATCH = 2;

export class CyclePipeline {
  private failure: CycleFailure | null = null;
  /** What isn't an activity's failure: a cancellation from outside, or a bug. */
  private crash: unknown = null;
  /** Each stage's last batch: whether it went through. A batch follows only where the one before it went through. */
  private shipTail: Promise<boolean> = Promise.resolve(true);
  private applyTail: Promise<boolean> = Promise.resolve(true);
  private confirmTail: Promise<boolean> = Promise.resolve(true);
  private readonly appliedBatches: Promise<boolean>[] = [];
  /** Wagons whose receipts are yet to be verified, by sequence. */
  private readonly awaiting = new Map<number, WagonRef>();
  /** Cutting and shipping: cancelled once there is no use in it. What has arrived is applied and confirmed all the same. */
  private readonly upstream = new CancellationScope();
  /** A cut that follows the log: the only thing that is waited for without end, so the only thing that `finish` breaks off. */
  private readonly following = new CancellationScope();
  private finishing = false;
  private handingOver = false;

  constructor(
    private readonly route: Route,
    private readonly source: ActivityInterfaceFor<SourceActivities>,
    private readonly target: ActivityInterfaceFor<TargetActivities>,
    private readonly tally: CycleTally,
    private readonly dryRun: boolean,
  ) {}

  /** null: the plan was carried out. */
  async run(plan: PipelinePlan): Promise<CycleFailure | null> {
    if (plan.inbox.length > 0) this.push(plan.inbox, false, plan.apply);
    if (plan.cut) await this.guard('cut', 'source', () => this.upstream.run(() => this.cutAll(plan)));
    const [, , confirmed] = await Promise.all([this.shipTail, this.applyTail, this.confirmTail]);
    if (confirmed && !this.handingOver) await this.confirmApplied();
    if (this.crash !== null) throw this.crash;
    return this.failure;
  }

  /** What was cut may not be shipped, applied or confirmed yet: a next run has to see to it. */
  get handedOver(): boolean {
    return this.handingOver;
  }

  /** Nothing more is cut. What was cut is shipped, applied and confirmed; `run` then ends as ever. */
  finish(): void {
    this.finishing = true;
    this.following.cancel();
  }

  /** null: told to finish. What the broken-off cut has laid into the spool, the next cycle finds there. */
  private async cut(input: CutInput): Promise<CutResult | null> {
    const options = { summary: `after ${input.after.sequence}, at most ${input.maxWagons} wagons` };
    const ask = () => this.source.cutWagons.executeWithOptions(options, [input]);
    if (input.follow === undefined) return await ask();
    try {
      return await this.following.run(ask);
    } catch (error) {
      if (this.finishing && isCancellation(error) && !this.stopped) return null;
      throw error;
    }
  }

  private async cutAll(plan: PipelinePlan): Promise<void> {
    let after = plan.after;
    let first = true;
    let behind = false;
    let maxWagons = Math.min(FIRST_BATCH, plan.wagonsPerActivity);
    while (!this.stopped && !this.finishing) {
      const askedAt = Date.now();
      const result = await this.cut({
        stream: this.route.stream,
        after,
        maxWagons,
        boundaries: plan.boundaries,
        ...(behind ? { behind } : {}),
        ...(plan.inbox.some((wagon) => wagon.kind === 'ddl') ? { schemaInFlight: true } : {}),
        ...(this.dryRun ? { dryRun: true } : {}),
        ...(plan.spoolOnly ? { spoolOnly: true } : {}),
        // The first one tells at once what a run before this one has left unconfirmed.
        ...(plan.follow === undefined || first ? {} : { follow: plan.follow }),
      });
      if (result === null) return;
      this.tally.cut(result, askedAt);
      // Not with the first one: each run carries something on, however long its cut has taken.
      if (plan.follow !== undefined && !first && !plan.mayContinue()) {
        this.handingOver = true;
        return;
      }
      // Left behind by a crash or by the run that handed over: the target looks whether their receipts are there, and gives them again if not.
      const forgotten = !first
        ? []
        : result.unconfirmed.filter(
            (wagon) => !this.awaiting.has(wagon.sequence) && !plan.inbox.some((it) => it.sequence === wagon.sequence),
          );
      if (forgotten.length > 0 && !this.dryRun) this.push(forgotten, false, plan.apply);
      first = false;
      if (result.wagons.length > 0 && plan.ship && !this.dryRun) this.push(result.wagons, true, plan.apply);
      after = result.next;
      const atEnd = result.caughtUp || result.wagons.length === 0;
      if ((atEnd && plan.follow === undefined) || this.dryRun || !plan.mayContinue()) return;
      await this.appliedBatches.at(-WINDOW);
      behind = !atEnd;
      maxWagons = Math.min(behind ? maxWagons * 2 : FIRST_BATCH, plan.wagonsPerActivity);
    }
  }

  private get stopped(): boolean {
    return this.failure !== null || this.crash !== null;
  }

  private push(wagons: readonly WagonRef[], ship: boolean, apply: boolean): void {
    const before = this.shipTail;
    const begins = (ok: boolean): boolean => ok && !this.handingOver;
    const shipped = ship
      ? before.then(async (ok) => begins(ok) && (await this.guard('ship', 'source', () => this.upstream.run(() => this.ship(wagons)))))
      : before;
    this.shipTail = shipped;
    if (!apply) return;
    const applied = Promise.all([this.applyTail, shipped]).then(
      async ([ok, arrived]) => begins(ok && arrived) && (await this.guard('apply', 'target', () => this.apply(wagons))),
    );
    this.applyTail = applied;
    this.appliedBatches.push(applied);
    this.confirmTail = Promise.all([this.confirmTail, applied]).then(async ([ok]) => begins(ok) && (await this.confirmApplied()));
  }

  private async ship(wagons: readonly WagonRef[]): Promise<void> {
    const result = await this.source.shipWagons.executeWithOptions({ summary: named(wagons) }, [{ stream: this.route.stream, wagons }]);
    this.tally.shipped(result);
  }

  private async apply(wagons: readonly WagonRef[]): Promise<void> {
    for (const wagon of wagons) this.awaiting.set(wagon.sequence, wagon);
    const complete = wagons.findLast((wagon) => wagon.train.last);
    let rest = wagons;
    // The activity stops in front of a wagon it can't apply and returns what it has done; the next call then meets it alone.
    do {
      const result = await this.target.applyWagons.executeWithOptions({ summary: named(rest) }, [
        { stream: this.route.stream, wagons: rest, ...(this.dryRun ? { dryRun: true } : {}) },
      ]);
      this.tally.applied(result);
      if (this.dryRun) return;
      const { sequence } = result.ledger;
      rest = rest.filter((wagon) => wagon.sequence > sequence);
    } while (complete !== undefined && rest.includes(complete));
  }

  private async confirmApplied(): Promise<boolean> {
    const ledger = this.tally.standing;
    if (ledger === null || this.dryRun) return true;
    const due = [...this.awaiting.values()]
      .filter((wagon) => wagon.epoch === ledger.epoch && wagon.sequence <= ledger.sequence)
      .sort((a, b) => a.sequence - b.sequence);
    if (due.length === 0) return true;
    for (const wagon of due) this.awaiting.delete(wagon.sequence);
    return await this.guard('confirm', 'source', async () => {
      this.tally.confirmed(
        await this.source.confirmWagons.executeWithOptions({ summary: named(due) }, [{ stream: this.route.stream, wagons: due }]),
      );
    });
  }

  /** Whether the work went through. Keeps the first failure, and ends cutting and shipping with it. */
  private async guard(phase: Phase, side: Side, work: () => Promise<void>): Promise<boolean> {
    if (this.crash !== null) return false;
    try {
      await work();
      return true;
    } catch (error) {
      // A cancellation after a failure is our own, and the failure says why. Any other one ends the whole run.
      if (isCancellation(error)) {
        if (!this.stopped) this.crash = error;
        return false;
      }
      try {
        this.failure ??= classify(error, phase, side, side === 'source' ? this.route.source : this.route.target);
      } catch (bug) {
        this.crash ??= bug;
      }
      if (phase !== 'cut') this.upstream.cancel();
      return false;
    }
  }
}

const named = (wagons: readonly WagonRef[]): string => {
  const first = wagons[0]?.sequence ?? 0;
  const last = wagons.at(-1)?.sequence ?? 0;
  const bytes = wagons.reduce((sum, wagon) => sum + wagon.bytes, 0);
  return `${first === last ? `wagon ${first}` : `wagons ${first}–${last}`}, ${bytes} bytes`;
};
