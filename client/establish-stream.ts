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
import type { LedgerView, StreamMode } from '../activities/contracts.js';
import type { BootstrapId } from '../activities/vocabulary.js';
import { dumpCommand } from '../config/dump-command.js';
import type { StreamConfig } from '../config/schema.js';
import { type ErrorCode, SrdfError } from '../temporal/error-catalogue.js';
import { bootstrapWorkflowId, cycleScheduleId, deadLetterWorkflowId, streamWorkflowId } from '../temporal/ids.js';
import { type CycleScheduleOptions, ensureCycleSchedule } from '../temporal/schedules.js';
import { workAbout } from '../temporal/search-attributes.js';
import { controlQueue } from '../temporal/task-queues.js';
import type { BootstrapProgress, BootstrapResult, BootstrapWorkflowInput } from '../workflows/bootstrap-result.js';
import type { StreamEntityInput, StreamState } from '../workflows/stream.js';
import { askSites } from './ask-stream.js';
import { operator } from './change-mode.js';
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
    taskQueue: controlQueue(route),
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
  const { mode, ledger } = target.known;
  const entity = await entityState(control);
  if (ledger.phase === 'consistent' && entity !== null && (await isScheduled(control))) throw establishedAlready(control.stream);
  if (entity !== null && entity.mode !== mode) throw modesDiffer(control.stream, entity.mode, mode);
  const copied = ledger.phase === 'consistent' || ledger.phase === 'catching-up';
  if (!copied) await endDeadLetter(control);
  const bootstrap = copied ? null : await copy(control, terminal);
  const begun = await beginCycles(control, every, mode);
  if (begun.mode !== 'active') throw atRest(control.stream, begun.mode);
  return { bootstrap, ledger: await catchUp(control, terminal) };
}

const establishedAlready = ({ name, engine, databases }: StreamConfig): SrdfError =>
  new SrdfError('target-not-empty', {
    tried: `establishing the stream ${name}`,
    found: 'it is established already, and its cycles are scheduled',
    action:
      `See srdf status ${name}. To copy it anew, first save what the target has of it, since it may hold what the source has lost, on the target: ` +
      `${dumpCommand(engine, databases, `${name}-before.sql`)} (without databases that it doesn't have); look into that file before you go on. Then throw it away there: ` +
      `${databases.map((it) => `DROP DATABASE IF EXISTS \`${it.replaceAll('`', '``')}\``).join('; ')}; DELETE FROM srdf.ledger WHERE stream = '${name}'; then srdf establish ${name}`,
  });

const modesDiffer = ({ name }: StreamConfig, known: StreamMode, remembered: StreamMode): SrdfError =>
  new SrdfError('stream-halted', {
    tried: `establishing the stream ${name}`,
    found: `Temporal says that it is ${known}, and the target remembers that it is ${remembered}`,
    action: `Say which it is to be, srdf resume ${name} or srdf suspend ${name}; then srdf establish ${name}`,
  });

const atRest = ({ name }: StreamConfig, mode: StreamMode): SrdfError =>
  new SrdfError('stream-halted', {
    tried: `bringing the stream ${name} up to date`,
    found: `it is ${mode}`,
    action: `srdf resume ${name}; its cycles then catch up by themselves`,
  });

/** null: none runs. */
async function entityState({ temporal: { client }, streamRoute: route }: StreamControl): Promise<StreamState | null> {
  const handle = client.workflow.getHandle(streamWorkflowId(route));
  try {
    return (await handle.describe()).status.name === 'RUNNING' ? await handle.query<StreamState>('status') : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

async function isScheduled({ temporal: { client }, streamRoute: route }: StreamControl): Promise<boolean> {
  try {
    await client.schedule.getHandle(cycleScheduleId(route)).describe();
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}

/** A ledger that isn't there, or that a copy is filling, stands behind no wagon: one that waits for a decision is of the time before. */
async function endDeadLetter({ temporal: { client }, streamRoute: route }: StreamControl): Promise<void> {
  try {
    await client.workflow.getHandle(deadLetterWorkflowId(route)).terminate('the stream is copied anew: this wagon is of the time before');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

async function copy({ temporal: { client }, stream, streamRoute: route }: StreamControl, terminal: Terminal): Promise<BootstrapResult> {
  const workflowId = bootstrapWorkflowId(route);
  const input: BootstrapWorkflowInput = { route, bootstrap: newBootstrapId(), ...stream.bootstrap };
  let handle: WorkflowHandle;
  try {
    handle = await client.workflow.start('bootstrap', {
      workflowId,
      taskQueue: controlQueue(route),
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

/**
 * `remembered`: the mode by the target, which outlives Temporal: a stream that was put to rest isn't begun by a Temporal built anew. Returns what
 * the entity says, which may have run before.
 */
async function beginCycles(
  { temporal: { client }, streamRoute: route }: StreamControl,
  every: CycleScheduleOptions['every'],
  remembered: StreamMode,
): Promise<StreamState> {
  const state: StreamState = { mode: remembered, since: Date.now(), by: operator(), reason: 'established; the target remembers this mode' };
  const entity = await client.workflow.start('stream', {
    workflowId: streamWorkflowId(route),
    taskQueue: controlQueue(route),
    args: [{ route, ...(remembered !== 'active' && { state }) } satisfies StreamEntityInput],
    typedSearchAttributes: workAbout(route, 'stream'),
    staticSummary: `stream ${route.stream}: ${route.source} → ${route.target}`,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
  });
  const begun = await entity.query<StreamState>('status');
  await ensureCycleSchedule(client, route, { every, paused: begun.mode === 'suspended' });
  return begun;
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
    if (outcome === 'suspended') throw atRest(control.stream, outcome);
    if (ledger?.phase === 'consistent') return ledger;
    terminal.err(`catching up with what changed meanwhile: wagon ${ledger?.sequence ?? 0} applied\n`);
    // A source at rest writes no log; nothing it has could be missing, but only the passed position proves it.
    if (outcome === 'idle') await pause(500, undefined, { signal: terminal.signal });
  }
}
