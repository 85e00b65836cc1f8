/** Names and values made to break quoting, through the whole pair, on servers whose own settings are against it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sameOnBoth } from '../integration/expect-identical.js';
import { Pair } from '../integration/pair.js';
import { compareByDump } from '../servers/comparison.js';
import type { ServerKind } from '../servers/database-server.js';
import { COLUMN_NAMES, clientOf, HOSTILE, INJECTION, ORDINARY, type Quoting, TABLE_NAMES, VALUES, wideTable } from './hostile-sql.js';

const DATABASES = ["o`d d's", 'Group', 'group', '`; DROP TABLE canary.precious; -- "\\', '%_ü☃.\tx'];
const [ODD = '', GROUP = '', , INJECTING = '', WILD = ''] = DATABASES;
/** Key columns whose collations take text for equal or order it in ways of their own. */
const KEYS = [
  'VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
  'VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci',
  'VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci',
  'VARCHAR(255) CHARACTER SET utf16',
  'VARBINARY(1100)',
];

/** Settings of the servers' own. `sjis` and `latin1` are what everything gets that doesn't say its character set. */
const AGAINST = [`--sql-mode=${HOSTILE.sqlMode}`, '--character-set-server=sjis'];
const OTHER = ['--sql-mode=', '--character-set-server=latin1'];

interface Setting {
  readonly kind: ServerKind;
  readonly where: string;
  readonly source: readonly string[];
  readonly target: readonly string[];
}
const SETTINGS: readonly Setting[] = [
  { kind: 'mariadb', where: 'source', source: AGAINST, target: OTHER },
  { kind: 'mysql', where: 'both servers', source: AGAINST, target: AGAINST },
];

describe.each(SETTINGS)('$kind, settings of the $where against us', ({ kind, source, target }) => {
  let pair: Pair;
  const q = ORDINARY;
  const precious = async () =>
    await Promise.all([pair.source, pair.target].map((it) => it.sql('SELECT COUNT(*) AS n FROM canary.precious')));
  const settled = async (): Promise<void> => {
    await pair.waitConfirmed();
    expect((await pair.compareBySql()).differences).toEqual([]);
    // On MySQL the dump doesn't select a database whose name is no latin1.
    const dumped = DATABASES.filter((it) => kind === 'mariadb' || it !== WILD);
    expect(await compareByDump(pair.source, pair.target, dumped)).toEqual([]);
    expect(await precious()).toEqual([[{ n: '1' }], [{ n: '1' }]]);
  };
  const run = async (quoting: Quoting, database: string, statements: (quoting: Quoting) => readonly string[]): Promise<void> => {
    const client = await clientOf(pair.source, quoting, database);
    try {
      for (const statement of statements(quoting))
        await client.query(statement).catch((error: Error) => Promise.reject(new Error(`${error.message}: ${statement.slice(0, 300)}`)));
    } finally {
      await client.end();
    }
  };

  const smallTables = ({ name, text }: Quoting, names: readonly string[] = TABLE_NAMES): string[] =>
    names.flatMap((it) => [
      `CREATE TABLE ${name(it)} (${name(it)} VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, ${name(`${it.slice(0, 60)}'"\``)} INT, KEY ${name(it)} (${name(`${it.slice(0, 60)}'"\``)})) COMMENT ${text(it)}`,
      `INSERT INTO ${name(it)} VALUES (${text(it.slice(0, 40))}, 1), (${text(`${it.slice(0, 38)}\\'`)}, 2)`,
    ]);
  const keyTables = ({ name, text }: Quoting): string[] =>
    KEYS.flatMap((type, at) => [
      `CREATE TABLE ${name(`key'${at}`)} (${name('k`')} ${type}, n INT, v LONGTEXT CHARACTER SET utf8mb4, PRIMARY KEY (${name('k`')}, n))`,
      `INSERT INTO ${name(`key'${at}`)} VALUES ${VALUES.map((value, n) => `(${text(value)}, ${n}, ${text(value)})`).join(', ')}`,
    ]);
  const programs = ({ name, text }: Quoting): string[] => [
    `CREATE VIEW ${name("v'`\\")} (${name('c`"\'')}) AS SELECT CONCAT(${name('k`')}, ${text(INJECTION)}) FROM ${name("key'0")} WHERE v <> ${text("\\'")}`,
    `CREATE FUNCTION ${name('f`"\\')} (${name('p`"')} VARCHAR(50) CHARACTER SET utf8mb4) RETURNS VARCHAR(200) CHARACTER SET utf8mb4 DETERMINISTIC COMMENT ${text(INJECTION)} RETURN CONCAT(${name('p`"')}, ${text('\\\';`"')})`,
    `CREATE PROCEDURE ${name('drop`;')} () BEGIN /*! SET @x = ${text(INJECTION)} */; -- DROP TABLE canary.precious
     SELECT ${text('\\')} AS ${name('a`"')}; END`,
    `CREATE TRIGGER ${name('t`"\\')} BEFORE INSERT ON ${name("key'1")} FOR EACH ROW SET NEW.v = CONCAT(NEW.v, ${text("\\'; --")})`,
    `CREATE EVENT ${name('e`"\\')} ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' COMMENT ${text(INJECTION)} DO DELETE FROM ${name("key'0")} WHERE v = ${text("\\'")}`,
  ];
  const wide = (quoting: Quoting): string[] => [
    wideTable("wide`'", quoting, kind),
    `INSERT INTO ${quoting.name("wide`'")} (id) VALUES (1), (2)`,
    `INSERT INTO ${quoting.name("wide`'")} (id, ${COLUMN_NAMES.map(quoting.name).join(', ')}) VALUES (3, ${COLUMN_NAMES.map((it) => quoting.text(it.slice(0, 40))).join(', ')})`,
  ];

  beforeAll(async () => {
    pair = await Pair.start({
      kind,
      name: 'odd',
      databases: DATABASES,
      sideOptions: { source, target },
      stream: { bootstrap: { rowsPerRange: 5 } },
    });
    for (const side of [pair.source, pair.target])
      await side.sql('CREATE DATABASE canary; CREATE TABLE canary.precious (id INT PRIMARY KEY); INSERT INTO canary.precious VALUES (1)');
    for (const database of DATABASES) await pair.source.sql(`CREATE DATABASE ${q.name(database)}`);
    await run(ORDINARY, ODD, (it) => [...smallTables(it, TABLE_NAMES.slice(0, 8)), ...wide(it)]);
    await run(HOSTILE, INJECTING, (it) => [...keyTables(it), ...programs(it), ...wide(it)]);
    await run(HOSTILE, GROUP, (it) => [
      `CREATE TABLE ${it.name('Same')} (id INT PRIMARY KEY, v VARCHAR(20) DEFAULT ${it.text('\\')})`,
      `INSERT INTO ${it.name('Same')} VALUES (1, ${it.text("'")})`,
    ]);
    await run(ORDINARY, 'group', () => [
      'CREATE TABLE same (id INT PRIMARY KEY)',
      'CREATE TABLE Same (a INT)',
      'INSERT INTO same VALUES (7)',
      'INSERT INTO Same VALUES (8), (8)',
    ]);
    await pair.establish();
  }, 240_000);
  afterAll(async () => await pair?.remove());

  it('is copied', async () => {
    await settled();
    expect(await sameOnBoth(pair, `SELECT COUNT(*) AS n FROM ${q.name(INJECTING)}.${q.name("key'0")}`)).toEqual([
      { n: String(VALUES.length) },
    ]);
    await pair.must('verify', 'odd');
  });

  // The copy of both kinds, the log of one: MySQL's statements of this sort are in sql-statements.test.ts.
  it.runIf(kind === 'mariadb').each([
    ['ordinary', ORDINARY, WILD],
    ['hostile', HOSTILE, ODD],
  ] as const)('is created and changed by %s session', async (which, quoting, database) => {
    await run(quoting, database, (it) => [
      ...smallTables(it, which === 'ordinary' ? TABLE_NAMES : TABLE_NAMES.slice(8)),
      ...(which === 'ordinary' ? wide(it) : []),
      ...keyTables(it),
      ...programs(it),
      // Each in the kind of session that has made it: MySQL can't read its own expressions again in the other.
      `UPDATE ${it.name(which === 'ordinary' ? database : INJECTING)}.${it.name("wide`'")} SET ${COLUMN_NAMES.map((name, at) => `${it.name(name)} = ${it.text(VALUES[(at + 3) % (VALUES.length - 1)] ?? '')}`).join(', ')} WHERE id = 1`,
      ...KEYS.map((_, at) => `UPDATE ${it.name(`key'${at}`)} SET v = CONCAT(v, ${it.text("\\'")}), n = n + 100 WHERE n % 3 = 0`),
      ...TABLE_NAMES.map((name) => `UPDATE ${it.name(name)} SET ${it.name(`${name.slice(0, 60)}'"\``)} = 5`),
    ]);
    await settled();
    await run(quoting, database, (it) => [
      ...TABLE_NAMES.flatMap((name) => [
        `ALTER TABLE ${it.name(name)} RENAME COLUMN ${it.name(name)} TO ${it.name('k')}, ADD COLUMN ${it.name(name)} VARCHAR(90) CHARACTER SET utf8mb4 DEFAULT ${it.text(INJECTION)} COMMENT ${it.text("\\'")}, RENAME INDEX ${it.name(name)} TO ${it.name(`${name.slice(0, 60)}\\`)}`,
        `CREATE INDEX ${it.name(name)} ON ${it.name(name)} (${it.name(name)}(9)) COMMENT ${it.text(INJECTION)}`,
        `UPDATE ${it.name(name)} SET ${it.name(name)} = ${it.text(INJECTION)} LIMIT 1`,
      ]),
      `RENAME TABLE ${it.name('`')} TO ${it.name("moved'")}, ${it.name('\\')} TO ${it.name('`')}, ${it.name("it's")} TO ${it.name(GROUP)}.${it.name("it's")}`,
      `TRUNCATE TABLE ${it.name('a.b')}`,
      `DROP INDEX ${it.name('select')} ON ${it.name('select')}`,
      `DROP TABLE ${it.name('`; DROP TABLE canary.precious; --')}, ${it.name("'; DROP TABLE canary.precious; #")}`,
      `DROP VIEW ${it.name("v'`\\")}`,
      `DROP PROCEDURE ${it.name('drop`;')}`,
      `DROP TRIGGER ${it.name('t`"\\')}`,
      `DROP EVENT ${it.name('e`"\\')}`,
      `DROP TABLE ${it.name(GROUP)}.${it.name("it's")}`,
      `INSERT INTO ${it.name("key'4")} SELECT ${it.name('k`')}, n + 500, v FROM ${it.name("key'4")}`,
      `DELETE FROM ${it.name("key'2")} WHERE n < 115`,
    ]);
    await settled();
    await pair.must('verify', 'odd');
  });
});
