/** Asks a stream's entity for a mode; the schedule of its cycles and those that run follow, so that a stream at rest costs nothing. */
import { userInfo } from 'node:os';
import { ScheduleNotFoundError, WorkflowFailedError, type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import { SrdfError } from '../temporal/error-catalogue.js';
import { streamWorkflowId } from '../temporal/ids.js';
import { pauseCycles, unpauseCycles } from '../temporal/schedules.js';
import type { CycleProgress, CycleResult } from '../workflows/cycle-result.js';
import type { ModeRequest, StreamState } from '../workflows/stream.js';
import type { StreamControl } from './control.js';
import { executeUpdate } from './execute-update.js';
import { renderCycleEnd } from './rendering/cycle.js';
import { restCycles } from './running-cycles.js';
import type { Terminal } from './terminal.js';
import { watchWorkflow } from './watch-workflow.js';

/** Who asks, for the record: the operating system's user. */
export const operator = (): string => userInfo().username;

export async function changeMode(
  { temporal, streamRoute: route }: StreamControl,
  update: 'suspend' | 'drain' | 'resume',
  reason: string,
): Promise<StreamState> {
  try {
    const request: ModeRequest = { by: operator(), reason };
    return await executeUpdate<StreamState>(temporal.client, streamWorkflowId(route), update, request);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw notEstablished(route.stream, `to ${update} it`);
    throw error;
  }
}

/**
 * A suspended stream's schedule is paused before its mode is changed: whatever breaks in between, `srdf resume` puts both right.
 * A draining one still needs its cycles. A cycle asks for the mode when it begins, and may have begun long ago: returns once those that ran
 * have ended, so that nothing moves behind an operator who mends or copies the target.
 */
export async function restStream(
  control: StreamControl,
  update: 'suspend' | 'drain',
  reason: string,
  terminal: Terminal,
): Promise<StreamState> {
  const { temporal, streamRoute: route } = control;
  if (update === 'suspend') await ifScheduled(pauseCycles(temporal.client, route, `suspended by ${operator()}: ${reason}`));
  const state = await changeMode(control, update, reason);
  if (update === 'drain') await ifScheduled(unpauseCycles(temporal.client, route, reason));
  const again = `srdf suspend ${route.stream}${update === 'drain' ? ' --drain' : ''}`;
  for (const cycle of await restCycles(temporal, route)) await ended(cycle, again, terminal);
  return state;
}
/** However it ends: one that fails doesn't move any more, either. */
async function ended(cycle: WorkflowHandle, again: string, terminal: Terminal): Promise<void> {
  try {
    await watchWorkflow<CycleProgress, CycleResult>(cycle, renderCycleEnd, terminal, () => {
      terminal.err(`The mode is changed, and the cycle that runs still ends by itself. Wait for it again: ${again}\n`);
    });
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
  }
}
async function ifScheduled(change: Promise<void>): Promise<void> {
  try {
    await change;
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

const notEstablished = (stream: string, tried: string): SrdfError =>
  new SrdfError('ledger-missing', {
    tried: `asking the stream ${stream} ${tried}`,
    found: 'it is not established',
    action: `srdf establish ${stream}`,
  });
