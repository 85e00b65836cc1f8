/** What both sites know of a stream at this moment, for `srdf status`. Short, changes nothing, and says which site is silent. */
import { proxyActivities } from '@temporalio/workflow';
import type { ErrorReport, LedgerResult, Route, SourceActivities } from '../activities/contracts.js';
import { QUESTION_RETRY } from '../temporal/retry-policies.js';
import { sourceQueue } from '../temporal/task-queues.js';
import { classify, type Side } from './cycle-failure.js';
import { targetLocal } from './proxies.js';

export interface StreamFactsInput {
  readonly route: Route;
  /** How long a silent source site is waited for, ms. The target answers itself: workflows run there. */
  readonly patienceMilliseconds: number;
}
type Answer<T> = { readonly known: T } | { readonly error: ErrorReport };
export interface StreamFactsResult {
  readonly target: Answer<LedgerResult>;
  readonly source: Answer<Awaited<ReturnType<SourceActivities['readSpool']>>>;
}

export async function streamFacts({ route, patienceMilliseconds }: StreamFactsInput): Promise<StreamFactsResult> {
  const input = { stream: route.stream };
  const source = proxyActivities<SourceActivities>({
    taskQueue: sourceQueue(route),
    startToCloseTimeout: patienceMilliseconds * 2,
    scheduleToStartTimeout: patienceMilliseconds,
    // One attempt: whoever asks sees the answer of this moment, and asks again if it doesn't please.
    retry: { ...QUESTION_RETRY, maximumAttempts: 1 },
  });
  const target = await answer('target', route.target, () => targetLocal.readLedger({ ...input, withDiscarded: true }));
  const ledger = 'known' in target && target.known.ledger.phase !== 'absent' ? target.known.ledger : null;
  const spool = await answer('source', route.source, () =>
    source.readSpool({ ...input, ledger: ledger && { epoch: ledger.epoch, sequence: ledger.sequence } }),
  );
  return { target, source: spool };
}

async function answer<T>(side: Side, site: string, ask: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { known: await ask() };
  } catch (error) {
    return { error: classify(error, 'ledger', side, site).error };
  }
}
