/**
 * Statements of the stream that no other site can follow, whatever it does: there the stream stops, before a row differs in silence. What the
 * preflight refuses at first is refused here later. Pure.
 */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { TableName } from '../../../vocabulary.js';
import type { Selection } from '../../engine.js';
import { nameOf } from '../ranges/sql-literals.js';
import { parentFix, versionedFix, versionedFound } from '../unreplicated.js';
import type { LogPlace } from './log-place.js';
import { foldedName, tableInScope } from './scope.js';
import type { SchemaStatement } from './statement-meaning.js';

/**
 * 1051 unknown table, 4091 unknown sequence, 4092 unknown view: MariaDB's DROP of several drops what is there, and so does the target's. Of views it logs
 * the error beside the statement, of tables nothing.
 */
const LACKED: ReadonlySet<number> = new Set([1051, 4091, 4092]);

/**
 * Throws `log-event-unsupported`. `fold`: the source takes names without regard to case. An inline REFERENCES of a column counts as well, though MySQL
 * before 9.0 makes no key of it: the log doesn't tell the version's reading.
 */
export function refuseUnfollowed(statement: SchemaStatement, selection: Selection, fold: boolean, place: LogPlace): void {
  const { query, classification, traits } = statement;
  const { verb, object, names } = classification;
  const refusal = (found: string, action: string): SrdfError =>
    new SrdfError('log-event-unsupported', { tried: place.tried, found, action });
  if (query.errorCode !== 0 && !(verb === 'drop' && LACKED.has(query.errorCode)))
    throw refusal(
      `a statement (${verb} ${object}) that failed half-way at the source with error ${query.errorCode}`,
      'Compare both sides (srdf verify) and establish the stream again',
    );
  if (traits === undefined) return;
  const isOurs = (name: TableName): boolean => tableInScope(selection, fold ? foldedName(name) : name);
  // As it is called afterwards. (An ALTER TABLE's other names are those of partitions that move.)
  const table = names[verb === 'rename' ? 1 : 0];
  if (table === undefined || !isOurs(table)) return;
  if (traits.versioned === true)
    throw refusal(versionedFound(table), `${versionedFix(table)}; then establish the stream again (srdf establish)`);
  const parent = traits.parents?.find((name) => !isOurs(name));
  if (parent !== undefined)
    throw refusal(
      `${nameOf(table)} gets a foreign key to ${nameOf(parent)}, which isn't replicated: the log doesn't tell which rows its action deletes or changes, and the target would refuse others`,
      `${parentFix(table, parent)}; then establish the stream again (srdf establish)`,
    );
}
