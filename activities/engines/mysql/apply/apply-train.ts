/** One train, one transaction: its rows and the ledger's move, or nothing. */
import type { Connection } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import { faultPoint } from '../../../fault-points.js';
import type { ChangesBody, TableShape } from '../../../wagon/body.js';
import type { ApplyResult, Ledger, WagonPlace } from '../../engine.js';
import { mysqlRowFormat } from '../binlog/row-format.js';
import { parseTableMap } from '../binlog/table-map.js';
import { TAKEN_ROWS } from '../ranges/bootstrap-tables.js';
import { nameOf } from '../ranges/sql-literals.js';
import { BinlogWriter, type WriteTable } from './binlog-writer.js';
import { applyCatchingUp, type CatchUpContext } from './catch-up-apply.js';
import { readRemembered } from './catch-up-taken.js';
import { readAllForeignKeys, type TargetForeignKey } from './foreign-keys.js';
import { beginFenced, commitMoved, describeWagons, guarded, readBaselines, tableContained } from './ledger-move.js';
import { createStaging } from './staging.js';
import { applyStrictly, type BodyTables, type RowCounts } from './strict-apply.js';
import type { OpenTable, TableFactsCache } from './table-facts.js';
import type { TargetSession } from './target-session.js';

export interface TrainTools {
  readonly session: TargetSession;
  readonly facts: TableFactsCache;
  /** Staging tables known to be there; emptied whenever a table may have changed. */
  readonly staged: Set<string>;
  /** Where this process left the ledger (`epoch/sequence`), null when it didn't: tables it knows from then may have changed since. */
  readonly leftAt: string | null;
  /** Forgets what is known of tables. */
  forget(): void;
  /** A second connection, for statements that would end the transaction. */
  side(): Promise<Connection>;
}

/** The stream's lock is held. On any error nothing has been written, or (a connection lost in COMMIT) the ledger tells. */
export async function applyTrain(
  tools: TrainTools,
  places: readonly WagonPlace[],
  bodies: AsyncIterable<ChangesBody>,
): Promise<ApplyResult> {
  const { session } = tools;
  const doing = describeWagons(places);
  const counts: RowCounts = { inserted: 0, updated: 0, deleted: 0 };
  const { ledger, apply } = await beginFenced(session.connection, places, doing);
  const last = places.at(-1);
  if (!apply || last === undefined) {
    await guarded(doing, async () => await session.connection.query('ROLLBACK'));
    return { outcome: 'already-applied', ledger, rows: counts };
  }
  await faultPoint('apply-begun');
  if (tools.leftAt !== `${ledger.epoch}/${ledger.sequence}`) tools.forget();
  tools.facts.forgetOld();
  const writer = new BinlogWriter(session, doing);
  const context = ledger.phase === 'catching-up' ? await catchUpContext(tools, ledger, last, writer, doing) : null;
  let seen = 0;
  for await (const body of bodies) {
    if (++seen > places.length) break;
    checkFormat(body, doing);
    for (const shape of body.tables) checkShape(shape, doing);
    const tables = bodyTables(tools, body, doing);
    if (context === null) await applyStrictly(body, tables, writer, counts);
    else await applyCatchingUp(body, tables, context, counts);
  }
  if (seen !== places.length)
    throw new SrdfError('wagon-malformed', {
      tried: doing,
      found: `${seen} bodies for ${places.length} wagons`,
      action: 'Nothing was applied. Install the same version of SRDF on both sites',
    });
  const after = await commitMoved(session.connection, ledger, last, doing);
  return { outcome: 'applied', ledger: after, rows: counts };
}

function checkFormat(body: ChangesBody, doing: string): void {
  const rows = body.ordered.length + body.net.length;
  if (rows === 0 || body.rowFormat === mysqlRowFormat.name) return;
  throw new SrdfError('wagon-malformed', {
    tried: doing,
    found: `rows in the format ${body.rowFormat}, and this target takes ${mysqlRowFormat.name}`,
    action: 'Nothing was applied. Source and target of a stream must be of one family; install the same version of SRDF on both sites',
  });
}

/** A signature says who made a table map, not that it is one: what can't be read here, no retry makes readable. */
function checkShape(shape: TableShape, doing: string): void {
  try {
    parseTableMap(Buffer.from(shape.bytes.buffer, shape.bytes.byteOffset, shape.bytes.byteLength));
  } catch (error) {
    // A column type unknown here: the wagon is sound, and the error says what to do.
    if (error instanceof SrdfError && error.code === 'log-event-unsupported') throw error;
    const why = error instanceof SrdfError ? error.facts.found : error instanceof Error ? error.message : String(error);
    throw new SrdfError('wagon-malformed', {
      tried: `${doing}, table ${nameOf(shape)}`,
      found: `its table map is none that a server writes: ${why}`,
      action: 'Nothing was applied. Install the same version of SRDF on both sites; if they are, find out who else holds the source’s keys',
      cause: error,
    });
  }
}

function bodyTables(tools: TrainTools, body: ChangesBody, doing: string): BodyTables {
  const opened = new Map<number, OpenTable & { readonly write: WriteTable }>();
  return {
    async open(index) {
      const known = opened.get(index);
      if (known !== undefined) return known;
      const shape: TableShape | undefined = body.tables[index];
      if (shape === undefined || shape.database === 'srdf')
        throw new SrdfError('wagon-malformed', {
          tried: doing,
          found: shape === undefined ? `a change of table ${index}, which the wagon doesn’t describe` : 'a change of SRDF’s own tables',
          action: 'Nothing was applied. Install the same version of SRDF on both sites',
        });
      const { session, facts } = tools;
      const table = await guarded(
        `${doing}, table ${nameOf(shape)}`,
        async () => await facts.get(session.connection, session.engine, shape, doing),
      );
      const open = { ...table, write: { database: shape.database, table: shape.table, shape: shape.bytes } };
      opened.set(index, open);
      return open;
    },
  };
}

async function catchUpContext(
  tools: TrainTools,
  ledger: Ledger,
  last: WagonPlace,
  writer: BinlogWriter,
  doing: string,
): Promise<CatchUpContext> {
  const { session, staged } = tools;
  const baselines = await guarded(doing, async () => await readBaselines(session.connection, ledger.stream));
  const remembered = await guarded(doing, async () => {
    const tables = await readRemembered(session.connection, ledger.stream);
    if (tables === null) await (await tools.side()).query(TAKEN_ROWS);
    return tables ?? new Set<string>();
  });
  let keys: Promise<readonly TargetForeignKey[]> | null = null;
  const known = (): Promise<readonly TargetForeignKey[]> => {
    keys ??= guarded(doing, async () => await readAllForeignKeys(session.connection));
    return keys;
  };
  return {
    connection: session.connection,
    stream: ledger.stream,
    writer,
    doing,
    remembered,
    contained: (table) => tableContained(baselines, table, last.positionTo),
    foreignKeys: known,
    factsOf: async (table) => await guarded(doing, async () => await tools.facts.target(session.connection, session.engine, table, doing)),
    async stage(facts) {
      const key = nameOf(facts);
      if (staged.has(key)) return;
      await guarded(doing, async () => await createStaging(await tools.side(), facts));
      staged.add(key);
    },
  };
}
