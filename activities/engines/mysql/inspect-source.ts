import type { Preflight, Selection } from '../engine.js';
import type { ServerAccess } from './connection.js';
export async function inspectSource(_access: ServerAccess & { readonly serverId: number }, _selection: Selection): Promise<Preflight> {
  throw new Error('not yet');
}
