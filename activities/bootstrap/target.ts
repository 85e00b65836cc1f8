/** The target's part of a bootstrap: looks, creates, loads. Each call may be repeated or doubled. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { TargetActivities, WagonRef } from '../contracts.js';
import { rememberSelection } from '../cycle/established-selection.js';
import { withHeartbeat } from '../cycle/heartbeat.js';
import { viewOf } from '../cycle/read-ledger.js';
import { outOfScope } from '../cycle/require-in-scope.js';
import { differingSelections } from '../cycle/selection.js';
import { faultPoint } from '../fault-points.js';
import type { TargetSite } from '../site.js';
import type { Epoch } from '../vocabulary.js';
import { giveBack } from '../wagon/give-back.js';
import { lanes } from './lanes.js';
import { openStandalone } from './open-standalone.js';

/** Ranges opened and loaded at a time; each holds its body about three times meanwhile. */
const LANES = 3;
const FIRST_EPOCH = 1 as Epoch;
const NO_ROWS = { columns: [], values: new Uint8Array(), rows: 0, asOf: null, part: 0, last: true } as const;

type BootstrapTarget = Pick<
  TargetActivities,
  'inspectTarget' | 'beginLoading' | 'loadSchema' | 'resetTables' | 'prepareTable' | 'loadRange' | 'completeTable' | 'beginCatchUp'
>;

export function bootstrapTargetActivities(site: TargetSite): BootstrapTarget {
  const inLane = lanes(LANES);
  return {
    async inspectTarget({ stream, mustBeEmpty, source }) {
      const { engine, selection } = site.stream(stream);
      const preflight = await engine.inspect(selection, { mustBeEmpty });
      return {
        ...preflight,
        findings: [...differingSelections(source.selection, selection), ...engine.compareServers(source, preflight), ...preflight.findings],
      };
    },

    async beginLoading({ stream, bootstrap, epoch }) {
      const { engine } = site.stream(stream);
      // Only for a stream that isn't here yet: what an earlier life of it left would be taken for forks.
      if ((await engine.readLedger(stream)) === null) await site.inbox.clear(stream);
      const begun = await engine.beginLoading(stream, bootstrap, epoch ?? FIRST_EPOCH);
      await rememberSelection(site, stream);
      await faultPoint('loading-begun');
      return viewOf(begun);
    },

    async loadSchema({ stream, bootstrap, wagon }) {
      return await withHeartbeat(async ({ signal }) => {
        const body = await openStandalone(site, wagon);
        if (body.kind !== 'schema') throw otherKind(wagon);
        const result = await site.stream(stream).engine.createSchema(stream, bootstrap, body, signal);
        await faultPoint('schema-created');
        await site.inbox.release(wagon);
        return result;
      });
    },

    async resetTables({ stream, bootstrap, tables, baseline, round }) {
      await withHeartbeat(async ({ signal }) => {
        const { engine, selection } = site.stream(stream);
        // The list is the source's word, and its tables are dropped.
        for (const table of tables) {
          const strange = engine.outOfScope({ kind: 'range', ...table, ...NO_ROWS }, selection);
          if (strange !== null) throw outOfScope(`copying tables of ${stream} anew`, strange);
        }
        await engine.resetTables(stream, bootstrap, tables, baseline, { round, signal });
      });
    },

    async prepareTable({ stream, bootstrap, table }) {
      await withHeartbeat(async () => await site.stream(stream).engine.prepareTable?.(stream, bootstrap, table));
    },

    async completeTable({ stream, bootstrap, table }) {
      await withHeartbeat(async () => await site.stream(stream).engine.completeTable?.(stream, bootstrap, table));
    },

    async loadRange({ stream, bootstrap, table, plan, range, wagons, tableBytes = 0 }) {
      return await withHeartbeat(({ signal, report }) =>
        inLane(tableBytes, async () => {
          const { engine } = site.stream(stream);
          const there = (await engine.loadedParts?.(stream, { ...table, plan, range })) ?? [];
          let rows = 0;
          let alreadyApplied = 0;
          for (const [part, wagon] of wagons.entries()) {
            signal.throwIfAborted();
            // Its wagon may be gone from the inbox: the database's word is enough.
            if (there.some((it) => it.part === part && it.wagonHash === wagon.hash)) {
              alreadyApplied++;
              continue;
            }
            const body = await openStandalone(site, wagon);
            if (body.kind !== 'range') throw otherKind(wagon);
            if (body.database !== table.database || body.table !== table.table) throw otherKind(wagon);
            const result = await engine.loadRange(stream, bootstrap, { ...table, plan, range, part, wagonHash: wagon.hash }, body);
            giveBack(body.values);
            rows += result.rows;
            if (result.outcome === 'already-applied') alreadyApplied++;
            report({ range, rows });
          }
          for (const wagon of wagons) await site.inbox.release(wagon);
          return { rows, alreadyApplied };
        }),
      );
    },

    async beginCatchUp({ stream, bootstrap, from, consistentFrom }) {
      await faultPoint('catch-up-beginning');
      const begun = await site.stream(stream).engine.beginCatchUp(stream, bootstrap, from, consistentFrom);
      await faultPoint('catch-up-begun');
      return viewOf(begun);
    },
  };
}

const otherKind = (wagon: WagonRef): SrdfError =>
  new SrdfError('wagon-malformed', {
    tried: `opening the ${wagon.kind} wagon ${wagon.sequence} of ${wagon.stream}`,
    found: 'it holds something else than it was announced for',
    action: 'Install the same version of SRDF on both sites',
  });
