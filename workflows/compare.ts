/** Compares both sides of a stream, every row and every column, and the tables' definitions. Never changes anything. */
import {
  isCancellation,
  ParentClosePolicy,
  patched,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { TableName } from '../activities/vocabulary.js';
import { OUTCOME, workAbout } from '../temporal/search-attributes.js';
import { failWith, passOn } from './bootstrap-failure.js';
import {
  type CompareInput,
  type CompareProgress,
  type CompareResult,
  compareDetails,
  type OnlyAtTarget,
  type TableComparison,
} from './compare-result.js';
import { compareProgressQuery } from './compare-signals.js';
import type { compareTable } from './compare-table.js';
import { onlyAtTarget } from './only-at-target.js';
import { sourceBootstrap, targetLocal } from './proxies.js';

export type { CompareInput, CompareResult } from './compare-result.js';

const PARALLEL = 2;
const SETTLE_MILLISECONDS = 120_000;

/** Fails with `not-consistent` for a stream that is still being established: its sides can't be equal yet. */
export async function compare(input: CompareInput): Promise<CompareResult> {
  const started = Date.now();
  const { route } = input;
  const done: TableComparison[] = [];
  const current = new Set<string>();
  const settleMilliseconds = input.settleMilliseconds ?? SETTLE_MILLISECONDS;
  let only: OnlyAtTarget = { tables: [], behind: false };
  let total = input.tables?.length ?? 0;
  const progress = (): CompareProgress => ({
    tables: { done: done.length, total },
    rows: done.reduce((sum, it) => sum + it.rows, 0),
    differing: [...done.filter((it) => !isSame(it)), ...only.tables].map(nameOf),
    current: [...current],
  });
  const show = (): void => setCurrentDetails(compareDetails(progress()));
  setHandler(compareProgressQuery, progress);
  try {
    const { ledger, halted } = await targetLocal.readLedger({ stream: route.stream });
    if (ledger.phase !== 'consistent')
      throw failWith({
        code: 'not-consistent',
        tried: `comparing the sides of ${route.stream}`,
        found: ledger.phase === 'absent' ? 'the stream was never established' : `the stream is ${ledger.phase}`,
        action:
          ledger.phase === 'absent'
            ? `Establish it: srdf establish ${route.stream}`
            : 'Let it become consistent first (srdf status --watch)',
      });
    if (halted !== undefined) throw failWith(halted);
    const tables: readonly TableName[] = input.tables ?? (await sourceBootstrap(route).planBootstrap({ stream: route.stream })).tables;
    total = tables.length;
    show();
    let next = 0;
    const lane = async (): Promise<void> => {
      for (let table = tables[next++]; table !== undefined; table = tables[next++]) {
        const name = nameOf(table);
        current.add(name);
        show();
        const child = await startChild<typeof compareTable>('compareTable', {
          args: [
            {
              route,
              table: { database: table.database, table: table.table },
              epoch: ledger.epoch,
              settleMilliseconds,
            },
          ],
          parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
          typedSearchAttributes: workAbout(route, 'compare'),
          staticSummary: `comparison of ${name}`,
        });
        done.push(await child.result());
        current.delete(name);
        show();
      }
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL, tables.length) }, lane));
    if (input.tables === undefined && patched('tables-only-at-the-target')) only = await onlyAtTarget(route, settleMilliseconds);
  } catch (error) {
    if (isCancellation(error)) throw error;
    throw passOn(error);
  }
  const identical = done.every(isSame) && only.tables.length === 0;
  upsertSearchAttributes([{ key: OUTCOME, value: identical ? 'identical' : 'differs' }]);
  return {
    identical,
    tables: [...done].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)),
    onlyAtTarget: only,
    rows: done.reduce((sum, it) => sum + it.rows, 0),
    milliseconds: Date.now() - started,
  };
}

const nameOf = (it: TableName): string => `${it.database}.${it.table}`;
const isSame = (it: TableComparison): boolean => it.differingRanges === 0 && it.sameDefinition;
