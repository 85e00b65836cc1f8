/**
 * Whether an account sees every routine. Without the privilege the server lists fewer and says nothing, which would lose them unseen.
 * MariaDB: SELECT on mysql.proc, from 11.3 on also SHOW CREATE ROUTINE. MySQL: SHOW_ROUTINE or SELECT on everything
 * (MySQL manual, "The INFORMATION_SCHEMA ROUTINES Table").
 */
import type { Connection } from 'mysql2/promise';
import type { ServerKind } from '../connection.js';
import { textRows } from '../ranges/exact-query.js';

/** null: it does. Otherwise the GRANT that lacks, for the session's own account. */
export async function missingRoutineGrant(connection: Connection, kind: ServerKind): Promise<string | null> {
  const [who] = await textRows(connection, 'SELECT CURRENT_USER()');
  const [user = '', host = '%'] = (who?.[0] ?? '').split(/@(?=[^@]*$)/);
  const account = `'${user}'@'${host}'`;
  const grants = (await textRows(connection, 'SHOW GRANTS')).map((row) => row[0] ?? '');
  const everywhere = (privilege: RegExp): boolean =>
    grants.some((grant) => / ON \*\.\* TO /.test(grant) && privilege.test(grant.slice(0, grant.indexOf(' ON *.* '))));
  if (everywhere(/ALL PRIVILEGES/)) return null;
  if (kind.engine === 'mysql') return everywhere(/\b(SHOW_ROUTINE|SELECT)\b/) ? null : `GRANT SHOW_ROUTINE ON *.* TO ${account};`;
  if (everywhere(/SHOW CREATE ROUTINE/)) return null;
  try {
    await textRows(connection, 'SELECT 1 FROM mysql.proc LIMIT 1');
    return null;
  } catch (error) {
    // 1142, 1143: no SELECT on the table.
    const { errno } = error as { errno?: number };
    if (errno !== 1142 && errno !== 1143) throw error;
    return `GRANT SELECT ON mysql.proc TO ${account};`;
  }
}
