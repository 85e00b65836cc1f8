/** Compares both sides of a stream, through the `compare` workflow. */
import { WorkflowExecutionAlreadyStartedError, type WorkflowHandle } from '@temporalio/client';
import type { TableName } from '../activities/vocabulary.js';
import { tableNameOf } from '../config/load.js';
import { SrdfError } from '../temporal/error-catalogue.js';
import { compareWorkflowId } from '../temporal/ids.js';
import { workAbout } from '../temporal/search-attributes.js';
import { controlQueue } from '../temporal/task-queues.js';
import type { CompareInput, CompareProgress, CompareResult } from '../workflows/compare-result.js';
import { isChanging, isSame, isUntold } from './comparison-facts.js';
import type { StreamControl } from './control.js';
import { renderCompareProgress } from './rendering/comparison.js';
import type { Terminal } from './terminal.js';
import { watchWorkflow } from './watch-workflow.js';

/** `tables`: `database.table` each; none: all of the stream. Throws `not-consistent` for a stream that is still being established. */
export async function verifyStream(control: StreamControl, tables: readonly string[], terminal: Terminal): Promise<CompareResult> {
  const { stream, streamRoute: route } = control;
  for (const name of tables) {
    const { database, table } = tableNameOf(name);
    if (table === '' || !stream.databases.includes(database)) {
      throw new SrdfError('config-invalid', {
        tried: `comparing the table ${name}`,
        found: table === '' ? 'it is no database.table' : `the stream ${stream.name} replicates ${stream.databases.join(', ')}`,
        action: `Name a table of one of these, such as ${stream.databases[0]}.orders`,
      });
    }
  }
  const input: CompareInput = { route, ...(tables.length > 0 && { tables: tables.map(tableNameOf) }) };
  const handle = await start(control, input, terminal);
  return await watchWorkflow<CompareProgress, CompareResult>(handle, renderCompareProgress, terminal, async () => {
    await handle.cancel();
  });
}

/** One comparison of a stream at a time: another one that runs is waited for. */
async function start({ temporal, streamRoute: route }: StreamControl, input: CompareInput, terminal: Terminal): Promise<WorkflowHandle> {
  const workflowId = compareWorkflowId(route);
  for (;;) {
    try {
      return await temporal.client.workflow.start('compare', {
        workflowId,
        taskQueue: controlQueue(route),
        args: [input],
        typedSearchAttributes: workAbout(route, 'compare'),
        staticSummary: `compare ${route.source} and ${route.target}: ${route.stream}`,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError) || terminal.signal.aborted) throw error;
      terminal.err('Another comparison of this stream runs; waiting for its end.\n');
      await temporal.client.workflow
        .getHandle(workflowId)
        .result()
        .catch(() => undefined);
    }
  }
}

/** `sides-differ` with the tables that do; null when both sides are identical. */
export function differences(stream: string, result: CompareResult): SrdfError | null {
  const { identical, tables, onlyAtTarget } = result;
  if (identical) return null;
  const changing = tables.filter(isChanging);
  const differing = tables.filter((it) => !isSame(it) && !isChanging(it));
  const behind = onlyAtTarget.behind || differing.some((it) => it.behind);
  const found = [
    ...(differing.length === 0 ? [] : [`${differing.length} of ${tables.length} tables differ: ${namesOf(differing)}`]),
    ...(changing.length === 0
      ? []
      : [`${changing.length} of ${tables.length} tables were changed at the source too often to be compared whole: ${namesOf(changing)}`]),
    ...(onlyAtTarget.tables.length === 0 ? [] : [`only at the target: ${namesOf(onlyAtTarget.tables)}`]),
  ];
  return new SrdfError('sides-differ', {
    tried: `comparing both sides of the stream ${stream}`,
    found: found.join('; '),
    action: isUntold(result)
      ? `Nothing is known to differ, so mend nothing. Compare these tables again when less is written to them: srdf verify ${stream} ${changing.map(fullName).join(' ')}`
      : behind
        ? `The stream did not pass the point at which the source was read, so changes may still be on their way: see srdf status ${stream}, then srdf verify ${stream} again`
        : `Find out who writes to the target by other means: srdf status ${stream}. Mend the tables that differ, then srdf verify ${stream} again`,
  });
}

const fullName = (it: TableName): string => `${it.database}.${it.table}`;
const namesOf = (tables: readonly TableName[]): string => tables.map(fullName).join(', ');
