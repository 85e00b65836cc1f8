/** The source's part of a bootstrap: looks, plans, reads and ships. Changes nothing in the source database. */
import type { ShippedRange, SourceActivities, WagonRef } from '../contracts.js';
import { rememberSelection } from '../cycle/established-selection.js';
import { withHeartbeat } from '../cycle/heartbeat.js';
import { selectionDigest } from '../cycle/selection.js';
import { forgetNotes } from '../cycle/wagon-notes.js';
import { faultPoint } from '../fault-points.js';
import type { SourceSite } from '../site.js';
import type { Epoch } from '../vocabulary.js';
import { lanes } from './lanes.js';
import { readPlan, storePlan } from './range-plans.js';
import { shipBody } from './ship-body.js';
import { changedBy, inCopyOrder } from './table-order.js';
import { schemaSequence, standaloneSequence } from './wagon-sequence.js';

/**
 * Bytes of values a range's body holds before the next begins: bounds memory on both sides. With all lanes at work less than the 64 MB of buffers from
 * which on V8 collects the whole heap: at 12 MB a body it did so two to four times as often.
 */
const BODY_BYTES = 8 * 2 ** 20;
/** Ranges read, sealed and sent at a time; each holds its body about three times meanwhile. */
const LANES = 3;
const FIRST_EPOCH = 1 as Epoch;

type BootstrapSource = Pick<
  SourceActivities,
  'inspectSource' | 'notePosition' | 'planBootstrap' | 'shipSchema' | 'planRanges' | 'shipRange' | 'changedTables'
>;

export function bootstrapSourceActivities(site: SourceSite): BootstrapSource {
  const inLane = lanes(LANES);
  return {
    async inspectSource({ stream }) {
      const { engine, selection } = site.stream(stream);
      return { ...(await engine.inspect(selection)), selection: selectionDigest(selection) };
    },

    async notePosition({ stream }) {
      return { position: await site.stream(stream).engine.currentPosition() };
    },

    async planBootstrap({ stream, bootstrap }) {
      const { engine, selection, config } = site.stream(stream);
      // Before the tables are listed: should this process give way to one with another config, the first cycle sees that.
      if (bootstrap !== undefined) await rememberSelection(site, stream);
      const tables = inCopyOrder(await engine.planTables(selection), config.priority);
      const { findings } = await engine.inspect(selection);
      return { tables, warnings: findings.filter((it) => it.severity === 'warning') };
    },

    async shipSchema({ stream, bootstrap, epoch, stage, round, only }) {
      return await withHeartbeat(async ({ signal }): Promise<WagonRef> => {
        const { engine, selection } = site.stream(stream);
        // The very first wagon of a stream that is established: what an earlier life of it left in the spool would be taken for forks.
        if (stage === 'before-data' && only === undefined) {
          await site.spool.clear(stream);
          await forgetNotes(site.stateDirectory, stream);
        }
        const body = await engine.describeSchema(selection, stage, only);
        const shipped = await shipBody(
          site,
          {
            stream,
            epoch: epoch ?? FIRST_EPOCH,
            sequence: schemaSequence(bootstrap, stage, round, only),
            position: body.baseline,
            body,
          },
          signal,
        );
        await faultPoint('schema-shipped');
        return shipped;
      });
    },

    async planRanges({ stream, bootstrap, table, round, rowsPerRange }) {
      return await withHeartbeat(async () => {
        const { engine, config, selection } = site.stream(stream);
        // In later rounds what changed may be gone, or may be a view or a sequence: then there is nothing to copy.
        if (round > 0) {
          const tables = await engine.planTables(selection);
          if (!tables.some((it) => it.database === table.database && it.table === table.table)) return { plan: '', ranges: 0 };
        }
        const position = await engine.currentPosition();
        const plan = await engine.planRanges(table, rowsPerRange ?? config.bootstrap.rowsPerRange);
        const name = await storePlan(site.stateDirectory, stream, round, bootstrap, { table, plan, position });
        return { plan: name, ranges: plan.boundaries.length + 1 };
      });
    },

    async shipRange({ stream, bootstrap, epoch, table, plan: name, range, tableBytes = 0 }) {
      return await withHeartbeat(async ({ signal, report }) => {
        const { plan, position } = await readPlan(site.stateDirectory, stream, name, table);
        // The largest table first: its keys, which take longest, are made while the others are still copied.
        return await inLane(tableBytes, async (): Promise<ShippedRange> => {
          signal.throwIfAborted();
          const wagons: WagonRef[] = [];
          let rows = 0;
          for await (const body of site.stream(stream).engine.readRange(table, plan, range, BODY_BYTES)) {
            await faultPoint('range-read');
            wagons.push(
              await shipBody(
                site,
                {
                  stream,
                  epoch: epoch ?? FIRST_EPOCH,
                  sequence: standaloneSequence('range', bootstrap, name, range, body.part),
                  position: body.asOf ?? position,
                  body,
                },
                signal,
              ),
            );
            await faultPoint('range-shipped');
            rows += body.rows;
            report({ range, rows });
          }
          return { wagons, rows, bytesWire: wagons.reduce((sum, it) => sum + it.bytes, 0) };
        });
      });
    },

    async changedTables({ stream, from, to }) {
      return await withHeartbeat(async () => {
        const { engine, selection } = site.stream(stream);
        const statements = await engine.scanDdl(from, to, selection);
        return changedBy(
          statements.map((it) => it.classification),
          (name) => engine.inScope(selection, name),
        );
      });
    },
  };
}
