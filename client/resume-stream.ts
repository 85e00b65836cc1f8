/** Puts everything right that keeps a stream from going on: its mode, and its schedule. */
import { ensureCycleSchedule } from '../temporal/schedules.js';
import type { StreamState } from '../workflows/stream.js';
import { changeMode } from './change-mode.js';
import type { StreamControl } from './control.js';
import { finishCycles } from './running-cycles.js';

/** Whatever Temporal says of the mode: cycles go by what the target remembers, which is written anew here. */
export async function resumeStream(control: StreamControl, reason: string): Promise<StreamState> {
  const { temporal, stream, streamRoute: route } = control;
  const state = await changeMode(control, 'resume', reason);
  // As the config says now: an interval that was changed there counts from here on.
  await ensureCycleSchedule(temporal.client, route, { every: stream.every, paused: false, note: reason });
  await finishCycles(temporal, route);
  return state;
}
