/** In which order tables are copied, and which ones a change of the schema concerns. Pure. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { DdlClassification, TablePlan } from '../engines/engine.js';
import type { TableName } from '../vocabulary.js';

/** `priority`: `database.table`, the most important first, within their wave. Behind them the largest first, so that it doesn't come alone at the end. */
export function inCopyOrder(tables: readonly TablePlan[], priority: readonly string[]): readonly TablePlan[] {
  const rank = (it: TablePlan): number => {
    const index = priority.indexOf(`${it.database}.${it.table}`);
    return index < 0 ? priority.length : index;
  };
  const wave = (it: TablePlan): number => it.wave ?? 0;
  return [...tables].sort(
    (a, b) => wave(a) - wave(b) || rank(a) - rank(b) || b.estimatedBytes - a.estimatedBytes || (key(a) < key(b) ? -1 : 1),
  );
}
const key = (it: TableName): string => JSON.stringify([it.database, it.table]);

/**
 * Tables named by statements on tables, indexes and sequences, as far as they are in scope: never one that isn't ours.
 * A rename may concern a view, and triggers follow their table: it counts with the other objects as well.
 * Throws `bootstrap-unsettled` for a database that came or went.
 */
export function changedBy(
  statements: readonly DdlClassification[],
  inScope: (name: TableName) => boolean,
): { readonly tables: readonly TableName[]; readonly otherObjects: number } {
  const tables = new Map<string, TableName>();
  let otherObjects = 0;
  for (const { verb, object, names } of statements) {
    if (object === 'database') {
      if (verb === 'alter') continue;
      throw new SrdfError('bootstrap-unsettled', {
        tried: 'looking for tables that changed while they were copied',
        found: `the database ${names[0]?.database ?? ''} was ${verb === 'drop' ? 'dropped' : 'created'} meanwhile`,
        action:
          'Drop what was copied on the target (srdf status shows the databases) and run srdf establish again once the source is settled',
      });
    }
    if (object !== 'table' && object !== 'index' && object !== 'sequence') {
      otherObjects++;
      continue;
    }
    otherObjects += verb === 'rename' || verb === 'drop' ? 1 : 0;
    // TRUNCATE changes no definition, but the rows that were read before it are gone: the copy is begun anew as well.
    for (const name of names) if (inScope(name)) tables.set(key(name), { database: name.database, table: name.table });
  }
  return { tables: [...tables.values()], otherObjects };
}
