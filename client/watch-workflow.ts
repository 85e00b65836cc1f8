/** Waits for a workflow's result and shows meanwhile what its `progress` query answers. */
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { Terminal } from './terminal.js';

/** `interrupted` is called on Ctrl-C, before this throws: it decides what becomes of the workflow, or says it. */
export async function watchWorkflow<Progress, Result>(
  handle: WorkflowHandle,
  render: (progress: Progress) => string,
  terminal: Terminal,
  interrupted: () => void | Promise<void>,
): Promise<Result> {
  const ended = new AbortController();
  const result = handle.result().finally(() => ended.abort());
  // Its error is thrown below, where it is awaited.
  result.catch(() => undefined);
  const either = AbortSignal.any([ended.signal, terminal.signal]);
  const show = progressLine(terminal);
  while (!ended.signal.aborted) {
    // No worker to answer right now: the next question may find one.
    const progress = await handle.query<Progress>('progress').catch(() => null);
    if (progress !== null) show(render(progress));
    await pause(terminal.live ? 300 : 1_000, undefined, { signal: either }).catch(() => undefined);
    if (terminal.signal.aborted && !ended.signal.aborted) {
      show.end();
      await interrupted();
      terminal.signal.throwIfAborted();
    }
  }
  show.end();
  return (await result) as Result;
}

/** Rewritten in place for somebody who watches, a line at each change otherwise. */
function progressLine(terminal: Terminal): ((line: string) => void) & { end(): void } {
  let shown = '';
  const show = (line: string): void => {
    if (line !== shown) terminal.err(terminal.live ? `\r\u001b[2K${line.slice(0, terminal.columns - 1)}` : `${line}\n`);
    shown = line;
  };
  const end = (): void => {
    if (terminal.live && shown !== '') terminal.err('\n');
  };
  return Object.assign(show, { end });
}
