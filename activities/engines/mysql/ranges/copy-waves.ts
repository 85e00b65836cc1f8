/**
 * Which tables may be copied only after which others. Pure.
 *
 * The deletion of a row is in the log; what a foreign key's action then does to children is not, nor what that does to theirs. While
 * catching up, the deletion is done again on the target, and the actions with it: children are found by the row's key, which the
 * log has, and grandchildren through the children. A child that was copied after the action is gone; a grandchild that was copied
 * before it would then stay for ever. So a table is copied behind those through which an action reaches it: whatever of it was
 * there to be copied, has its way there. The same goes for children of a table without primary key: it has the place in the log
 * of its own copy, so what it lost before is not done again.
 */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { TableName } from '../../../vocabulary.js';
import type { TargetForeignKey } from '../apply/foreign-keys.js';
import { nameOf } from './sql-literals.js';

const keyOf = (it: TableName): string => JSON.stringify([it.database, it.table]);

/** Keys that are reached by an action of another key: that one's action removes the row, or changes a column this one refers to. */
const reachedUnseen = (keys: readonly TargetForeignKey[]): readonly TargetForeignKey[] =>
  keys.filter(
    (key) =>
      key.cascades &&
      keys.some(
        (before) =>
          before.cascades &&
          keyOf(before.child) === keyOf(key.parent) &&
          (before.deletes || before.childColumns.some((column) => key.parentColumns.includes(column))),
      ),
  );

/** 0: from the start; n: once those below n are in. Throws `not-supported` for tables that reach each other so. */
export function copyWaves(keys: readonly TargetForeignKey[], keyed: (table: TableName) => boolean): (table: TableName) => number {
  const keyless = keys.filter((key) => key.cascades && !keyed(key.parent));
  const unseen = [...reachedUnseen(keys), ...keyless].filter((key) => keyOf(key.parent) !== keyOf(key.child));
  const waves = new Map<string, number>();
  const waveOf = (table: TableName, path: readonly string[]): number => {
    const key = keyOf(table);
    if (path.includes(key))
      throw new SrdfError('not-supported', {
        tried: 'planning the tables to copy',
        found: `foreign keys with ON DELETE CASCADE lead from ${nameOf(table)} through other tables back to it: what they do isn’t in the log, and no order of copying makes up for it`,
        action: `Drop one of these foreign keys on the source while srdf establish runs, or exclude ${nameOf(table)}`,
      });
    const known = waves.get(key);
    if (known !== undefined) return known;
    const wave = Math.max(0, ...unseen.filter((it) => keyOf(it.child) === key).map((it) => 1 + waveOf(it.parent, [...path, key])));
    waves.set(key, wave);
    return wave;
  };
  return (table) => waveOf(table, []);
}

/** A table whose actions lead on inside itself (a tree): all of it must be copied at one moment. */
export const reachesItself = (keys: readonly TargetForeignKey[], table: TableName): boolean =>
  reachedUnseen(keys).some((key) => keyOf(key.parent) === keyOf(table) && keyOf(key.child) === keyOf(table));
