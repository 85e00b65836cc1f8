/** A DROP of several objects of which only some are the stream's: the statement for just these. Pure. */
import type { TableName } from '../../../vocabulary.js';
import type { DdlStatement, Selection } from '../../engine.js';
import { quoteTable } from '../ranges/sql-literals.js';
import { databaseInScope, tableInScope } from './scope.js';

/** utf8mb4_general_ci, the same number in both servers. */
const UTF8MB4 = 45;
const DROPS = { table: 'TABLE', view: 'VIEW', sequence: 'SEQUENCE' } as const;
const IF_EXISTS = /^\s*DROP\s+(TABLES?|VIEW|SEQUENCE)\s+IF\s+EXISTS\b/i;

/**
 * Any other statement, and one that is wholly the stream's, comes back as it is. Without IF EXISTS in plain sight the part has none either: what
 * lacks on the target is then an error there.
 */
export function partInScope(statement: DdlStatement, selection: Selection): DdlStatement {
  const { verb, object, names } = statement.classification;
  if (verb !== 'drop' || (object !== 'table' && object !== 'view' && object !== 'sequence')) return statement;
  const isOurs = (it: TableName): boolean => (object === 'table' ? tableInScope(selection, it) : databaseInScope(selection, it.database));
  const ours = names.filter(isOurs);
  if (ours.length === names.length || ours.length === 0) return statement;
  const ifExists = IF_EXISTS.test(Buffer.from(statement.sql).toString('latin1')) ? 'IF EXISTS ' : '';
  return {
    ...statement,
    sql: Buffer.from(`DROP ${DROPS[object]} ${ifExists}${ours.map(quoteTable).join(', ')}`, 'utf8'),
    session: { ...statement.session, characterSetClient: UTF8MB4 },
    classification: { ...statement.classification, names: ours },
  };
}
