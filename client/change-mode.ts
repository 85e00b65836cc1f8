/** Asks a stream's entity for another mode; the schedule of its cycles follows, so that a stream at rest costs nothing. */
import { userInfo } from 'node:os';
import { ScheduleNotFoundError, WorkflowNotFoundError } from '@temporalio/client';
import { SrdfError } from '../temporal/error-catalogue.js';
import { streamWorkflowId } from '../temporal/ids.js';
import { pauseCycles, unpauseCycles } from '../temporal/schedules.js';
import type { ModeRequest, StreamState } from '../workflows/stream.js';
import type { StreamControl } from './control.js';
import { finishCycles } from './running-cycles.js';

/** Who asks, for the record: the operating system's user. */
export const operator = (): string => userInfo().username;

export async function changeMode(
  { temporal, streamRoute: route }: StreamControl,
  update: 'suspend' | 'drain' | 'resume',
  reason: string,
): Promise<StreamState> {
  try {
    const state = await temporal.client.workflow
      .getHandle(streamWorkflowId(route))
      .executeUpdate<StreamState, [ModeRequest]>(update, { args: [{ by: operator(), reason }] });
    // A cycle asks for the mode when it begins; a continuous one may have begun long ago.
    await finishCycles(temporal, route);
    return state;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw notEstablished(route.stream, `to ${update} it`);
    throw error;
  }
}

/**
 * A suspended stream's schedule is paused before its mode is changed: whatever breaks in between, `srdf resume` puts both right.
 * A draining one still needs its cycles.
 */
export async function restStream(control: StreamControl, update: 'suspend' | 'drain', reason: string): Promise<StreamState> {
  const { temporal, streamRoute: route } = control;
  if (update === 'suspend') await ifScheduled(pauseCycles(temporal.client, route, `suspended by ${operator()}: ${reason}`));
  const state = await changeMode(control, update, reason);
  if (update === 'drain') await ifScheduled(unpauseCycles(temporal.client, route, reason));
  return state;
}
async function ifScheduled(change: Promise<void>): Promise<void> {
  try {
    await change;
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

export const notEstablished = (stream: string, tried: string): SrdfError =>
  new SrdfError('ledger-missing', {
    tried: `asking the stream ${stream} ${tried}`,
    found: 'it is not established',
    action: `srdf establish ${stream}`,
  });
