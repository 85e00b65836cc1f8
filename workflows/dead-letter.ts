/**
 * Waits for the operator's decision on a wagon that can't be applied. One a stream; the stream stands still behind it, in sight.
 * Cycles tell it what the stream stands behind: a stream that was established anew, or whose ledger moved by other means, may stand behind
 * another wagon than the one this began with, and a decision must never go to a wagon of the past.
 */
import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { DeadLetterReport, Route } from '../activities/contracts.js';
import type { TableName } from '../activities/vocabulary.js';
import { OUTCOME } from '../temporal/search-attributes.js';
import { targetLocal } from './proxies.js';

export interface DeadLetterInput {
  readonly route: Route;
  readonly dead: DeadLetterReport;
}
export interface Decision {
  /** `overtaken`: somebody wanted to retry a wagon that the stream doesn't stand behind any more. */
  readonly decision: 'retried' | 'discarded' | 'resynchronised' | 'overtaken';
  readonly by: string;
}

export interface RetryRequest {
  readonly by: string;
}
export interface DiscardRequest {
  readonly by: string;
  readonly acceptDivergence: boolean;
}
export interface ResyncRequest {
  readonly by: string;
  readonly table: TableName;
}

/** Try the wagon again, once its cause is mended. `by`: who decides, for the record. */
export const retryUpdate = defineUpdate<Decision, [RetryRequest]>('retry');
/** Leave the wagon's changes out: the sides then differ. Refused without `acceptDivergence`. */
export const discardUpdate = defineUpdate<Decision, [DiscardRequest]>('discard');
/** Copy the table again instead of applying what the wagon says of it. */
export const resyncUpdate = defineUpdate<Decision, [ResyncRequest]>('resync');
export const deadLetterQuery = defineQuery<DeadLetterReport>('deadLetter');
/** What the stream stands behind now. */
export const presentDeadLetterSignal = defineSignal<[DeadLetterReport]>('presentDeadLetter');

/** Each cycle that meets the dead letter leaves four, so that a day of them would come to the server's limit of 51,200. */
const HISTORY_EVENTS = 2_000;

function refuse(found: string, action: string, code = 'not-supported'): never {
  throw ApplicationFailure.create({
    type: code,
    nonRetryable: true,
    message: `${found}. ${action}`,
    details: [{ code, tried: 'deciding on a dead letter', found, action }],
  });
}

export async function deadLetter({ route, dead: handedOn }: DeadLetterInput): Promise<Decision> {
  let dead = handedOn;
  let decision: Decision | null = null;
  const undecided = (): void => {
    if (decision !== null)
      refuse(`it was ${decision.decision} by ${decision.by} already`, 'See what the next cycle says: srdf status', 'stream-halted');
  };

  setHandler(deadLetterQuery, () => dead);
  setHandler(presentDeadLetterSignal, (present) => {
    // Each cycle that finds the stream standing says so.
    if (present.hash === dead.hash && present.since === dead.since) return;
    dead = present;
    show(route, dead);
  });
  setHandler(
    retryUpdate,
    async ({ by }) => {
      const { sequence, hash } = dead;
      const { released } = await targetLocal.releaseDeadLetter({ stream: route.stream, sequence, hash });
      if (!released) {
        decision ??= { decision: 'overtaken', by };
        refuse(
          `the stream doesn't stand behind wagon ${sequence} (${hash.slice(0, 12)}…) any more`,
          `See srdf dead-letters list; a wagon that stands gets its place for a decision with the next cycle: srdf cycle ${route.stream}`,
          'wagon-missing',
        );
      }
      const retried: Decision = { decision: 'retried', by };
      decision = retried;
      return retried;
    },
    { validator: (_request: RetryRequest) => undecided() },
  );
  setHandler(
    discardUpdate,
    async ({ by }) => {
      const { epoch, sequence, hash } = dead;
      await targetLocal.discardDeadLetter({ stream: route.stream, epoch, sequence, hash, by });
      const discarded: Decision = { decision: 'discarded', by };
      decision = discarded;
      return discarded;
    },
    {
      validator: ({ acceptDivergence }: DiscardRequest) => {
        undecided();
        if (!acceptDivergence)
          refuse('the sides would differ without anybody having accepted it', 'Say so: --i-accept-divergence', 'target-divergence');
      },
    },
  );
  setHandler(resyncUpdate, async (): Promise<Decision> => refuse('a single table cannot be copied again', ESTABLISH_INSTEAD), {
    validator: (_request: ResyncRequest) => {
      undecided();
      refuse('this version cannot copy a single table again', ESTABLISH_INSTEAD);
    },
  });

  show(route, dead);
  await condition(() => decision !== null || workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > HISTORY_EVENTS);
  await condition(allHandlersFinished);
  return decision ?? (await continueAsNew<typeof deadLetter>({ route, dead }));
}

function show(route: Route, dead: DeadLetterReport): void {
  upsertSearchAttributes([{ key: OUTCOME, value: dead.error.code }]);
  setCurrentDetails(
    [
      `**Wagon ${dead.sequence}** of epoch ${dead.epoch} can't be applied: \`${dead.error.code}\``,
      '',
      `${dead.error.tried}: ${dead.error.found}.`,
      '',
      `**Next:** ${dead.error.action}. Then send the update \`retry\`: \`srdf dead-letters retry ${route.stream}\`. The last resort leaves it out: \`srdf dead-letters discard ${route.stream} --i-accept-divergence\`. The stream stands still until then.`,
      '',
      `Hash \`${dead.hash}\``,
    ].join('\n'),
  );
}

const ESTABLISH_INSTEAD =
  'Mend the table at the target and retry (srdf dead-letters retry), leave the wagon out (srdf dead-letters discard), or copy the whole stream anew: srdf establish says how';
