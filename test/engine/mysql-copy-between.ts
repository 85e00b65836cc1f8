/** Copies databases from one real server to another through the engine's own parts: what a bootstrap does, without transport. */
import type { Connection } from 'mysql2/promise';
import type { Selection, SourceEngine } from '../../activities/engines/engine.js';
import { insertLedgerRow, LEDGER_TABLES } from '../../activities/engines/mysql/apply/ledger-rows.js';
import { openConnection } from '../../activities/engines/mysql/connection.js';
import { emptyLedger } from '../../activities/engines/mysql/ledger.js';
import { loadRange } from '../../activities/engines/mysql/ranges/load-range.js';
import { createSchema } from '../../activities/engines/mysql/schema/create-schema.js';
import { createSourceEngine } from '../../activities/engines/mysql/source.js';
import { outOfScope } from '../../activities/engines/mysql/wagon-scope.js';
import type { BootstrapId, Epoch, StreamName, TableName, WagonHash } from '../../activities/vocabulary.js';
import type { SchemaStage } from '../../activities/wagon/body.js';
import type { ServerConfig } from '../../config/schema.js';
import type { DatabaseServer } from '../servers/database-server.js';

export const STREAM = 'shop' as StreamName;
export const BOOTSTRAP = 'b1' as BootstrapId;
export const hashOf = (number: number): WagonHash => number.toString(16).padStart(64, '0') as WagonHash;

export const configOf = (server: DatabaseServer): ServerConfig => ({ host: '127.0.0.1', port: server.port, user: 'root' });
export const sourceOf = (server: DatabaseServer): SourceEngine =>
  createSourceEngine({ name: server.kind, server: configOf(server), password: undefined, serverId: 9_000 + server.serverId });
/** `localFiles`: as the target's own engine opens what it loads through; otherwise as from a server that takes no files. */
export const openTarget = (server: DatabaseServer, localFiles = true): Promise<Connection> =>
  openConnection({ server: configOf(server), password: null, role: 'target' }, { localFiles });

/** A target that this bootstrap is loading. */
export async function beginLoading(target: Connection): Promise<void> {
  for (const statement of LEDGER_TABLES) await target.query(statement);
  await target.query('DELETE FROM srdf.ledger');
  await insertLedgerRow(target, emptyLedger(STREAM, BOOTSTRAP, 1 as Epoch, Date.now()));
}

let wagons = 0;
/** Every part of every range of a table; returns the rows loaded. */
export async function copyTable(
  source: SourceEngine,
  target: Connection,
  table: TableName,
  options: { readonly rowsPerRange: number; readonly maxBytes: number; readonly plan: string },
): Promise<number> {
  const plan = await source.planRanges(table, options.rowsPerRange);
  let rows = 0;
  for (let range = 0; range <= plan.boundaries.length; range++) {
    for await (const body of source.readRange(table, plan, range, options.maxBytes)) {
      const identity = { ...table, plan: options.plan, range, part: body.part, wagonHash: hashOf(++wagons) };
      rows += (await loadRange(target, STREAM, BOOTSTRAP, identity, body)).rows;
    }
  }
  return rows;
}

export async function copyAll(
  source: SourceEngine,
  target: Connection,
  selection: Selection,
  options: { readonly rowsPerRange: number; readonly maxBytes: number } = { rowsPerRange: 7, maxBytes: 300 },
): Promise<void> {
  const create = async (stage: SchemaStage): Promise<void> => {
    const body = await source.describeSchema(selection, stage);
    const strange = outOfScope(body, selection);
    if (strange !== null) throw new Error(`the target would refuse ${strange}`);
    await createSchema(target, STREAM, BOOTSTRAP, body);
  };
  await create('before-data');
  for (const { database, table } of await source.planTables(selection))
    await copyTable(source, target, { database, table }, { ...options, plan: '000000-a' });
  await create('after-data');
  await create('at-promotion');
}
