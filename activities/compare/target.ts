/** The target's part of a comparison: checksums of the ranges the source has planned. Changes nothing. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import { openStandalone } from '../bootstrap/open-standalone.js';
import type { CompareRangeResult, TargetActivities } from '../contracts.js';
import { withHeartbeat } from '../cycle/heartbeat.js';
import type { TargetSite } from '../site.js';
import { planOf } from './plan-body.js';

export function compareTargetActivities(site: TargetSite): Pick<TargetActivities, 'checksumTarget' | 'tablesAtTarget'> {
  return {
    async checksumTarget({ stream, table, wagon, ranges, notBefore, release }) {
      return await withHeartbeat(async ({ signal, report }) => {
        const { engine } = site.stream(stream);
        const ledger = await engine.readLedger(stream);
        const passed = ledger !== null && ledger.position !== null && engine.reached(ledger.position, notBefore);
        const results: CompareRangeResult[] = [];
        if (ranges.length > 0) {
          const body = await openStandalone(site, wagon);
          if (body.kind !== 'range' || body.database !== table.database || body.table !== table.table)
            throw new SrdfError('wagon-malformed', {
              tried: `reading the plan of a comparison of ${table.database}.${table.table}`,
              found: 'the wagon holds something else',
              action: 'Install the same version of SRDF on both sites',
            });
          const plan = planOf(body);
          for (const range of ranges) {
            signal.throwIfAborted();
            results.push(await engine.checksumRange({ table, plan, range }));
            report({ range });
          }
        }
        if (release === true) await site.inbox.release(wagon);
        return { ranges: results, passed };
      });
    },

    async tablesAtTarget({ stream, notBefore }) {
      return await withHeartbeat(async () => {
        const { engine, selection } = site.stream(stream);
        const ledger = await engine.readLedger(stream);
        const passed = ledger !== null && ledger.position !== null && engine.reached(ledger.position, notBefore);
        return { tables: await engine.listTables(selection), passed };
      });
    },
  };
}
