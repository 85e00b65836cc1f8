/** What belongs to a stream. Pure. */
import type { TableName } from '../../../vocabulary.js';
import type { DdlClassification, Selection } from '../../engine.js';

/** Never replicated: the servers' own, and the ledger's. */
const NEVER = new Set(['mysql', 'information_schema', 'performance_schema', 'sys', 'srdf']);
/** Names under which gh-ost (`_x_gho`, `_x_ghc`, `_x_del`) and pt-online-schema-change (`_x_new`, `_x_old`) rebuild x. */
const REBUILT = /^_+(.+)_(?:gho|ghc|del|new|old)$/;

export function databaseInScope(selection: Selection, database: string): boolean {
  return !NEVER.has(database.toLowerCase()) && selection.databases.includes(database);
}

export function tableInScope(selection: Selection, name: TableName): boolean {
  if (!databaseInScope(selection, name.database)) return false;
  const has = (list: readonly TableName[], table: string): boolean =>
    list.some((it) => it.database === name.database && it.table === table);
  const base = REBUILT.exec(name.table)?.[1];
  if (has(selection.exclude, name.table)) return false;
  if (has(selection.include, name.table)) return true;
  // A table being rebuilt goes where the one it replaces goes, unless it is named itself.
  if (base !== undefined && has(selection.exclude, base)) return false;
  return selection.include.length === 0 || (base !== undefined && has(selection.include, base));
}

const FOLDED: ReadonlySet<DdlClassification['object']> = new Set(['table', 'index', 'view', 'sequence']);
/**
 * Where the server takes names of databases and tables without regard to case, a statement may write them as it likes; the stream's are in lower case.
 * Routines, triggers and events are called as they were created.
 */
export function foldedNames(ddl: DdlClassification): DdlClassification {
  const fold = FOLDED.has(ddl.object) ? foldedName : (it: TableName): TableName => ({ ...it, database: it.database.toLowerCase() });
  return { ...ddl, names: ddl.names.map(fold), ...(ddl.on !== undefined && { on: foldedName(ddl.on) }) };
}
export const foldedName = ({ database, table }: TableName): TableName => ({ database: database.toLowerCase(), table: table.toLowerCase() });

/** Tables, indexes and triggers go by table; everything else with its database. */
export function ddlInScope(selection: Selection, ddl: DdlClassification): boolean {
  if (ddl.on !== undefined) return tableInScope(selection, ddl.on);
  if (ddl.object === 'table' || ddl.object === 'index') return ddl.names.some((name) => tableInScope(selection, name));
  return ddl.names.some((name) => databaseInScope(selection, name.database));
}
