/** The first copy of a stream: plan, bootstrap with progress, then the stream's entity and its scheduled cycles. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
  WorkflowIdConflictPolicy,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { BootstrapId } from '../activities/vocabulary.js';
import { bootstrapWorkflowId, streamWorkflowId } from '../temporal/ids.js';
import { ensureCycleSchedule } from '../temporal/schedules.js';
import { workAbout } from '../temporal/search-attributes.js';
import { CONTROL_QUEUE } from '../temporal/task-queues.js';
import type { StreamEntityInput } from '../workflows/stream.js';
import type { StreamControl } from './control.js';
import type { BootstrapProgress, BootstrapResult, BootstrapWorkflowInput } from './expected-workflows.js';
import { renderProgress } from './rendering/establish.js';
import type { Terminal } from './terminal.js';

/** What a bootstrap would do: both preflights and the tables with their sizes. Nothing is written. */
export async function planStream({ temporal, streamRoute: route }: StreamControl): Promise<BootstrapResult> {
  const input: BootstrapWorkflowInput = { route, bootstrap: newBootstrapId(), dryRun: true };
  return (await temporal.client.workflow.execute('bootstrap', {
    workflowId: `${bootstrapWorkflowId(route)}-plan-${input.bootstrap}`,
    taskQueue: CONTROL_QUEUE,
    args: [input],
    typedSearchAttributes: workAbout(route, 'bootstrap'),
    staticSummary: `plan the first copy of ${route.stream}`,
  })) as BootstrapResult;
}

/** A bootstrap that runs already is watched instead of started. Ctrl-C ends the watching, not the bootstrap. */
export async function establishStream(control: StreamControl, every: number, terminal: Terminal): Promise<BootstrapResult> {
  const { temporal, streamRoute: route } = control;
  const { client } = temporal;
  const workflowId = bootstrapWorkflowId(route);
  const input: BootstrapWorkflowInput = { route, bootstrap: newBootstrapId() };
  let handle: WorkflowHandle;
  try {
    handle = await client.workflow.start('bootstrap', {
      workflowId,
      taskQueue: CONTROL_QUEUE,
      args: [input],
      typedSearchAttributes: workAbout(route, 'bootstrap'),
      staticSummary: `first copy of ${route.stream}: ${route.source} → ${route.target}`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    terminal.err('A bootstrap of this stream runs already; this is its progress.\n');
    handle = client.workflow.getHandle(workflowId);
  }
  const result = (await watch(handle, terminal)) as BootstrapResult;
  await client.workflow.start('stream', {
    workflowId: streamWorkflowId(route),
    taskQueue: CONTROL_QUEUE,
    args: [{ route } satisfies StreamEntityInput],
    typedSearchAttributes: workAbout(route, 'stream'),
    staticSummary: `stream ${route.stream}: ${route.source} → ${route.target}`,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
  });
  await ensureCycleSchedule(client, route, { every, paused: false });
  return result;
}

const newBootstrapId = (): BootstrapId =>
  `${new Date()
    .toISOString()
    .slice(0, 19)
    .replace(/[^0-9]/g, '')}-${randomBytes(4).toString('hex')}` as BootstrapId;

/** Shows progress until the result is there: rewritten in place for somebody who watches, a line at each change otherwise. */
async function watch(handle: WorkflowHandle, terminal: Terminal): Promise<unknown> {
  const ended = new AbortController();
  const result = handle.result().finally(() => ended.abort());
  // The result's own error is thrown below, when it is awaited.
  result.catch(() => undefined);
  let shown = '';
  while (!ended.signal.aborted) {
    terminal.signal.throwIfAborted();
    const progress = await handle.query<BootstrapProgress>('progress').catch((error: unknown) => {
      // No worker right now, or already gone: the result tells.
      if (error instanceof WorkflowNotFoundError) ended.abort();
      return null;
    });
    const line = progress === null ? shown : renderProgress(progress);
    if (line !== shown) terminal.err(terminal.live ? `\r\u001b[2K${line}` : `${line}\n`);
    shown = line;
    await pause(terminal.live ? 300 : 1_000, undefined, { signal: AbortSignal.any([ended.signal, terminal.signal]) }).catch(
      () => undefined,
    );
  }
  if (terminal.live && shown !== '') terminal.err('\n');
  return await result;
}
