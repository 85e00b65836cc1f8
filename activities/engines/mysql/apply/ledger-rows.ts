/** The ledger as a row of the target database `srdf`. Reading creates nothing. */
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { BootstrapId, Epoch, Position, Sequence, StreamName, WagonHash } from '../../../vocabulary.js';
import type { Ledger, LedgerPhase } from '../../engine.js';

/** Statements that create the ledger; each can run again. */
export const LEDGER_TABLES: readonly string[] = [
  'CREATE DATABASE IF NOT EXISTS srdf DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
  // updated_at: ms since 1970. The intent is a DDL statement begun and not yet known to be done.
  `CREATE TABLE IF NOT EXISTS srdf.ledger (
    stream VARCHAR(40) NOT NULL PRIMARY KEY, phase VARCHAR(16) NOT NULL,
    epoch BIGINT UNSIGNED NOT NULL, sequence BIGINT UNSIGNED NOT NULL, wagon_hash CHAR(64) NOT NULL,
    position MEDIUMTEXT NULL, consistent_from MEDIUMTEXT NULL, bootstrap VARCHAR(190) NULL,
    intent_sequence BIGINT UNSIGNED NULL, intent_hash CHAR(64) NULL, intent_fingerprint CHAR(64) NULL,
    updated_at BIGINT NOT NULL
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
];

const COLUMNS =
  'stream, phase, epoch, sequence, wagon_hash, position, consistent_from, bootstrap, intent_sequence, intent_hash, intent_fingerprint, updated_at';

/** null: the stream was never established here; also when there is no ledger table at all. `forUpdate` locks the row: the fence. */
export async function readLedgerRow(connection: Connection, stream: StreamName, forUpdate = false): Promise<Ledger | null> {
  try {
    const [rows] = await connection.query<RowDataPacket[]>(
      `SELECT ${COLUMNS} FROM srdf.ledger WHERE stream = ?${forUpdate ? ' FOR UPDATE' : ''}`,
      [stream],
    );
    return rows[0] === undefined ? null : ledgerOf(rows[0]);
  } catch (error) {
    // 1146 no such table, 1049 no such database
    const { errno } = error as { errno?: number };
    if (errno === 1146 || errno === 1049) return null;
    throw error;
  }
}

const PHASES: readonly string[] = ['loading', 'catching-up', 'consistent'] satisfies readonly LedgerPhase[];
const isPhase = (text: string): text is LedgerPhase => PHASES.includes(text);

function ledgerOf(row: RowDataPacket): Ledger {
  const phase = String(row.phase);
  if (!isPhase(phase)) throw inconsistent(String(row.stream), `the phase ${phase}`);
  return {
    stream: String(row.stream) as StreamName,
    phase,
    epoch: Number(row.epoch) as Epoch,
    sequence: Number(row.sequence) as Sequence,
    wagonHash: String(row.wagon_hash) as WagonHash,
    position: row.position === null ? null : (String(row.position) as Position),
    consistentFrom: row.consistent_from === null ? null : (String(row.consistent_from) as Position),
    bootstrap: row.bootstrap === null ? null : (String(row.bootstrap) as BootstrapId),
    intent:
      row.intent_sequence === null
        ? null
        : {
            sequence: Number(row.intent_sequence) as Sequence,
            wagonHash: String(row.intent_hash) as WagonHash,
            fingerprint: String(row.intent_fingerprint),
          },
    updatedAt: Number(row.updated_at),
  };
}

const valuesOf = (it: Ledger): readonly (string | number | null)[] => [
  it.phase,
  it.epoch,
  it.sequence,
  it.wagonHash,
  it.position,
  it.consistentFrom,
  it.bootstrap,
  it.intent?.sequence ?? null,
  it.intent?.wagonHash ?? null,
  it.intent?.fingerprint ?? null,
  it.updatedAt,
];

export async function insertLedgerRow(connection: Connection, ledger: Ledger): Promise<void> {
  await connection.query(`INSERT INTO srdf.ledger (${COLUMNS}) VALUES (?)`, [[ledger.stream, ...valuesOf(ledger)]]);
}

/** Moves the row from what was read under lock to what it becomes. Anything else in its place throws `ledger-inconsistent`. */
export async function moveLedgerRow(connection: Connection, from: Ledger, to: Ledger): Promise<void> {
  const [result] = await connection.query<ResultSetHeader>(
    `UPDATE srdf.ledger SET phase=?, epoch=?, sequence=?, wagon_hash=?, position=?, consistent_from=?, bootstrap=?,
       intent_sequence=?, intent_hash=?, intent_fingerprint=?, updated_at=?
     WHERE stream=? AND epoch=? AND sequence=? AND wagon_hash=? AND phase=?`,
    [
      ...valuesOf({ ...to, updatedAt: Math.max(to.updatedAt, from.updatedAt + 1) }),
      from.stream,
      from.epoch,
      from.sequence,
      from.wagonHash,
      from.phase,
    ],
  );
  if (result.affectedRows !== 1) throw inconsistent(from.stream, `${result.affectedRows} rows moved instead of one`);
}

function inconsistent(stream: string, found: string): SrdfError {
  return new SrdfError('ledger-inconsistent', {
    tried: `reading the ledger of ${stream}`,
    found,
    action: 'Somebody else wrote to srdf.ledger on the target: find out who, then establish the stream again (srdf establish)',
  });
}
