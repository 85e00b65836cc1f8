/** Copies one table: planned into ranges, each sealed, sent and loaded, several at a time. Resumes at each range. */
import {
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  setCurrentDetails,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { Route, ShippedRange } from '../activities/contracts.js';
import type { BootstrapId, Position, TableName } from '../activities/vocabulary.js';
import { failWith, isRangeLost, passOn } from './bootstrap-failure.js';
import type { TableCopy } from './bootstrap-result.js';
import { tableProgress } from './bootstrap-signals.js';
import { reportOf } from './cycle-failure.js';
import { sourceBootstrap, sourceBootstrapStep, targetBootstrap } from './proxies.js';

export interface BootstrapTableInput {
  readonly route: Route;
  readonly bootstrap: BootstrapId;
  readonly table: TableName;
  /** Rises with every copy of the table that is begun: wagons of a lower one are refused by the target. */
  readonly round: number;
  readonly rowsPerRange?: number;
  /** As the bootstrap's plan estimates them. */
  readonly tableBytes?: number;
  /** The table was created with the others and is empty; otherwise it is dropped and created first. */
  readonly created: boolean;
  /** The source's log before any definition was read. */
  readonly from?: Position;
  /** Where a run before this one has stopped. */
  readonly resume?: { readonly plan: string; readonly ranges: number; readonly next: number; readonly copied: TableCopy };
}

/** Ranges under way at a time: enough for a table that is alone to keep both sites at work. */
const WINDOW = 6;
const FORMER_WINDOW = 3;
const ATTEMPTS = 8;
/** A run ends long before its history is full. */
const HISTORY_EVENTS = 3_000;

export async function bootstrapTable(input: BootstrapTableInput): Promise<TableCopy> {
  let { created, round, resume } = input;
  for (let attempt = 1; ; attempt++) {
    try {
      return await copyTable({ ...input, created, round }, resume);
    } catch (error) {
      if (isCancellation(error) || !(isRangeLost(error) || (await isOutgrown(input, error)))) throw passOn(error);
      const name = `${input.table.database}.${input.table.table}`;
      if (attempt === ATTEMPTS)
        throw failWith({
          code: 'bootstrap-unsettled',
          tried: `copying ${name}`,
          found: `it had to be begun ${ATTEMPTS} times; the last time: ${reportOf(error)?.found}`,
          action: `Pause schema changes of ${name} while srdf establish runs`,
        });
      // Changes of a schema come in rows: the next copy waits for their end, a little longer each time.
      await sleep(Math.min(1_000 * 2 ** attempt, 60_000), { summary: `${name} is copied anew` });
      created = false;
      resume = undefined;
      round++;
    }
  }
}

async function copyTable(input: BootstrapTableInput, resume: BootstrapTableInput['resume']): Promise<TableCopy> {
  const { route, bootstrap, table, round, rowsPerRange, tableBytes = 0 } = input;
  const { stream } = route;
  const source = sourceBootstrap(route);
  const target = targetBootstrap(route);
  const name = `${table.database}.${table.table}`;
  if (!input.created && resume === undefined) {
    // Noted before the definition is read: whatever changes behind it is replicated.
    const { position } = await sourceBootstrapStep(route).notePosition({ stream });
    await target.resetTables({ stream, bootstrap, tables: [table], baseline: position, round });
    const wagon = await source.shipSchema({ stream, bootstrap, stage: 'before-data', round, only: [table] });
    await target.loadSchema({ stream, bootstrap, wagon });
  }
  const plan =
    resume ?? (await source.planRanges({ stream, bootstrap, table, round, ...(rowsPerRange === undefined ? {} : { rowsPerRange }) }));
  const large = plan.ranges > 1;
  if (large && resume === undefined) await target.prepareTable({ stream, bootstrap, table });
  let next = resume?.next ?? 0;
  let copied: TableCopy = resume?.copied ?? { rows: 0, bytesWire: 0, ranges: 0 };
  // At most ten words a table: each costs the parent's history four events.
  const told = Math.max(5, Math.ceil(plan.ranges / 10));

  const copyRange = async (range: number): Promise<void> => {
    const about = { stream, bootstrap, table, plan: plan.plan, range, tableBytes };
    const summary = `${name}: range ${range + 1} of ${plan.ranges}`;
    const shipped: ShippedRange = await source.shipRange.executeWithOptions({ summary }, [about]);
    await target.loadRange.executeWithOptions({ summary }, [{ ...about, wagons: shipped.wagons }]);
    copied = { rows: copied.rows + shipped.rows, bytesWire: copied.bytesWire + shipped.bytesWire, ranges: copied.ranges + 1 };
    setCurrentDetails(`${name}: ${copied.ranges} of ${plan.ranges} ranges, ${copied.rows} rows`);
    if (copied.ranges % told === 0) await tell(name, copied);
  };
  let failure: { readonly error: unknown } | null = null;
  const lane = async (): Promise<void> => {
    while (next < plan.ranges && failure === null && workflowInfo().historyLength < HISTORY_EVENTS) {
      const range = next++;
      try {
        await copyRange(range);
      } catch (error) {
        // The first failure counts; the other lanes end what they have begun, so that nothing writes behind the reset.
        failure ??= { error };
      }
    }
  };
  const window = patched('six-ranges-at-a-time') ? WINDOW : FORMER_WINDOW;
  await Promise.all(Array.from({ length: window }, lane));
  const failed = failure as { readonly error: unknown } | null;
  if (failed !== null) throw failed.error;
  if (next < plan.ranges)
    await continueAsNew<typeof bootstrapTable>({
      ...input,
      resume: { plan: plan.plan, ranges: plan.ranges, next, copied },
    });
  if (copied.ranges !== plan.ranges)
    throw failWith({
      code: 'bootstrap-unsettled',
      tried: `copying ${name}`,
      found: `${copied.ranges} of ${plan.ranges} ranges are in`,
      action: 'Run srdf establish again',
    });
  if (large) await target.completeTable.executeWithOptions({ summary: name }, [{ stream, bootstrap, table }]);
  return copied;
}

/**
 * A value that the target's table doesn't take, a new member of an ENUM say, is the pair's fault unless the table was changed since its definition was
 * read: then it is one more change of it, and copied anew.
 */
async function isOutgrown({ route, table, from }: BootstrapTableInput, error: unknown): Promise<boolean> {
  if (reportOf(error)?.code !== 'apply-failed' || from === undefined || !patched('outgrown-definitions')) return false;
  const { stream } = route;
  const { position: to } = await sourceBootstrapStep(route).notePosition({ stream });
  const { tables } = await sourceBootstrap(route).changedTables.executeWithOptions({ summary: 'was it changed?' }, [{ stream, from, to }]);
  return tables.some((it) => it.database === table.database && it.table === table.table);
}

/** Progress for whoever watches the whole; a parent that is gone doesn't matter to the copy. */
async function tell(name: string, copied: TableCopy): Promise<void> {
  const { parent } = workflowInfo();
  if (parent === undefined) return;
  try {
    await getExternalWorkflowHandle(parent.workflowId).signal(tableProgress, { name, ...copied });
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}
