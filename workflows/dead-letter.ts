/** Waits for the operator's decision on a wagon that can't be applied. One a stream; the stream stands still behind it, in sight. */
import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  defineQuery,
  defineUpdate,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
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
  readonly decision: 'retried' | 'discarded' | 'resynchronised';
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

function refuse(found: string, action: string, code = 'not-supported'): never {
  throw ApplicationFailure.create({
    type: code,
    nonRetryable: true,
    message: `${found}. ${action}`,
    details: [{ code, tried: 'deciding on a dead letter', found, action }],
  });
}

export async function deadLetter({ route, dead }: DeadLetterInput): Promise<Decision> {
  let decision: Decision | null = null;
  const undecided = (): void => {
    if (decision !== null)
      refuse(`it was ${decision.decision} by ${decision.by} already`, 'See what the next cycle says: srdf status', 'stream-halted');
  };

  setHandler(deadLetterQuery, () => dead);
  setHandler(
    retryUpdate,
    async ({ by }) => {
      await targetLocal.releaseDeadLetter({ stream: route.stream, sequence: dead.sequence });
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
  await condition(() => decision !== null);
  await condition(allHandlersFinished);
  return decision ?? refuse('no decision was taken', 'Report this', 'unexpected');
}

const ESTABLISH_INSTEAD =
  'Mend the table at the target and retry (srdf dead-letters retry), leave the wagon out (srdf dead-letters discard), or copy the whole stream anew: srdf establish says how';
