/** The long-lived entity of a stream: its mode, the operator's commands, its status. One a stream. */
import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Route, StreamMode } from '../activities/contracts.js';
import { targetLocal } from './proxies.js';

export interface StreamState {
  readonly mode: StreamMode;
  /** When and why it was last changed; ms since 1970. */
  readonly since: number;
  readonly by: string;
  readonly reason: string;
}
export interface StreamEntityInput {
  readonly route: Route;
  /** Handed on when the run continues as new; at a first run, when the target remembers another mode than active. */
  readonly state?: StreamState;
}
export interface ModeRequest {
  readonly by: string;
  readonly reason: string;
}

export const suspendUpdate = defineUpdate<StreamState, [ModeRequest]>('suspend');
/** What has arrived is still applied, nothing new is cut. */
export const drainUpdate = defineUpdate<StreamState, [ModeRequest]>('drain');
export const resumeUpdate = defineUpdate<StreamState, [ModeRequest]>('resume');
export const streamStatusQuery = defineQuery<StreamState>('status');

export async function stream({ route, state: handedOn }: StreamEntityInput): Promise<void> {
  let state: StreamState = handedOn ?? { mode: 'active', since: Date.now(), by: 'srdf', reason: 'established' };
  /** Updates run one after the other: two operators at once give the later one's mode, at the target as well. */
  let turn: Promise<unknown> = Promise.resolve();

  const show = (): void =>
    setCurrentDetails(
      `**${state.mode}** since ${new Date(state.since).toISOString()} by ${state.by}: ${state.reason}\n\n${route.source} → ${route.target}`,
    );
  const named = (mode: StreamMode) => ({
    validator: ({ by }: ModeRequest) => {
      if (by.trim() !== '') return;
      const found = 'nobody is named who asks for it';
      const action = 'See srdf status';
      throw ApplicationFailure.create({
        type: 'stream-halted',
        nonRetryable: true,
        message: `${found}. ${action}`,
        details: [{ code: 'stream-halted', tried: `making ${route.stream} ${mode}`, found, action }],
      });
    },
  });
  const change = (mode: StreamMode) => async (request: ModeRequest) => {
    const before = turn;
    const mine = (async () => {
      await before.catch(() => undefined);
      // What is so already is written again: the target's disk may say another mode, restored or older than this run as it may be.
      await targetLocal.setStreamMode({ stream: route.stream, mode });
      if (state.mode !== mode) state = { mode, since: Date.now(), by: request.by, reason: request.reason };
      show();
      return state;
    })();
    turn = mine;
    return await mine;
  };
  setHandler(streamStatusQuery, () => state);
  setHandler(suspendUpdate, change('suspended'), named('suspended'));
  setHandler(drainUpdate, change('draining'), named('draining'));
  setHandler(resumeUpdate, change('active'), named('active'));

  show();
  // The server takes 2,000 updates a run, and says by itself when a history has grown long.
  await condition(() => workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > 2_000);
  await condition(allHandlersFinished);
  await continueAsNew<typeof stream>({ route, state });
}
