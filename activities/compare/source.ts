/** The source's part of a comparison: plans ranges, computes their checksums. Changes nothing. */
import { readPlan, storePlan } from '../bootstrap/range-plans.js';
import { shipBody } from '../bootstrap/ship-body.js';
import type { CompareRangeResult, SourceActivities } from '../contracts.js';
import { requireSelection } from '../cycle/established-selection.js';
import { withHeartbeat } from '../cycle/heartbeat.js';
import type { SourceSite } from '../site.js';
import { planBody, planSequence } from './plan-body.js';

export function compareSourceActivities(site: SourceSite): Pick<SourceActivities, 'planCompare' | 'checksumSource'> {
  return {
    async planCompare({ stream, table, compare, epoch }) {
      return await withHeartbeat(async ({ signal }) => {
        // What a changed config has left out would not be compared, and the sides be called identical.
        await requireSelection(site, stream);
        const { engine, config } = site.stream(stream);
        const position = await engine.currentPosition();
        const plan = await engine.planRanges(table, config.bootstrap.rowsPerRange);
        const name = await storePlan(site.stateDirectory, stream, 0, compare, { table, plan, position });
        const wagon = await shipBody(
          site,
          { stream, epoch, sequence: planSequence(compare, name), position, body: planBody(table, plan) },
          signal,
        );
        return { plan: name, ranges: plan.boundaries.length + 1, wagon };
      });
    },

    async checksumSource({ stream, table, plan: name, ranges }) {
      return await withHeartbeat(async ({ signal, report }) => {
        const { engine } = site.stream(stream);
        const { plan } = await readPlan(site.stateDirectory, stream, name, table);
        const results: CompareRangeResult[] = [];
        for (const range of ranges) {
          signal.throwIfAborted();
          results.push(await engine.checksumRange({ table, plan, range }));
          report({ range });
        }
        return { ranges: results, position: await engine.currentPosition() };
      });
    },
  };
}
