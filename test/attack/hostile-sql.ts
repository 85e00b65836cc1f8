/** Names and values made to break quoting, and a client that quotes them by the rules of its own session. */
import type { Connection } from 'mysql2/promise';
import type { DatabaseServer, ServerKind } from '../servers/database-server.js';

/** What a careless statement would run. `canary` is a database that no stream replicates. */
export const INJECTION = "'; DROP TABLE canary.precious; -- ";

/** As long as a name may be; on disk a character that isn't a letter or digit takes five bytes and a file's name has 255. */
export const TABLE_NAMES = [
  '`',
  'a`b``c',
  "it's",
  'say "x"',
  '\\',
  "back\\`slash\\'",
  '`; DROP TABLE canary.precious; --',
  "'; DROP TABLE canary.precious; #",
  '/*! DROP TABLE canary.precious */',
  '/*M!100000 x */',
  '-- x',
  'select',
  'Select',
  ' leading and  inner',
  'a.b',
  'ü☃日',
  '%s%n_$x{y}',
  'tab\tline\nend\r\x01',
  '_x_gho_',
  'n'.repeat(64),
  '`'.repeat(40),
] as const;

export const COLUMN_NAMES = [
  ...TABLE_NAMES.filter((it) => it !== 'Select'),
  '日'.repeat(64),
  '"'.repeat(64),
  'null',
  'NEW.x',
  '@a := 1',
  '?',
  ':x',
] as const;

/** Values that end a string, begin a comment, or are another string under some reading. All of them differ in every collation. */
export const VALUES = [
  '',
  "'",
  '"',
  '`',
  '\\',
  "\\'",
  '\\\\',
  '\0',
  '\0\0x',
  '\x1a',
  "a\\0'b",
  '%',
  '_',
  INJECTION,
  '"; DROP TABLE canary.precious; #',
  '*/ DROP TABLE canary.precious /*!',
  '\n-- x\r\n',
  "') OR 1=1 -- ",
  '?',
  ':x',
  '😀\\',
  "é'日",
  '縗\\',
  'NULL',
  '0x27',
  'z'.repeat(255),
] as const;

export interface Quoting {
  readonly sqlMode: string;
  name(name: string): string;
  text(value: string): string;
}

/** As most sessions are. */
export const ORDINARY: Quoting = {
  sqlMode: 'NO_AUTO_VALUE_ON_ZERO',
  name: (name) => `\`${name.replaceAll('`', '``')}\``,
  text: (value) => `'${value.replaceAll(/['\\]/g, '\\$&').replaceAll('\0', '\\0')}'`,
};
/** Double quotes hold names, backslashes mean nothing, || joins, CHAR is padded. */
export const HOSTILE: Quoting = {
  sqlMode: 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH,IGNORE_SPACE,NO_UNSIGNED_SUBTRACTION',
  name: (name) => `"${name.replaceAll('"', '""')}"`,
  text: (value) => `'${value.replaceAll("'", "''")}'`,
};

/** A client in such a session. */
export async function clientOf(server: DatabaseServer, quoting: Quoting, database: string): Promise<Connection> {
  const connection = await server.connect();
  await connection.query(`SET SESSION sql_mode='${quoting.sqlMode}'`);
  await connection.query(`USE ${quoting.name(database)}`);
  return connection;
}

/** A table of every index, constraint, default, comment and member, named by its own name and full of columns of the others'. */
export function wideTable(name: string, { name: n, text: t, sqlMode }: Quoting, kind: ServerKind): string {
  // MySQL's rows may hold no more than 65,535 bytes, and its catalogue shows no character beyond utf8mb3.
  const plain = VALUES.filter(
    (it) => it !== '' && it.length < 60 && !/[\u{10000}-\u{10ffff}\0]/u.test(it) && !it.includes('?') && !it.endsWith(' '),
  );
  const members = plain.filter((it) => !it.includes(',')).map(t);
  const columns = COLUMN_NAMES.map(
    (it, at) =>
      `${n(it)} VARCHAR(40) CHARACTER SET utf8mb4 DEFAULT ${t(VALUES[at % (VALUES.length - 1)] ?? '')} COMMENT ${t((plain[at % plain.length] ?? '') + it.slice(0, 40))}`,
  );
  // MySQL reads what it has printed of an expression again in a session without backslash escapes, where it can't mean the same.
  const inside = kind === 'mysql' && sqlMode === HOSTILE.sqlMode ? ';`" -- ' : '\';`"\\ -- ';
  const [first = '', second = '', third = '', fourth = ''] = COLUMN_NAMES;
  return `CREATE TABLE ${n(name)} (id INT NOT NULL PRIMARY KEY, ${columns.join(', ')},
    ${n("e'`")} ENUM(${members.join(', ')}) CHARACTER SET utf8mb4 DEFAULT ${members[1]}, ${n('s"\\')} SET(${members.slice(0, 12).join(', ')}) CHARACTER SET utf8mb4 DEFAULT ${t(plain.slice(1, 3).join(','))},
    ${n('g`;')} VARCHAR(200) CHARACTER SET utf8mb4 AS (CONCAT(${n(first)}, ${t(inside)}, ${n(second)})) STORED,
    ${n('v`;')} VARCHAR(200) CHARACTER SET utf8mb4 AS (CONCAT(${n(third)}, ${t(inside)}, ${n(fourth)})) VIRTUAL,
    c CHAR(10) CHARACTER SET latin1 DEFAULT ${t("a'\\ ")},
    ${COLUMN_NAMES.slice(0, 20)
      .map((it) => `KEY ${n(it)} (${n(it)}(5))`)
      .join(', ')},
    CONSTRAINT ${n(`${name.slice(0, 50)}\`"'`)} CHECK (${n(first)} <> ${t(inside)}),
    UNIQUE KEY ${n('u\'`"\\')} (id, ${n(second)})) CHARACTER SET utf8mb4 COMMENT ${t(INJECTION)}${kind === 'mariadb' ? ' ENGINE=InnoDB' : ''}`;
}
