/**
 * A DDL statement can't share a transaction with the ledger. So: its intent and what the objects look like before, in one transaction;
 * the statement; the ledger's move in another. After a crash in between, what the objects look like now tells how far it got.
 */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import { faultPoint } from '../../../fault-points.js';
import type { StreamName } from '../../../vocabulary.js';
import type { DdlBody } from '../../../wagon/body.js';
import type { ApplyResult, DdlSession, DdlStatement, EngineName, Ledger, WagonPlace } from '../../engine.js';
import { exactSession } from '../connection.js';
import { nameOf, quoteName } from '../ranges/sql-literals.js';
import { serverError } from '../server-error.js';
import { definersFix, wordsOf } from '../server-words.js';
import { applyError } from './apply-errors.js';
import { asUtf8, type CurrentSession, readsAsUtf8, runnableText, sessionStatements } from './ddl-session.js';
import { deferStatement, followTables, isDeferred } from './deferred-objects.js';
import { afterCrash, type Fingerprint, NOT_RUN, readFingerprint } from './fingerprint.js';
import { requireNamesOfText } from './folded-statement.js';
import { beginFenced, commitMoved, ddlContained, describeWagons, guarded, readBaselines } from './ledger-move.js';
import { moveLedgerRow } from './ledger-rows.js';
import { ABANDONED, type TargetSession } from './target-session.js';
import { refuseUnrepeatable } from './unrepeatable-ddl.js';

const NO_ROWS = { inserted: 0, updated: 0, deleted: 0 };
/** How long a statement waits for readers of its tables, seconds, before it gives way and is tried again. */
const LOCK_WAIT_SECONDS = 60;

/** The stream's lock is held by this session, which must be closed afterwards: it has been the source's session. */
export async function applyDdl(session: TargetSession, place: WagonPlace, body: DdlBody): Promise<ApplyResult> {
  const { connection, engine } = session;
  const { statement } = body;
  const { classification } = statement;
  const doing = `${describeWagons([place])}, ${classification.verb} ${classification.object} ${classification.names.map(nameOf).join(', ')}`;
  const begun = await beginFenced(connection, [place], doing);
  let { ledger } = begun;
  if (!begun.apply) {
    await guarded(doing, async () => await connection.query('ROLLBACK'));
    return { outcome: 'already-applied', ledger, rows: NO_ROWS };
  }
  if (classification.names.some((it) => it.database.toLowerCase() === 'srdf'))
    throw new SrdfError('wagon-malformed', {
      tried: doing,
      found: 'a statement about SRDF’s own tables',
      action: 'Install the same version of SRDF on both sites',
    });

  await guarded(doing, async () => await requireNamesOfText(connection, statement, doing));
  if (ledger.phase === 'catching-up' && (await isContained(connection, ledger, place, statement, doing)))
    return { outcome: 'applied', ledger: await commitMoved(connection, ledger, place, doing), rows: NO_ROWS };
  if (isDeferred(classification)) {
    await guarded(doing, async () => await deferStatement(connection, ledger.stream, statement));
    return { outcome: 'applied', ledger: await commitMoved(connection, ledger, place, doing), rows: NO_ROWS };
  }

  const now = await guarded(doing, async () => await readFingerprint(connection, classification));
  const resumed = ledger.intent !== null;
  const crashed = ledger.intent === null ? 'run' : afterCrash(classification, ledger.intent.fingerprint, now);
  if (crashed === 'uncertain') throw uncertain(doing, ledger.stream);
  if (crashed === 'run') await guarded(doing, async () => await refuseUnrepeatable(connection, statement, doing));
  if (ledger.intent === null) ledger = await recordIntent(connection, ledger, place, now, doing);
  else await guarded(doing, async () => await connection.query('COMMIT'));

  await faultPoint('ddl-intent');
  if (crashed === 'run')
    await runStatement(connection, engine, statement, ledger.stream, doing).catch(async (error: unknown) => {
      if (!(error instanceof SrdfError) || error.code !== 'ddl-failed') throw error;
      await guarded(doing, async () => await settle(connection, engine));
      const left = await guarded(doing, async () => await readFingerprint(connection, classification));
      // An error of the server and yet done: of several objects some were gone, since it was begun before, or since MariaDB drops what is there of
      // those it is given and logs them all.
      const dropsSeveral = classification.verb === 'drop' && (resumed || classification.names.length > 1);
      if (dropsSeveral && afterCrash(classification, ledger.intent?.fingerprint ?? '', left) === 'done') return;
      if (left.hash === now.hash) await rememberRefused(connection, ledger, doing);
      throw error;
    });
  await guarded(doing, async () => await settle(connection, engine));
  await faultPoint('ddl-executed');
  const finished = await beginFenced(connection, [place], doing);
  if (!finished.apply) {
    await guarded(doing, async () => await connection.query('ROLLBACK'));
    return { outcome: 'already-applied', ledger: finished.ledger, rows: NO_ROWS };
  }
  await guarded(doing, async () => await followTables(connection, ledger.stream, classification));
  const moved = await commitMoved(connection, finished.ledger, place, doing);
  await faultPoint('ddl-done');
  return { outcome: 'applied', ledger: moved, rows: NO_ROWS };
}

async function isContained(
  connection: Connection,
  ledger: Ledger,
  place: WagonPlace,
  statement: DdlStatement,
  doing: string,
): Promise<boolean> {
  const baselines = await guarded(doing, async () => await readBaselines(connection, ledger.stream));
  const contained = ddlContained(baselines, statement.classification, place.positionTo);
  if (contained !== 'mixed') return contained === 'contained';
  throw new SrdfError('ddl-uncertain', {
    tried: doing,
    found: 'some of its tables were copied after it, others before',
    action: 'Nothing was applied. Establish the stream again (srdf establish), when nobody changes definitions',
  });
}

async function recordIntent(
  connection: Connection,
  ledger: Ledger,
  place: WagonPlace,
  before: Fingerprint,
  doing: string,
): Promise<Ledger> {
  const intent = { sequence: place.sequence, wagonHash: place.hash, fingerprint: before.hash };
  const after: Ledger = { ...ledger, intent, updatedAt: Math.max(Date.now(), ledger.updatedAt + 1) };
  await guarded(doing, async () => {
    await moveLedgerRow(connection, ledger, after);
    await connection.query('COMMIT');
  });
  return after;
}

/**
 * Whoever mends a target so that a refused statement fits changes what its objects look like, as the statement itself would have: that it hasn't run
 * is known only now.
 */
async function rememberRefused(connection: Connection, ledger: Ledger, doing: string): Promise<void> {
  if (ledger.intent === null) return;
  const after: Ledger = { ...ledger, intent: { ...ledger.intent, fingerprint: NOT_RUN } };
  await guarded(doing, async () => {
    await connection.query('START TRANSACTION');
    await moveLedgerRow(connection, ledger, after);
    await connection.query('COMMIT');
  });
}

async function runStatement(
  connection: Connection,
  engine: EngineName,
  statement: DdlStatement,
  stream: StreamName,
  doing: string,
): Promise<void> {
  await guarded(doing, async () => {
    await useDatabase(connection, statement.defaultDatabase);
    await connection.query(`SET SESSION lock_wait_timeout=${LOCK_WAIT_SECONDS}`);
    if (engine === 'mysql') await connection.query("SET SESSION gtid_next='AUTOMATIC'");
    for (const setting of LENIENT[engine]) await setIfKnown(connection, setting);
  });
  try {
    const session = readsAsUtf8(statement) ? asUtf8(statement.session) : statement.session;
    for (const set of sessionStatements(engine, session, await currentSession(connection, engine, session))) await connection.query(set);
    await queryBytes(connection, runnableText(statement));
  } catch (error) {
    if (error instanceof SrdfError) throw error;
    const mapped = applyError(error, doing, null);
    if (mapped.retryable) throw mapped;
    const { errno, message } = serverError(error);
    throw refused(doing, stream, errno, message);
  }
}

/**
 * What the source has accepted is accepted here. An invisible primary key that the source made is in the statement as it was logged: a second
 * one must not be made.
 */
const LENIENT: Readonly<Record<EngineName, readonly string[]>> = {
  mariadb: ['innodb_strict_mode=0'],
  mysql: ['sql_generate_invisible_primary_key=0', 'sql_require_primary_key=0', 'restrict_fk_on_non_standard_key=0', 'innodb_strict_mode=0'],
};
/** 1193: a version without it. */
async function setIfKnown(connection: Connection, setting: string): Promise<void> {
  try {
    await connection.query(`SET SESSION ${setting}`);
  } catch (error) {
    if (serverError(error).errno !== 1193) throw error;
  }
}

/** A statement logged with a default database that isn't replicated names its objects in full. */
async function useDatabase(connection: Connection, database: string): Promise<void> {
  if (database === '') return;
  const [rows] = await connection.query<RowDataPacket[]>('SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?', [database]);
  if (rows.length > 0) await connection.query(`USE ${quoteName(database)}`);
}

async function currentSession(connection: Connection, engine: EngineName, source: DdlSession): Promise<CurrentSession> {
  const clientCharacterSet =
    source.characterSetClient === null ? null : await characterSetOf(connection, engine, source.characterSetClient);
  const collation =
    engine === 'mariadb'
      ? 'NULL'
      : '(SELECT ID FROM information_schema.COLLATIONS WHERE COLLATION_NAME = @@session.default_collation_for_utf8mb4)';
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT @@explicit_defaults_for_timestamp AS explicitDefaults, ${collation} AS collation`,
  );
  return {
    defaultCollationForUtf8mb4: engine === 'mariadb' ? null : Number(rows[0]?.collation),
    explicitDefaultsForTimestamp: Number(rows[0]?.explicitDefaults) === 1,
    clientCharacterSet,
  };
}

/** MariaDB lists the numbers of its uca1400 collations only beside the character sets they fit (10.10 and later). */
async function characterSetOf(connection: Connection, engine: EngineName, collation: number): Promise<string> {
  const views = engine === 'mariadb' ? ['COLLATION_CHARACTER_SET_APPLICABILITY', 'COLLATIONS'] : ['COLLATIONS'];
  for (const view of views) {
    try {
      const [rows] = await connection.query<RowDataPacket[]>(
        `SELECT CHARACTER_SET_NAME AS name FROM information_schema.${view} WHERE ID = ?`,
        [collation],
      );
      const name = rows[0]?.name;
      if (typeof name === 'string' && /^\w+$/.test(name)) return name;
    } catch (error) {
      // 1054: a server whose view has no numbers.
      if (serverError(error).errno !== 1054) throw error;
    }
  }
  throw new SrdfError('ddl-failed', {
    tried: 'setting the session of a statement of the source',
    found: `the target has no collation of number ${collation}`,
    action: 'Bring the target’s version in line with the source’s, then retry the dead letter',
  });
}

/** One character a byte, sent as those bytes: the server reads them in the character set that was set before. */
async function queryBytes(connection: Connection, text: string): Promise<void> {
  const { config } = (connection as unknown as { connection: { config: { charsetNumber: number } } }).connection;
  const before = config.charsetNumber;
  // 63 is `binary`: mysql2 then writes one byte a character.
  config.charsetNumber = 63;
  try {
    await connection.query(text);
  } finally {
    config.charsetNumber = before;
  }
}

/** Back from the source's session to ours. */
async function settle(connection: Connection, engine: EngineName): Promise<void> {
  await connection.query('SET NAMES utf8mb4 COLLATE utf8mb4_bin');
  await connection.query(exactSession(engine));
  await connection.query(ABANDONED);
  await connection.query('SET SESSION timestamp=DEFAULT, foreign_key_checks=1, unique_checks=1');
}

export const refused = (doing: string, stream: StreamName, errno: number, message: string): SrdfError =>
  new SrdfError('ddl-failed', {
    tried: doing,
    found: wordsOf(errno, message),
    action:
      `${definersFix(errno) ?? 'The target’s definition is not what the source’s was. Mend the target by hand so that the statement fits'}, then retry the dead letter: it runs then. ` +
      `If you do by hand all that it would do, say so before you retry: ${sayDone(stream)}`,
  });

/** Names the stream: another one of this target may have an intent of its own, which must not be taken for done. */
const sayDone = (stream: StreamName): string => `UPDATE srdf.ledger SET intent_fingerprint = REPEAT('0', 64) WHERE stream = '${stream}'`;

export function uncertain(doing: string, stream: StreamName): SrdfError {
  return new SrdfError('ddl-uncertain', {
    tried: doing,
    found: 'the statement was begun before and the tables look alike before and after it',
    action: `Look at the tables on the target. If it is done: ${sayDone(stream)}; then retry the dead letter`,
  });
}
