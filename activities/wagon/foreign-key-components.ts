/** Which tables foreign keys tie together, and which of those ties change rows the log doesn't tell of. Pure. */
import type { ForeignKeyFact } from '../engines/engine.js';
import type { TableName } from '../vocabulary.js';

/**
 * A table's identity for grouping. Lower case, since servers may fold names: taking two tables for one only makes
 * compaction more careful.
 */
export function componentKey(name: TableName): string {
  return `${name.database}\u0000${name.table}`.toLowerCase();
}

export interface ForeignKeyComponents {
  /** One representative for all tables that are connected by foreign keys of any kind; a table without any represents itself. */
  componentOf(name: TableName): string;
  /** Column sets of this table that cascading foreign keys of others (or its own) refer to; empty when there are none. */
  cascadingReferences(name: TableName): readonly (readonly string[])[];
}

export function foreignKeyComponents(facts: readonly ForeignKeyFact[]): ForeignKeyComponents {
  const leader = new Map<string, string>();
  const find = (key: string): string => {
    let at = key;
    for (;;) {
      const next = leader.get(at);
      if (next === undefined || next === at) break;
      at = next;
    }
    leader.set(key, at);
    return at;
  };
  const cascading = new Map<string, (readonly string[])[]>();
  for (const fact of facts) {
    const parent = componentKey(fact.parent);
    leader.set(find(componentKey(fact.child)), find(parent));
    if (!fact.cascades) continue;
    const sets = cascading.get(parent);
    if (sets === undefined) cascading.set(parent, [fact.parentColumns]);
    else sets.push(fact.parentColumns);
  }
  return {
    componentOf: (name) => find(componentKey(name)),
    cascadingReferences: (name) => cascading.get(componentKey(name)) ?? [],
  };
}
