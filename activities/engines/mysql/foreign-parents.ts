/** Part of the preflight of a source: foreign keys to tables that aren't replicated. */
import type { Connection } from 'mysql2/promise';
import type { Finding, Selection } from '../engine.js';
import { readAllForeignKeys } from './apply/foreign-keys.js';
import { tableInScope } from './binlog/scope.js';
import { nameOf } from './ranges/sql-literals.js';
import { parentFix } from './unreplicated.js';

/**
 * A key with an action changes rows unseen by the log; any other has the target look for a parent row that is never there.
 * `cascadesLogged`: the server logs what the actions do (MySQL 9.6 and later with innodb_native_foreign_keys=OFF).
 */
export async function checkForeignParents(connection: Connection, selection: Selection, cascadesLogged: boolean): Promise<Finding[]> {
  return (await readAllForeignKeys(connection))
    .filter((key) => tableInScope(selection, key.child) && !tableInScope(selection, key.parent))
    .map(({ child, parent, cascades }) => ({
      severity: 'error' as const,
      check: 'foreign-key',
      found:
        cascades && !cascadesLogged
          ? `rows of ${nameOf(child)} are deleted or changed by a foreign key to ${nameOf(parent)}, which isn't replicated: the log doesn't tell of it`
          : `${nameOf(child)} has a foreign key to ${nameOf(parent)}, which isn't replicated: the target would refuse its rows`,
      fix: parentFix(child, parent),
    }));
}
