/** Puts everything right that keeps a stream from going on: its mode, and its schedule. */
import { WorkflowNotFoundError } from '@temporalio/client';
import { streamWorkflowId } from '../temporal/ids.js';
import { ensureCycleSchedule } from '../temporal/schedules.js';
import type { StreamState } from '../workflows/stream.js';
import { changeMode, notEstablished } from './change-mode.js';
import type { StreamControl } from './control.js';
import { finishCycles } from './running-cycles.js';

export async function resumeStream(control: StreamControl, reason: string): Promise<StreamState> {
  const { temporal, stream, streamRoute: route } = control;
  const before = await temporal.client.workflow
    .getHandle(streamWorkflowId(route))
    .query<StreamState>('status')
    .catch((error: unknown) => {
      throw error instanceof WorkflowNotFoundError ? notEstablished(route.stream, 'to resume') : error;
    });
  // A stream that is active already may still lack its schedule: then that is what has to be mended.
  const state = before.mode === 'active' ? before : await changeMode(control, 'resume', reason);
  // As the config says now: an interval that was changed there counts from here on.
  await ensureCycleSchedule(temporal.client, route, { every: stream.every, paused: false, note: reason });
  await finishCycles(temporal, route);
  return state;
}
