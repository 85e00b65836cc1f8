/** What of a server's own settings a statement gets where it says nothing itself: both sites have to have it alike. */
import { createHash } from 'node:crypto';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { ServerIdentity } from '../engine.js';
import { lowerCaseTableNames, type ServerKind } from './connection.js';

type ServerTraits = Pick<ServerIdentity, 'lowerCaseTableNames' | 'timeZone' | 'systemTimeZone' | 'characterSetCollations'>;

export async function serverTraits(connection: Connection, kind: ServerKind): Promise<ServerTraits> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT @@GLOBAL.time_zone AS zone, @@GLOBAL.system_time_zone AS name, CONCAT_WS(',', ${HOURS_THERE}) AS hours`,
  );
  return {
    lowerCaseTableNames: await lowerCaseTableNames(connection),
    timeZone: String(rows[0]?.zone),
    systemTimeZone: {
      name: String(rows[0]?.name),
      rules: createHash('sha256').update(String(rows[0]?.hours)).digest('base64url').slice(0, 16),
    },
    ...(kind.engine === 'mariadb' ? { characterSetCollations: await characterSetCollations(connection) } : {}),
  };
}

/**
 * The first of each month from 2015 to 2035 in UTC, as the server's own zone has it. Names don't tell: UTC and Etc/UTC are one zone, CST is two, and
 * CET is called CEST by a server that was started in summer.
 */
const HOURS_THERE = Array.from({ length: 21 * 12 }, (_, month) => {
  const date = new Date(Date.UTC(2015, month, 1)).toISOString().slice(0, 10);
  return `CONVERT_TZ('${date} 00:00:00', '+00:00', 'SYSTEM')`;
}).join(', ');

/** Which collation a character set stands for where none is named; '' before MariaDB 11.3, which brought it. */
async function characterSetCollations(connection: Connection): Promise<string> {
  const [rows] = await connection.query<RowDataPacket[]>("SHOW GLOBAL VARIABLES LIKE 'character_set_collations'");
  return String(rows[0]?.Value ?? '');
}
