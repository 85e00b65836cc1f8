/** Part of the preflight of a source: rows that a table which isn't replicated changes through a foreign key's action, unseen by the log. */
import type { Connection } from 'mysql2/promise';
import type { Finding, Selection } from '../engine.js';
import { readAllForeignKeys } from './apply/foreign-keys.js';
import { tableInScope } from './binlog/scope.js';
import { nameOf, quoteTable } from './ranges/sql-literals.js';

/** `cascadesLogged`: the server logs what the actions do (MySQL 9.6 and later with innodb_native_foreign_keys=OFF). */
export async function checkForeignParents(connection: Connection, selection: Selection, cascadesLogged: boolean): Promise<Finding[]> {
  if (cascadesLogged) return [];
  return (await readAllForeignKeys(connection))
    .filter((key) => key.cascades && tableInScope(selection, key.child) && !tableInScope(selection, key.parent))
    .map((key) => ({
      severity: 'error' as const,
      check: 'foreign-key',
      found: `rows of ${nameOf(key.child)} are deleted or changed by a foreign key to ${nameOf(key.parent)}, which isn't replicated: the log doesn't tell of it`,
      fix: `Replicate ${nameOf(key.parent)} as well, exclude ${nameOf(key.child)}, or drop the foreign key: ALTER TABLE ${quoteTable(key.child)} DROP FOREIGN KEY its name (SHOW CREATE TABLE tells it)`,
    }));
}
