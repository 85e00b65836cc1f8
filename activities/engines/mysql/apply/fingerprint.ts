/** What the objects a DDL statement names look like on the target, as one hash: tells after a crash whether it has run. */
import { createHash } from 'node:crypto';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { TableName } from '../../../vocabulary.js';
import type { DdlClassification } from '../../engine.js';
import { quoteName, quoteTable } from '../ranges/sql-literals.js';
import { serverError } from '../server-error.js';

export interface Fingerprint {
  /** 64 hex digits. */
  readonly hash: string;
  /** For each name of the classification whether it exists. */
  readonly exists: readonly boolean[];
}

/** 1049 database, 1146 table, 1305 routine, 1360 trigger, 1539 event, 4091 sequence, 1347 not of this kind (MariaDB): it isn't there. */
const MISSING = new Set([1049, 1146, 1305, 1360, 1539, 4091, 1347]);

export async function readFingerprint(connection: Connection, ddl: DdlClassification): Promise<Fingerprint> {
  const hash = createHash('sha256');
  const exists: boolean[] = [];
  for (const name of ddl.names) {
    const definition = await describeObject(connection, ddl.object, name);
    exists.push(definition !== '');
    hash.update(JSON.stringify([name.database, name.table, definition]));
  }
  return { hash: hash.digest('hex'), exists };
}

async function describeObject(connection: Connection, object: DdlClassification['object'], name: TableName): Promise<string> {
  switch (object) {
    case 'database':
      return await show(connection, `SHOW CREATE DATABASE ${quoteName(name.database)}`);
    case 'routine': {
      const parts = [];
      for (const kind of ['PROCEDURE', 'FUNCTION', 'PACKAGE', 'PACKAGE BODY'])
        parts.push(await show(connection, `SHOW CREATE ${kind} ${quoteTable(name)}`));
      return parts.join('');
    }
    case 'trigger':
      return await show(connection, `SHOW CREATE TRIGGER ${quoteTable(name)}`);
    case 'event':
      return await show(connection, `SHOW CREATE EVENT ${quoteTable(name)}`);
    default: {
      const definition = await show(connection, `SHOW CREATE TABLE ${quoteTable(name)}`);
      return definition === '' ? '' : definition.replace(/ AUTO_INCREMENT=\d+/, '') + (await innodbIds(connection, name));
    }
  }
}

async function show(connection: Connection, sql: string): Promise<string> {
  try {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return JSON.stringify(Object.values(rows[0] ?? {}));
  } catch (error) {
    // 1064: the server doesn't know the kind at all (packages in MySQL).
    const { errno } = serverError(error);
    if (MISSING.has(errno) || (errno === 1064 && sql.startsWith('SHOW CREATE PACKAGE'))) return '';
    throw error;
  }
}

/**
 * InnoDB's own numbers of a table and its partitions: two tables of one form that swap their names, or a table that was rebuilt,
 * differ in nothing else. Needs PROCESS. Names are kept in the form of file names: letters outside ASCII aren't looked up.
 */
async function innodbIds(connection: Connection, name: TableName): Promise<string> {
  if (!isAscii(name.database) || !isAscii(name.table)) return '';
  const file = `${fileName(name.database)}/${fileName(name.table)}`;
  const [versions] = await connection.query<RowDataPacket[]>('SELECT VERSION() AS version');
  const view = /mariadb/i.test(String(versions[0]?.version)) ? 'INNODB_SYS_TABLES' : 'INNODB_TABLES';
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT NAME AS name, TABLE_ID AS id FROM information_schema.${view} WHERE NAME = ? OR LOWER(LEFT(NAME, ?)) = LOWER(?) ORDER BY NAME`,
    [file, file.length + 3, `${file}#p#`],
  );
  return JSON.stringify(rows.map((row) => [String(row.name), String(row.id)]));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII
export const isAscii = (text: string): boolean => /^[\x00-\x7f]*$/.test(text);
/** MySQL manual, "Mapping of Identifiers to File Names": letters, digits and _ as they are, the rest of ASCII as @ and four hex digits. */
const fileName = (name: string): string => name.replace(/[^0-9A-Za-z_]/g, (char) => `@${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

export type AfterCrash = 'run' | 'done' | 'uncertain';

/** In the place of the hash from before a statement: the server refused it, so that it hasn't run, whatever the objects look like later. */
export const NOT_RUN = 'f'.repeat(64);

/**
 * A statement was begun and its end isn't known. Pure. `before` is the hash from before it, or `NOT_RUN`.
 * - drop: done when nothing is left, else it runs again; dropping several isn't one step on every server.
 * - create: done when it looks different and is there (CREATE OR REPLACE may have got half way).
 * - truncate: no row came since, so once more is the same.
 * - rename, alter: one step on the servers supported (MariaDB 10.6, MySQL 8.0), so any difference means done. Where the tables' own numbers
 *   can't be seen, a swap of equals can't be told from nothing.
 */
export function afterCrash(ddl: DdlClassification, before: string, now: Fingerprint): AfterCrash {
  const refused = before === NOT_RUN;
  const changed = !refused && now.hash !== before;
  switch (ddl.verb) {
    case 'drop':
      return ddl.object === 'index' ? (changed ? 'done' : 'run') : now.exists.some(Boolean) ? 'run' : 'done';
    case 'create':
      return changed && now.exists.every(Boolean) ? 'done' : 'run';
    case 'truncate':
      return 'run';
    default:
      if (changed) return 'done';
      return !refused && ddl.names.length > 1 && !ddl.names.every((it) => isAscii(it.database) && isAscii(it.table)) ? 'uncertain' : 'run';
  }
}
