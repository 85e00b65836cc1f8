/** What a stream replicates, made comparable: between the configs of both sites, and with what the stream was established with. Pure. */
import { createHash } from 'node:crypto';
import type { Finding, Selection } from '../engines/engine.js';
import type { TableName } from '../vocabulary.js';

/** As the config names them, each once and in one order: a list that is only written in another order is the same. */
export type SelectedNames = Readonly<Record<'databases' | 'include' | 'exclude', readonly string[]>>;

export const selectedNames = ({ databases, include, exclude }: Selection): SelectedNames => ({
  databases: inOrder(databases),
  include: inOrder(include.map(nameOf)),
  exclude: inOrder(exclude.map(nameOf)),
});
const inOrder = (names: readonly string[]): readonly string[] => [...new Set(names)].sort();
const nameOf = ({ database, table }: TableName): string => `${database}.${table}`;

/** Equal exactly when the selections are; tells whoever reads it no name. */
export const selectionDigest = (selection: Selection): string =>
  createHash('sha256')
    .update(JSON.stringify(selectedNames(selection)))
    .digest('hex');

/** What was added and what removed, list by list; null: nothing. */
export function selectionChange(established: SelectedNames, configured: SelectedNames): string | null {
  const changes = (['databases', 'include', 'exclude'] as const).flatMap((list) => {
    const added = configured[list].filter((name) => !established[list].includes(name));
    const removed = established[list].filter((name) => !configured[list].includes(name));
    return [
      ...(added.length > 0 ? [`added to ${list}: ${added.join(', ')}`] : []),
      ...(removed.length > 0 ? [`removed from ${list}: ${removed.join(', ')}`] : []),
    ];
  });
  return changes.length === 0 ? null : changes.join('; ');
}

/**
 * `theirs`: the digest of the source's selection; undefined from a source of an earlier version. What only one site selects would be copied
 * and refused, or never be copied at all.
 */
export const differingSelections = (theirs: string | undefined, ours: Selection): readonly Finding[] =>
  theirs === undefined || theirs === selectionDigest(ours)
    ? []
    : [
        {
          severity: 'error',
          check: 'selection',
          found: 'the srdf.yaml of both sites name different databases or tables for this stream',
          fix: 'Make databases, include and exclude of the stream the same in the srdf.yaml of both sites, and start both workers again',
        },
      ];
