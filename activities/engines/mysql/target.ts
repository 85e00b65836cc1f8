/** The target's side of the MySQL family, assembled. One object serves any number of streams on one server. */
import type { Connection } from 'mysql2/promise';
import { SrdfError } from '../../../temporal/error-catalogue.js';
import type { BootstrapId, Epoch, Position, StreamName } from '../../vocabulary.js';
import type { Ledger, TargetEngine, TargetEngineOptions } from '../engine.js';
import { applyDdl } from './apply/apply-ddl.js';
import { applyTrain } from './apply/apply-train.js';
import { discardTrain, forgetDiscarded, readDiscarded } from './apply/discard-train.js';
import { readForeignKeys } from './apply/foreign-keys.js';
import { forgetBootstrap, guarded, readBaselines } from './apply/ledger-move.js';
import { insertLedgerRow, LEDGER_TABLES, moveLedgerRow, readLedgerRow } from './apply/ledger-rows.js';
import { dropStaging } from './apply/staging.js';
import { TargetSessions } from './apply/target-sessions.js';
import { requireFitSettings } from './apply/target-settings.js';
import { compareServers } from './compare-servers.js';
import { openConnection, type ServerAccess } from './connection.js';
import { inspectTarget } from './inspect-target.js';
import { catchingUp, emptyLedger } from './ledger.js';
import { reached } from './position.js';
import { alone } from './ranges/alone.js';
import { loadedParts } from './ranges/bootstrap-bookkeeping.js';
import { BOOTSTRAP_TABLES } from './ranges/bootstrap-tables.js';
import { checksumRange } from './ranges/checksum-range.js';
import { KeptConnections } from './ranges/kept-connections.js';
import { makeKeys, putOffKeys, tablesWithoutKeys } from './ranges/late-keys.js';
import { loadRange } from './ranges/load-range.js';
import { listTables } from './ranges/plan-tables.js';
import { resetTables } from './ranges/reset-tables.js';
import { nameOf } from './ranges/sql-literals.js';
import { createSchema } from './schema/create-schema.js';
import { outOfScope } from './wagon-scope.js';

export function createTargetEngine(options: TargetEngineOptions): TargetEngine {
  const access: ServerAccess = { server: options.server, password: options.password ?? null, role: 'target' };
  const sessions = new TargetSessions(access, options.name);
  const loaders = new KeptConnections(async () => {
    const doing = 'opening the target to load what is copied';
    const connection = await openConnection(access, { localFiles: true });
    try {
      await guarded(doing, async () => await requireFitSettings(connection, options.name, doing));
      return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  });
  const withConnection = async <T>(use: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = await openConnection(access);
    try {
      return await use(connection);
    } finally {
      connection.destroy();
    }
  };
  const inLedger = async (
    stream: StreamName,
    doing: string,
    change: (ledger: Ledger | null, connection: Connection) => Promise<Ledger>,
  ): Promise<Ledger> =>
    await withConnection(
      async (connection) =>
        await guarded(doing, async () =>
          // Not while an object is created or dropped for the stream: who does that has read the phase before.
          alone(connection, stream, null, doing, async () => {
            await connection.query('START TRANSACTION');
            const ledger = await change(await readLedgerRow(connection, stream, true), connection);
            await connection.query('COMMIT');
            return ledger;
          }),
        ),
    );

  return {
    name: options.name,
    reached,
    compareServers,
    inspect: async (selection, { mustBeEmpty }) => await inspectTarget(access, options.name, selection, mustBeEmpty),
    outOfScope,
    readLedger: async (stream) =>
      await sessions.withReader(
        async (connection) => await guarded(`reading the ledger of ${stream}`, async () => await readLedgerRow(connection, stream)),
      ),
    boundaries: async (stream) =>
      await sessions.withReader(
        async (connection) =>
          await guarded(`reading the boundaries of ${stream}`, async () =>
            boundariesOf(await readLedgerRow(connection, stream), connection),
          ),
      ),
    applyTrain: async (places, bodies) => {
      const stream = places[0]?.stream;
      if (stream === undefined) throw new SrdfError('wagon-malformed', emptyTrain);
      const result = await sessions.withApplier(stream, async (tools) => await applyTrain(tools, places, bodies));
      if (result.outcome === 'applied' && result.ledger.phase === 'consistent') await sessions.dropStagingOnce(dropStaging);
      return result;
    },
    applyDdl: async (place, body) => await sessions.withDdlSession(place.stream, async (session) => await applyDdl(session, place, body)),
    discardTrain: async (places, by) => {
      const stream = places[0]?.stream;
      if (stream === undefined) throw new SrdfError('wagon-malformed', emptyTrain);
      return await sessions.withDdlSession(stream, async (session) => await discardTrain(session, places, by));
    },
    discardedWagons: async (stream) =>
      await sessions.withReader(
        async (connection) => await guarded(`reading what was discarded of ${stream}`, async () => await readDiscarded(connection, stream)),
      ),
    foreignKeys: async (_stream, selection) =>
      await sessions.withReader(
        async (connection) =>
          await guarded('reading the target’s foreign keys', async () => await readForeignKeys(connection, selection.databases)),
      ),

    beginLoading: async (stream, bootstrap, epoch) => {
      const doing = `beginning to load stream ${stream}`;
      await withConnection(
        async (connection) =>
          await guarded(doing, async () => {
            for (const statement of [...LEDGER_TABLES, ...BOOTSTRAP_TABLES]) await connection.query(statement);
          }),
      );
      return await inLedger(stream, doing, async (ledger, connection) => await beginLoading(ledger, connection, stream, bootstrap, epoch));
    },
    createSchema: async (stream, bootstrap, body, signal) => {
      sessions.forgetTables();
      return await guarded(
        `creating the schema of stream ${stream}`,
        async () => await withConnection(async (connection) => await createSchema(connection, stream, bootstrap, body, signal)),
      );
    },
    resetTables: async (stream, bootstrap, tables, baseline, options) => {
      sessions.forgetTables();
      await guarded(
        `resetting tables of stream ${stream}`,
        async () => await withConnection(async (connection) => await resetTables(connection, stream, bootstrap, tables, baseline, options)),
      );
    },
    prepareTable: async (stream, bootstrap, table) =>
      await guarded(
        `preparing ${nameOf(table)} for its rows`,
        async () => await withConnection(async (connection) => await putOffKeys(connection, stream, bootstrap, table)),
      ),
    completeTable: async (stream, bootstrap, table) =>
      await guarded(
        `making the keys of ${nameOf(table)}`,
        async () => await withConnection(async (connection) => await makeKeys(connection, stream, bootstrap, table)),
      ),
    loadedParts: async (stream, range) => await loaders.use(async (connection) => await loadedParts(connection, stream, range)),
    loadRange: async (stream, bootstrap, range, body) =>
      await loaders.use(async (connection) => await loadRange(connection, stream, bootstrap, range, body)),
    beginCatchUp: async (stream, bootstrap, from, consistentFrom) =>
      await inLedger(stream, `beginning the catch-up of stream ${stream}`, async (ledger, connection) =>
        beginCatchUp(ledger, connection, stream, bootstrap, from, consistentFrom),
      ),

    checksumRange: async (request) =>
      await guarded(
        `computing a checksum of ${request.table.database}.${request.table.table}`,
        async () => await withConnection(async (connection) => await checksumRange(connection, request)),
      ),
    listTables: async (selection) =>
      await guarded(
        'listing the target’s tables',
        async () => await withConnection(async (connection) => await listTables(connection, selection)),
      ),
    close: async () => {
      loaders.close();
      await sessions.close();
    },
  };
}

const emptyTrain = { tried: 'applying a train', found: 'no wagon in it', action: 'Install the same version of SRDF on both sites' };

async function boundariesOf(ledger: Ledger | null, connection: Connection): Promise<readonly Position[]> {
  if (ledger === null || ledger.phase !== 'catching-up' || ledger.position === null) return [];
  const { position } = ledger;
  const all = [
    ...(await readBaselines(connection, ledger.stream)).map((it) => it.baseline),
    ...(ledger.consistentFrom === null ? [] : [ledger.consistentFrom]),
  ];
  return [...new Set(all)].filter((it) => !reached(position, it));
}

async function beginLoading(
  ledger: Ledger | null,
  connection: Connection,
  stream: StreamName,
  bootstrap: BootstrapId,
  epoch: Epoch,
): Promise<Ledger> {
  if (ledger === null) {
    // What a former life of the stream left, whose positions say nothing of this one.
    await forgetBootstrap(connection, stream);
    const fresh = emptyLedger(stream, bootstrap, epoch, Date.now());
    await forgetDiscarded(connection, stream);
    await insertLedgerRow(connection, fresh);
    return fresh;
  }
  if (ledger.bootstrap === bootstrap) return ledger;
  throw new SrdfError('target-not-empty', {
    tried: `beginning to load stream ${stream}`,
    found: `the target has a ledger of it already (${ledger.phase}, wagon ${ledger.sequence}, bootstrap ${ledger.bootstrap})`,
    action:
      'First save the databases of the stream, on the target, since they may hold what the source has lost (mariadb-dump or mysqldump, with ' +
      `--single-transaction --databases). Then, to load it anew: drop them there, and DELETE FROM srdf.ledger WHERE stream = '${stream}'`,
  });
}

async function beginCatchUp(
  ledger: Ledger | null,
  connection: Connection,
  stream: StreamName,
  bootstrap: BootstrapId,
  from: Position,
  consistentFrom: Position,
): Promise<Ledger> {
  const tried = `beginning the catch-up of stream ${stream}`;
  if (ledger === null)
    throw new SrdfError('ledger-missing', { tried, found: 'the target has no ledger of it', action: 'Run srdf establish again' });
  if (ledger.bootstrap !== bootstrap)
    throw new SrdfError('ledger-inconsistent', {
      tried,
      found: `the ledger belongs to the bootstrap ${ledger.bootstrap}`,
      action: 'Another bootstrap of this stream has taken over: look at `srdf status`, and cancel the older one',
    });
  // Begun before, by an attempt whose answer was lost.
  if (ledger.phase !== 'loading') return ledger;
  const [unfinished] = await tablesWithoutKeys(connection, stream, bootstrap);
  if (unfinished !== undefined)
    throw new SrdfError('ledger-inconsistent', {
      tried,
      found: `${unfinished} still lacks keys that were put off while its rows were loaded`,
      action: 'Install the same version of SRDF on both sites, drop what was copied on the target, and run srdf establish again',
    });
  const begun = catchingUp(ledger, from, consistentFrom, Date.now());
  if (begun.phase === 'consistent') await forgetBootstrap(connection, stream);
  await moveLedgerRow(connection, ledger, begun);
  return begun;
}
