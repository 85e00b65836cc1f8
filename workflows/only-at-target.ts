/** Finds tables that only the target has: created there by other means, or left there. One that is being created or dropped is waited for. */
import { sleep } from '@temporalio/workflow';
import type { Route } from '../activities/contracts.js';
import type { TableName } from '../activities/vocabulary.js';
import type { OnlyAtTarget } from './compare-result.js';
import { sourceBootstrap, sourceBootstrapStep, targetBootstrap } from './proxies.js';

/** Looks at which the stream has passed: a table may be created at the source and arrive between the two lists of a look. */
const LOOKS = 3;

export async function onlyAtTarget(route: Route, settleMilliseconds: number): Promise<OnlyAtTarget> {
  const { stream } = route;
  const since = Date.now();
  for (let looks = 1; ; ) {
    // The source's list comes first, then where its log stands: what it had dropped by then is gone from a target that has passed that point.
    const here = new Set((await sourceBootstrap(route).planBootstrap({ stream })).tables.map(nameOf));
    const { position } = await sourceBootstrapStep(route).notePosition({ stream });
    const there = await targetBootstrap(route).tablesAtTarget({ stream, notBefore: position });
    const tables = there.tables.filter((it) => !here.has(nameOf(it)));
    if (tables.length === 0) return { tables, behind: false };
    const late = Date.now() - since > settleMilliseconds;
    if (looks === LOOKS || (!there.passed && late)) return { tables, behind: !there.passed };
    await sleep('1s', { summary: 'until the stream has passed' });
    if (there.passed) looks++;
  }
}

const nameOf = (it: TableName): string => JSON.stringify([it.database, it.table]);
