/** Statements whose names a source has put into lower case, since its server takes them without regard to case. */
import type { Connection } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { DdlStatement } from '../../engine.js';
import { lowerCaseTableNames } from '../connection.js';
import { classifyStatement } from '../ddl/classify.js';
import { saysTheSame } from '../wagon-scope.js';

/** Throws `wagon-scope` where this server would take the text's names for those of other objects. */
export async function requireNamesOfText(connection: Connection, statement: DdlStatement, doing: string): Promise<void> {
  const kind = classifyStatement(statement.sql, statement.defaultDatabase, statement.session);
  if (kind.kind === 'ddl' && saysTheSame(kind.classification, statement.classification)) return;
  if ((await lowerCaseTableNames(connection)) === 1) return;
  throw new SrdfError('wagon-scope', {
    tried: doing,
    found: 'the source takes names of tables without regard to case, and the target doesn’t',
    action: 'Nothing was applied. Give both servers the same lower_case_table_names, then establish the stream again (srdf establish)',
  });
}
