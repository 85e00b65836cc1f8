/** One run from the ledger to confirmed wagons. Started by the stream's schedule; never more than one at a time. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import type { CutFrom, DeadLetterReport, FollowLog, LedgerResult, Route, WagonRef } from '../activities/contracts.js';
import { deadLetterWorkflowId } from '../temporal/ids.js';
import { EPOCH, LAG_SECONDS, OUTCOME, workAbout } from '../temporal/search-attributes.js';
import { cycleDetails } from './cycle-details.js';
import { type CycleFailure, classify } from './cycle-failure.js';
import { recordCycle } from './cycle-metrics.js';
import { CyclePipeline } from './cycle-pipeline.js';
import type { CycleInput, CycleLimits, CycleProgress, CycleResult } from './cycle-result.js';
import { cycleProgressQuery, finishCycleSignal } from './cycle-signals.js';
import { CycleTally } from './cycle-tally.js';
import { type deadLetter, presentDeadLetterSignal } from './dead-letter.js';
import { sourceCycle, targetCycle, targetLocal } from './proxies.js';

/**
 * What is committed while one run hands over to the next waits a little longer: a run ends as seldom as a replay of its history in a few
 * seconds allows, behind the server's suggestion of 4,096 events and far from its limit of 51,200.
 */
const CONTINUOUS_EVENTS = 12_000;
const DEFAULT_LIMITS: CycleLimits = { wagonsPerActivity: 2, historyEvents: 2_000, patienceMilliseconds: 60_000 };
/** Without a commit a cut returns after 20 s, so that a stream at rest leaves six events in 20 s; the linger is what a commit waits for others. */
const CONTINUOUS: FollowLog = { waitMilliseconds: 20_000, lingerMilliseconds: 100 };
/** Then it goes on as a new run, which asks the ledger and the stream's mode again. */
const CONTINUOUS_RUN_MILLISECONDS = 300_000;

/**
 * Shape: ledger (local activity) → what the inbox holds is applied → cut, ship, apply, confirm side by side until the log's end.
 * Every trouble of a site or a wagon ends in a typed outcome; the run itself fails for bugs alone. An idle run costs 12 history events.
 * A continuous one doesn't end at the log's end but waits there, and goes on as a new run; whatever ends it, the schedule starts the next.
 */
export async function replicationCycle(input: CycleInput): Promise<CycleResult> {
  const continuous = input.continuous === true;
  const limits = { ...DEFAULT_LIMITS, ...(continuous && { historyEvents: CONTINUOUS_EVENTS }), ...input.limits };
  const tally = new CycleTally(Date.now());
  const { route } = input;
  const began = Date.now();
  let finishing = false;
  let pipeline: CyclePipeline | null = null;
  let modeChanged = false;
  const progress = (): CycleProgress => ({
    continuous,
    result: tally.result(tally.moved() ? 'replicated' : 'idle', Date.now()),
    appliedThrough: tally.appliedThrough() ?? input.appliedThrough ?? null,
  });
  setHandler(cycleProgressQuery, progress);
  setHandler(finishCycleSignal, (request) => {
    if (!continuous && request?.rest !== true) return;
    modeChanged ||= request?.rest === true;
    finishing = true;
    pipeline?.finish();
  });

  let start: LedgerResult;
  try {
    // Put to rest while it asked: the answer may be of the time before.
    do {
      modeChanged = false;
      start = await targetLocal.readLedger({ stream: route.stream });
    } while (modeChanged);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return finish(route, tally, fail(classify(error, 'ledger', 'target', route.target), tally));
  }
  tally.began(start.ledger);
  const { phase, position } = start.ledger;
  if (phase === 'absent' || phase === 'loading' || position === null)
    return finish(route, tally, tally.result('not-established', Date.now()));
  if (start.mode === 'suspended') return finish(route, tally, tally.result('suspended', Date.now()));
  if (start.halted !== undefined) return finish(route, tally, tally.result('halted', Date.now(), { error: start.halted }));
  if (start.deadLetter !== null) {
    await openDeadLetter(route, start.deadLetter);
    const { deadLetter: dead } = start;
    return finish(route, tally, tally.result('dead-lettered', Date.now(), { error: dead.error, deadLetter: dead }));
  }

  pipeline = new CyclePipeline(
    route,
    sourceCycle(route, limits.patienceMilliseconds),
    targetCycle(route, limits.patienceMilliseconds),
    tally,
    input.dryRun ?? false,
  );
  const inbox = input.only === undefined || input.only === 'apply' ? start.inbox : [];
  const failure = await pipeline.run({
    inbox,
    after: follow({ epoch: start.ledger.epoch, sequence: start.ledger.sequence, wagonHash: start.ledger.wagonHash, position }, inbox),
    boundaries: start.boundaries,
    cut: input.only !== 'apply' && start.mode === 'active',
    ship: input.only !== 'capture' && input.only !== 'apply',
    apply: input.only === undefined || input.only === 'apply',
    spoolOnly: input.only === 'ship',
    wagonsPerActivity: limits.wagonsPerActivity,
    mayContinue: () =>
      workflowInfo().historyLength < limits.historyEvents &&
      (continuous ? Date.now() - began < CONTINUOUS_RUN_MILLISECONDS : !workflowInfo().continueAsNewSuggested),
    ...(continuous && !finishing ? { follow: CONTINUOUS } : {}),
  });
  if (failure === null && continuous && start.mode === 'active' && (pipeline.handedOver || !finishing)) {
    const { appliedThrough, result } = progress();
    finish(route, tally, result);
    // Told to finish while it handed over: the next run carries on what is left, to the end of the log, and ends there.
    return await continueAsNew<typeof replicationCycle>({ ...input, continuous: !finishing, appliedThrough });
  }
  if (failure === null) return finish(route, tally, tally.result(tally.moved() ? 'replicated' : 'idle', Date.now()));
  if (failure.outcome !== 'dead-lettered') return finish(route, tally, fail(failure, tally));

  // The activity has written the dead letter to the target's disk before it failed: read it back, the one truth about it.
  const { deadLetter: dead } = await targetLocal.readLedger({ stream: route.stream });
  if (dead === null) return finish(route, tally, fail({ ...failure, outcome: 'halted' }, tally));
  await openDeadLetter(route, dead);
  return finish(route, tally, tally.result('dead-lettered', Date.now(), { error: dead.error, deadLetter: dead }));
}

const fail = (failure: CycleFailure, tally: CycleTally): CycleResult => tally.result(failure.outcome, Date.now(), { error: failure.error });

function follow(ledger: CutFrom, inbox: readonly WagonRef[]): CutFrom {
  const last = inbox.at(-1);
  return last === undefined ? ledger : { epoch: last.epoch, sequence: last.sequence, wagonHash: last.hash, position: last.positionTo };
}

/** An idle run leaves the search attributes alone: they would be its thirteenth event. */
function finish(route: Route, tally: CycleTally, result: CycleResult): CycleResult {
  setCurrentDetails(cycleDetails(result));
  recordCycle(route, result);
  if (result.outcome !== 'idle') {
    const lag = tally.lagSeconds();
    upsertSearchAttributes([
      { key: OUTCOME, value: result.outcome },
      ...(result.ledger === null ? [] : [{ key: EPOCH, value: result.ledger.epoch as number }]),
      ...(lag === null ? [] : [{ key: LAG_SECONDS, value: lag }]),
    ]);
  }
  return result;
}

/** Starts the workflow in which the operator decides; one a stream, so that one that runs is told what the stream stands behind now. */
async function openDeadLetter(route: Route, dead: DeadLetterReport): Promise<void> {
  const workflowId = deadLetterWorkflowId(route);
  try {
    await startChild<typeof deadLetter>('deadLetter', {
      workflowId,
      args: [{ route, dead }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      typedSearchAttributes: workAbout(route, 'dead-letter'),
      staticSummary: `${route.stream}: wagon ${dead.sequence} can't be applied (${dead.error.code})`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    try {
      await getExternalWorkflowHandle(workflowId).signal(presentDeadLetterSignal, dead);
    } catch (gone) {
      // Decided this very moment: a dead letter that still stands is told by the next cycle.
      if (isCancellation(gone)) throw gone;
    }
  }
}
