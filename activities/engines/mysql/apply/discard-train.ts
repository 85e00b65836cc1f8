/** Moves the ledger past wagons that an operator leaves out, and remembers in the same transaction which they were. Nothing else is written. */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { StreamName, WagonHash } from '../../../vocabulary.js';
import type { Ledger, WagonPlace } from '../../engine.js';
import { beginFenced, commitMoved, describeWagons, guarded } from './ledger-move.js';
import type { TargetSession } from './target-session.js';

/** By hash: a receipt of such a wagon must never say `applied`, whatever is lost besides the database. */
const DISCARDED_WAGONS = `CREATE TABLE IF NOT EXISTS srdf.discarded_wagons (
    stream VARCHAR(40) NOT NULL, epoch BIGINT UNSIGNED NOT NULL, sequence BIGINT UNSIGNED NOT NULL, wagon_hash CHAR(64) NOT NULL,
    decided_by VARCHAR(190) NOT NULL, decided_at BIGINT NOT NULL, PRIMARY KEY (stream, wagon_hash)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`;

/**
 * `places`: a whole train, right behind the ledger; fenced as an apply is, errors as of an apply. The stream's lock is held by this session.
 * A DDL statement begun and not known to be done is forgotten with its wagon. A repeated call finds them discarded and changes nothing;
 * if they were applied instead: `stream-halted`.
 */
export async function discardTrain({ connection }: TargetSession, places: readonly WagonPlace[], by: string): Promise<Ledger> {
  const last = places.at(-1);
  const doing = describeWagons(places).replace(/^applying/, 'discarding');
  await guarded(doing, async () => await connection.query(DISCARDED_WAGONS));
  const { ledger, apply } = await beginFenced(connection, places, doing);
  if (apply && last !== undefined) {
    const rows = places.map((it) => [it.stream, it.epoch, it.sequence, it.hash, by.slice(0, 190), Date.now()]);
    await guarded(
      doing,
      async () =>
        await connection.query('INSERT INTO srdf.discarded_wagons (stream, epoch, sequence, wagon_hash, decided_by, decided_at) VALUES ?', [
          rows,
        ]),
    );
    return await commitMoved(connection, ledger, last, doing);
  }
  await guarded(doing, async () => await connection.query('ROLLBACK'));
  const discarded = await guarded(doing, async () => await readDiscarded(connection, ledger.stream));
  if (places.every((it) => discarded.has(it.hash))) return ledger;
  throw new SrdfError('stream-halted', {
    tried: doing,
    found: 'it was applied in the meantime',
    action: 'There is nothing left to discard: srdf status',
  });
}

/** By hash, when it was decided. Empty as well when nothing was ever discarded on this server. */
export async function readDiscarded(connection: Connection, stream: StreamName): Promise<ReadonlyMap<WagonHash, number>> {
  const sql = 'SELECT wagon_hash AS hash, decided_at AS at FROM srdf.discarded_wagons WHERE stream = ?';
  const rows = await ifThere(async () => (await connection.query<RowDataPacket[]>(sql, [stream]))[0]);
  return new Map((rows ?? []).map((row) => [String(row.hash) as WagonHash, Number(row.at)]));
}

/** A new copy holds what was left out of the one before, and begins a chain of its own: no wagon of that time is asked for again. */
export async function forgetDiscarded(connection: Connection, stream: StreamName): Promise<void> {
  await ifThere(async () => await connection.query('DELETE FROM srdf.discarded_wagons WHERE stream = ?', [stream]));
}

/** null: nothing was ever discarded on this server. */
async function ifThere<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    // 1146 no such table, 1049 no such database
    const { errno } = error as { errno?: number };
    if (errno === 1146 || errno === 1049) return null;
    throw error;
  }
}
