/** The first copy of a stream: plan, bootstrap with progress, the stream's entity, its scheduled cycles, and the way to `consistent`. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  ScheduleNotFoundError,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
  WorkflowIdConflictPolicy,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { LedgerView } from '../activities/contracts.js';
import type { BootstrapId } from '../activities/vocabulary.js';
import type { StreamConfig } from '../config/schema.js';
import { type ErrorCode, SrdfError } from '../temporal/error-catalogue.js';
import { bootstrapWorkflowId, cycleScheduleId, streamWorkflowId } from '../temporal/ids.js';
import { type CycleScheduleOptions, ensureCycleSchedule } from '../temporal/schedules.js';
import { workAbout } from '../temporal/search-attributes.js';
import { CONTROL_QUEUE } from '../temporal/task-queues.js';
import type { BootstrapProgress, BootstrapResult, BootstrapWorkflowInput } from '../workflows/bootstrap-result.js';
import type { StreamEntityInput } from '../workflows/stream.js';
import { askSites } from './ask-stream.js';
import type { StreamControl } from './control.js';
import { reportedError } from './operator-error.js';
import { renderProgress } from './rendering/establish.js';
import { runCycle } from './run-cycle.js';
import type { Terminal } from './terminal.js';
import { watchWorkflow } from './watch-workflow.js';

export interface Established {
  /** null: the copy had been made by an earlier run of the command. */
  readonly bootstrap: BootstrapResult | null;
  readonly ledger: LedgerView;
}

/** What a bootstrap would do: both preflights and the tables with their sizes. Nothing is written. Throws what a preflight refuses. */
export async function planStream({ temporal, stream, streamRoute: route }: StreamControl): Promise<BootstrapResult> {
  const input: BootstrapWorkflowInput = { route, bootstrap: newBootstrapId(), dryRun: true };
  const result = (await temporal.client.workflow.execute('bootstrap', {
    workflowId: `${bootstrapWorkflowId(route)}-plan-${input.bootstrap}`,
    taskQueue: CONTROL_QUEUE,
    args: [input],
    typedSearchAttributes: workAbout(route, 'bootstrap'),
    staticSummary: `plan the first copy of ${stream.name}`,
  })) as BootstrapResult;
  if (result.error !== null) throw reportedError(result.error);
  return result;
}

/**
 * Goes on from wherever an earlier run of the command was left: watches a bootstrap that runs, finishes one that has copied everything.
 * Throws `target-not-empty` for a stream that is established already, and what a preflight refuses; then nothing has been changed.
 */
export async function establishStream(
  control: StreamControl,
  every: CycleScheduleOptions['every'],
  terminal: Terminal,
): Promise<Established> {
  const { target } = await askSites(control, control.streamRoute);
  if ('error' in target) throw reportedError(target.error);
  const { phase } = target.known.ledger;
  if (phase === 'consistent' && (await isEstablished(control))) throw establishedAlready(control.stream);
  const copied = phase === 'consistent' || phase === 'catching-up';
  const bootstrap = copied ? null : await copy(control, terminal);
  await beginCycles(control, every);
  return { bootstrap, ledger: await catchUp(control, terminal) };
}

const establishedAlready = ({ name, databases }: StreamConfig): SrdfError =>
  new SrdfError('target-not-empty', {
    tried: `establishing the stream ${name}`,
    found: 'it is established already, and its cycles are scheduled',
    action:
      `See srdf status ${name}. To copy it anew, first throw away what the target has of it, on the target: ` +
      `${databases.map((it) => `DROP DATABASE \`${it.replaceAll('`', '``')}\``).join('; ')}; DELETE FROM srdf.ledger WHERE stream = '${name}'; then srdf establish ${name}`,
  });

async function isEstablished({ temporal: { client }, streamRoute: route }: StreamControl): Promise<boolean> {
  try {
    await client.schedule.getHandle(cycleScheduleId(route)).describe();
    return (await client.workflow.getHandle(streamWorkflowId(route)).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof ScheduleNotFoundError || error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

async function copy({ temporal: { client }, stream, streamRoute: route }: StreamControl, terminal: Terminal): Promise<BootstrapResult> {
  const workflowId = bootstrapWorkflowId(route);
  const input: BootstrapWorkflowInput = { route, bootstrap: newBootstrapId(), ...stream.bootstrap };
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
  const result = await watchWorkflow<BootstrapProgress, BootstrapResult>(handle, renderProgress, terminal, () => {
    terminal.err(`The bootstrap goes on without you. Watch it again: srdf establish ${stream.name}\n`);
  });
  if (result.error !== null) throw reportedError(result.error);
  return result;
}

const newBootstrapId = (): BootstrapId =>
  `${new Date()
    .toISOString()
    .slice(0, 19)
    .replace(/[^0-9]/g, '')}-${randomBytes(4).toString('hex')}` as BootstrapId;

async function beginCycles(
  { temporal: { client }, streamRoute: route }: StreamControl,
  every: CycleScheduleOptions['every'],
): Promise<void> {
  await client.workflow.start('stream', {
    workflowId: streamWorkflowId(route),
    taskQueue: CONTROL_QUEUE,
    args: [{ route } satisfies StreamEntityInput],
    typedSearchAttributes: workAbout(route, 'stream'),
    staticSummary: `stream ${route.stream}: ${route.source} → ${route.target}`,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
  });
  await ensureCycleSchedule(client, route, { every, paused: false });
}

/** How a cycle meets wagons that another one beside it has confirmed. */
const OVERTAKEN: ReadonlySet<string> = new Set<ErrorCode>(['spool-inconsistent', 'wagon-missing']);

/** Cycles until everything that changed during the copy is applied. Throws what stops a cycle; the scheduled ones go on trying. */
async function catchUp(control: StreamControl, terminal: Terminal): Promise<LedgerView> {
  let overtakenAt = -1;
  for (;;) {
    terminal.signal.throwIfAborted();
    const { error, ledger, outcome } = await runCycle(control, { dryRun: false }, terminal.signal);
    const sequence = ledger?.sequence ?? -1;
    // A scheduled cycle that began meanwhile may have gone further than this one. As long as the ledger moves, the next one goes on from it.
    if (error !== null && OVERTAKEN.has(error.code) && sequence > overtakenAt) {
      overtakenAt = sequence;
      continue;
    }
    if (error !== null) throw reportedError(error);
    if (ledger?.phase === 'consistent') return ledger;
    if (outcome === 'suspended')
      throw new SrdfError('stream-halted', {
        tried: `catching up with what changed while ${control.stream.name} was copied`,
        found: 'the stream is suspended',
        action: `srdf resume ${control.stream.name}; its cycles then catch up by themselves`,
      });
    terminal.err(`catching up with what changed meanwhile: wagon ${ledger?.sequence ?? 0} applied\n`);
    // A source at rest writes no log; nothing it has could be missing, but only the passed position proves it.
    if (outcome === 'idle') await pause(500, undefined, { signal: terminal.signal });
  }
}
