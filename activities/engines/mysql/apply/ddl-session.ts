/** The session a statement ran in on the source, as SET statements, as mysqlbinlog prints them. Pure. */
import type { DdlSession, DdlStatement, EngineName } from '../../engine.js';

/** Bits of flags2: sql/query_options.h (MySQL), sql/sql_priv.h (MariaDB). `inverse`: the bit says that the switch is off. */
const FLAGS: readonly { readonly bit: number; readonly variable: string; readonly inverse: boolean; readonly engine?: EngineName }[] = [
  { bit: 1 << 14, variable: 'sql_auto_is_null', inverse: false },
  { bit: 1 << 26, variable: 'foreign_key_checks', inverse: true },
  { bit: 1 << 27, variable: 'unique_checks', inverse: true },
  { bit: 1 << 28, variable: 'sql_if_exists', inverse: false, engine: 'mariadb' },
  { bit: 1 << 15, variable: 'check_constraint_checks', inverse: true, engine: 'mariadb' },
];
/** MariaDB's bit for explicit_defaults_for_timestamp; MySQL has a status variable for it. */
const EXPLICIT_DEFAULTS = 1 << 24;

/**
 * What the target's session has, of variables that can't always be set even to the same value (without a privilege in MySQL; in MariaDB before
 * 10.8 not at all); and a name the server wants in the place of a number.
 */
export interface CurrentSession {
  readonly defaultCollationForUtf8mb4: number | null;
  readonly explicitDefaultsForTimestamp: boolean | null;
  /** The character set that `characterSetClient`, a collation's number, belongs to. */
  readonly clientCharacterSet: string | null;
}

/** Statements to run before it. */
export function sessionStatements(engine: EngineName, session: DdlSession, current: CurrentSession): readonly string[] {
  const set: string[] = [];
  const number = (variable: string, value: number | bigint | null): void => {
    if (value !== null) set.push(`SET @@session.${variable}=${value}`);
  };
  number('sql_mode', session.sqlMode);
  number('auto_increment_increment', session.autoIncrementIncrement);
  number('auto_increment_offset', session.autoIncrementOffset);
  number('lc_time_names', session.lcTimeNames);
  if (session.flags2 !== null)
    for (const flag of FLAGS)
      if (flag.engine === undefined || flag.engine === engine)
        number(flag.variable, ((session.flags2 & flag.bit) !== 0) !== flag.inverse ? 1 : 0);
  if (session.timeZone !== null && /^[\w+:/-]{1,64}$/.test(session.timeZone)) set.push(`SET @@session.time_zone='${session.timeZone}'`);
  number('timestamp', session.timestamp);
  if (session.defaultCollationForUtf8mb4 !== current.defaultCollationForUtf8mb4)
    number('default_collation_for_utf8mb4', session.defaultCollationForUtf8mb4);
  const explicitDefaults = explicitDefaultsOf(engine, session);
  if (explicitDefaults !== null && explicitDefaults !== current.explicitDefaultsForTimestamp)
    number('explicit_defaults_for_timestamp', explicitDefaults ? 1 : 0);
  // Last: from here on the session reads statements in another character set.
  if (session.characterSetClient !== null && current.clientCharacterSet !== null)
    set.push(
      `SET @@session.character_set_client=${current.clientCharacterSet}, @@session.collation_connection=${session.collationConnection ?? session.characterSetClient}` +
        (session.collationServer === null ? '' : `, @@session.collation_server=${session.collationServer}`),
    );
  return set;
}

function explicitDefaultsOf(engine: EngineName, { explicitDefaultsForTimestamp, flags2 }: DdlSession): boolean | null {
  if (engine === 'mysql') return explicitDefaultsForTimestamp;
  return flags2 === null ? null : (flags2 & EXPLICIT_DEFAULTS) !== 0;
}

/**
 * The statement as it can be run alone. MySQL logs an atomic CREATE TABLE … SELECT as `CREATE TABLE … START TRANSACTION`, which only a
 * replication thread may say; the clause says no more than that rows follow.
 */
export function runnableText(statement: DdlStatement): string {
  const text = Buffer.from(statement.sql.buffer, statement.sql.byteOffset, statement.sql.byteLength).toString('latin1');
  const { verb, object } = statement.classification;
  return verb === 'create' && object === 'table' ? text.replace(/\s+START\s+TRANSACTION\s*;?\s*$/i, '') : text;
}

/** utf8mb4_general_ci in both servers. */
const UTF8MB4 = 45;
/**
 * The server logs CREATE TABLE … SELECT as a statement it has made itself, in UTF-8, in an event that still tells the client's
 * character set (MySQL bug family; seen with MariaDB 10.11 and MySQL 9.7: native replicas get `Ã©` for `é`). It is recognised by its
 * own form — the server's quoting and line breaks — and by bytes outside ASCII that are valid UTF-8.
 */
export function readsAsUtf8(statement: DdlStatement): boolean {
  const { verb, object } = statement.classification;
  const client = statement.session.characterSetClient;
  if (verb !== 'create' || object !== 'table' || client === null) return false;
  const bytes = Buffer.from(statement.sql.buffer, statement.sql.byteOffset, statement.sql.byteLength);
  const text = bytes.toString('latin1');
  if (!/[\x80-\xff]/.test(text)) return false;
  if (!/^CREATE (OR REPLACE )?TABLE (IF NOT EXISTS )?(`[^`]+`\.)?`[^`]+` \(\n {2}`/.test(text)) return false;
  return bytes.equals(Buffer.from(bytes.toString('utf8'), 'utf8'));
}
export const asUtf8 = (session: DdlSession): DdlSession => ({ ...session, characterSetClient: UTF8MB4 });
