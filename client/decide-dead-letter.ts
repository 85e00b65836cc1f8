/** Dead letters: which there are, and the operator's decision on one. */
import { WorkflowNotFoundError } from '@temporalio/client';
import type { DeadLetterReport } from '../activities/contracts.js';
import { streamOf } from '../config/load.js';
import { SrdfError } from '../temporal/error-catalogue.js';
import { deadLetterWorkflowId } from '../temporal/ids.js';
import type { Decision, DiscardRequest, RetryRequest } from '../workflows/dead-letter.js';
import { askStream } from './ask-stream.js';
import { operator } from './change-mode.js';
import type { PairControl, StreamControl } from './control.js';
import { executeUpdate } from './execute-update.js';
import { reportedError } from './operator-error.js';

export interface FoundDeadLetter extends DeadLetterReport {
  readonly stream: string;
}

/** Throws the reason when a target can't be asked: an empty list must mean that there is none. */
export async function listDeadLetters(control: PairControl, name: string | undefined): Promise<readonly FoundDeadLetter[]> {
  const streams = name === undefined ? control.config.streams : [streamOf(control.config, name)];
  const facts = await Promise.all(streams.map((it) => askStream(control, it)));
  return facts.flatMap(({ stream, target }) => {
    if ('error' in target) throw reportedError(target.error);
    return target.ledger.deadLetter === null ? [] : [{ stream, ...target.ledger.deadLetter }];
  });
}

export async function decideDeadLetter(
  { temporal, streamRoute: route }: StreamControl,
  decision: 'retry' | 'discard',
  acceptDivergence: boolean,
): Promise<Decision> {
  const by = operator();
  try {
    const request: RetryRequest | DiscardRequest = decision === 'discard' ? { by, acceptDivergence } : { by };
    return await executeUpdate<Decision>(temporal.client, deadLetterWorkflowId(route), decision, request);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new SrdfError('wagon-missing', {
      tried: `deciding on the dead letter of the stream ${route.stream}`,
      found: 'no wagon waits for a decision',
      action: `See srdf dead-letters list; a wagon that stands gets its place for a decision with the next cycle: srdf cycle ${route.stream}`,
    });
  }
}
