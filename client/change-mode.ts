/** Asks a stream's entity for another mode. */
import { userInfo } from 'node:os';
import { WorkflowNotFoundError } from '@temporalio/client';
import { SrdfError } from '../temporal/error-catalogue.js';
import { streamWorkflowId } from '../temporal/ids.js';
import type { ModeRequest, StreamState } from '../workflows/stream.js';
import type { StreamControl } from './control.js';

/** Who asks, for the record: the operating system's user. */
export const operator = (): string => userInfo().username;

export async function changeMode(
  { temporal, streamRoute: route }: StreamControl,
  update: 'suspend' | 'drain' | 'resume',
  reason: string,
): Promise<StreamState> {
  try {
    return await temporal.client.workflow
      .getHandle(streamWorkflowId(route))
      .executeUpdate<StreamState, [ModeRequest]>(update, { args: [{ by: operator(), reason }] });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw notEstablished(route.stream, `to ${update} it`);
    throw error;
  }
}

export const notEstablished = (stream: string, tried: string): SrdfError =>
  new SrdfError('ledger-missing', {
    tried: `asking the stream ${stream} ${tried}`,
    found: 'it is not established',
    action: `srdf establish ${stream}`,
  });
