/** Rows copied between two real servers are equal in every type, whatever the ranges; the judge is the servers' own dump. */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Selection, SourceEngine } from '../../activities/engines/engine.js';
import { checksumRange } from '../../activities/engines/mysql/ranges/checksum-range.js';
import { loadRange } from '../../activities/engines/mysql/ranges/load-range.js';
import { resetTables } from '../../activities/engines/mysql/ranges/reset-tables.js';
import { createSchema } from '../../activities/engines/mysql/schema/create-schema.js';
import type { Position, TableName } from '../../activities/vocabulary.js';
import type { RangeBody } from '../../activities/wagon/body.js';
import { DatabaseServer, type ServerKind } from '../servers/database-server.js';
import { BOOTSTRAP, beginLoading, copyAll, copyTable, hashOf, openTarget, STREAM, sourceOf } from './mysql-copy-between.js';

const LENIENT = "SET SESSION sql_mode='ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', time_zone='+00:00'";

const COMMON = `
  CREATE TABLE numbers (id INT PRIMARY KEY, t TINYINT, tu TINYINT UNSIGNED, s SMALLINT, m MEDIUMINT UNSIGNED, b BIGINT, bu BIGINT UNSIGNED,
    z INT(8) ZEROFILL, d DECIMAL(65,30), d0 DECIMAL(10,0), f FLOAT, f2 FLOAT(7,3), db DOUBLE, bt BIT(1), bt64 BIT(64), y YEAR, bo BOOLEAN);
  INSERT INTO numbers VALUES
    (0,-128,255,-32768,16777215,-9223372036854775808,18446744073709551615,42,-99999999999999999999999999999999999.999999999999999999999999999999,-9999999999,
      3.4028234e38,-1234.568,1.7976931348623157e308,1,18446744073709551615,0000,1),
    (1,127,0,32767,0,9223372036854775807,9223372036854775808,99999999,0.000000000000000000000000000001,1,1.17549435e-38,0.001,2.2250738585072014e-308,0,0,2155,0),
    (2,0,1,0,1,0,0,0,0,0,-0e0,-0e0,-0e0,b'1',9223372036854775808,1901,1),
    (3,0,1,0,1,0,0,0,0,0,16777217,0.1,0.1,b'1',1,1970,1),
    (4,0,1,0,1,0,0,0,0,0,0.3333333333,0.7,5e-324,b'1',1,1970,1),
    (5,0,1,0,1,0,0,0,0,0,1e-45,0.7,123456789012345680,b'1',1,2000,1),
    (-7,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
  CREATE TABLE times (id INT PRIMARY KEY, d DATE, t TIME, t6 TIME(6), dt DATETIME, dt6 DATETIME(6), ts TIMESTAMP NULL, ts3 TIMESTAMP(3) NULL);
  INSERT INTO times VALUES
    (1,'0000-00-00','-838:59:59','-00:00:00.000001','0000-00-00','0000-00-00 00:00:00.000000','0000-00-00','1970-01-01 00:00:01.001'),
    (2,'2024-02-31','838:59:59','838:59:58.999999','2024-00-00','9999-12-31 23:59:59.999999','2038-01-19 03:14:07','2024-03-31 02:30:00.5'),
    (3,'1000-01-01','00:00:00','00:00:00','0001-01-01 00:00:00','2024-02-29 12:00:00.1','1970-01-01 00:00:01','0000-00-00'),
    (4,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
  CREATE TABLE texts (id INT PRIMARY KEY, c CHAR(5) CHARACTER SET latin1, v VARCHAR(20) CHARACTER SET utf8mb4, u16 VARCHAR(20) CHARACTER SET utf16,
    u2 VARCHAR(20) CHARACTER SET ucs2, sj VARCHAR(20) CHARACTER SET sjis, t TEXT CHARACTER SET latin2, mt MEDIUMTEXT, bi BINARY(4), vb VARBINARY(20), bl BLOB, tb TINYBLOB,
    e ENUM('a','','ä','b''c') CHARACTER SET latin1, e2 ENUM('x','y'), s SET('p','q','ü'));
  INSERT INTO texts VALUES
    (1,_latin1 X'E4F6FC80','日本 🚀 ''"\\\\\\0\\n',_utf8mb4'日🚀',_ucs2 X'6162',_sjis X'835C5C',_latin2 X'B1E6',REPEAT('x',70000),X'00',X'00FF27225C',X'0D0A1A00',X'','ä','x','p,ü'),
    (2,'','  trailing  ','','','','','',X'61626364',X'',X'',X'27','','y',''),
    (3,'a ','it''s','a','a','a','a','a',X'FFFFFFFF',X'5C',REPEAT(X'00FF',30000),X'5C27','b''c','y','p,q,ü'),
    (4,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
  INSERT IGNORE INTO texts (id, e, e2) VALUES (5, 'nothing such', 0), (6, '', 'x');
  CREATE TABLE shapes (id INT PRIMARY KEY, g GEOMETRY, p POINT NOT NULL);
  INSERT INTO shapes VALUES (1, ST_GeomFromText('LINESTRING(0 0,1 1,2 5)', 4326), ST_GeomFromText('POINT(1 2)')), (2, NULL, ST_GeomFromText('POINT(-0.5 1e-9)', 3857)),
    (3, ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),POLYGON((0 0,4 0,4 4,0 0)))'), ST_GeomFromText('POINT(0 0)'));
  CREATE TABLE computed (id INT PRIMARY KEY AUTO_INCREMENT, a INT, hidden INT INVISIBLE DEFAULT 3, v INT GENERATED ALWAYS AS (a * 2) VIRTUAL, st VARCHAR(30) GENERATED ALWAYS AS (CONCAT('<', a, '>')) STORED, CHECK (a < 100));
  INSERT INTO computed (id, a, hidden) VALUES (0, 1, 7), (1, 2, 8), (5, NULL, NULL);
  CREATE TABLE keyless (a INT, b VARCHAR(10), c DOUBLE);
  INSERT INTO keyless VALUES (1,'x',0.1),(1,'x',0.1),(1,'x',0.1),(NULL,NULL,NULL),(NULL,NULL,NULL),(2,'y',-0e0);
  INSERT INTO keyless SELECT seq.n, REPEAT('k', seq.n % 10), seq.n / 3 FROM (WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 100) SELECT n FROM r) seq;
  CREATE TABLE empty_table (id INT PRIMARY KEY);
  CREATE TABLE composite (tenant VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_german1_ci, kind ENUM('z','a','m'), at DATETIME(3), flags BIT(9), y YEAR, v INT,
    PRIMARY KEY (tenant, kind, at, flags, y));
  INSERT INTO composite SELECT ELT(1 + n % 4, 'Ä', 'b', 'ZZ ', 'o''x\\\\'), 1 + n % 3, '2024-01-01' + INTERVAL n SECOND, n % 512, 1950 + n % 100, n
    FROM (WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 300) SELECT n FROM r) seq;
  CREATE TABLE binary_key (k VARBINARY(8) PRIMARY KEY, v INT);
  INSERT INTO binary_key SELECT UNHEX(LPAD(HEX(n * 2654435), 8, '0')), n FROM (WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < 60) SELECT n FROM r) seq;
  CREATE TABLE text_key (k VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PRIMARY KEY, v INT);
  INSERT INTO text_key SELECT CONCAT(ELT(1 + n % 5, 'straße', 'Æ', '日本', '🚀', 'it''s \\\\ '), n), n FROM (WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 60) SELECT n FROM r) seq;
  CREATE TABLE float_key (k DOUBLE, d DECIMAL(20,10), t TIME(6), PRIMARY KEY (k, d, t));
  INSERT INTO float_key SELECT n / 7 - 4, -n / 3, SEC_TO_TIME(n * 1000 - 30000) FROM (WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 60) SELECT n FROM r) seq;
  CREATE TABLE unsigned_key (k BIGINT UNSIGNED PRIMARY KEY); INSERT INTO unsigned_key SELECT 18446744073709551615 - n FROM (WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < 30) SELECT n FROM r) seq;
  CREATE TABLE prefix_key (k BLOB, v INT, PRIMARY KEY (k(5))); INSERT INTO prefix_key SELECT CONCAT(LPAD(n, 5, '0'), REPEAT('x', n)), n FROM (WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < 30) SELECT n FROM r) seq;
`;
const OWN: Readonly<Record<ServerKind, string>> = {
  mariadb: `CREATE TABLE addresses (u UUID, i6 INET6, i4 INET4, j JSON, PRIMARY KEY (u, i6));
    INSERT INTO addresses SELECT UUID(), CONCAT('2001:db8::1:2:', HEX(n)), CONCAT('10.0.0.', n), '{"a": [1.10, 1e3, null]}' FROM (WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 40) SELECT n FROM r) seq;
    CREATE TABLE packed (id INT PRIMARY KEY, c TEXT COMPRESSED); INSERT INTO packed VALUES (1, REPEAT('abc', 5000)), (2, ''), (3, NULL);`,
  mysql: `CREATE TABLE documents (id INT PRIMARY KEY, j JSON, v VECTOR(3));
    INSERT INTO documents VALUES (1, '{"a": 1, "b": [true, null, "x\\\\"y", 1.5, 1e20, -0.0, 18446744073709551615], "ü": "🚀"}', STRING_TO_VECTOR('[1,2.5,-0]')), (2, '"text"', NULL), (3, NULL, NULL), (4, 'null', NULL),
      (5, JSON_OBJECT('price', CAST(1.10 AS DECIMAL(5,2)), 'whole', CAST(7 AS DECIMAL(5,0)), 'at', CAST('2024-01-01 10:00:00' AS DATETIME)), NULL),
      (6, JSON_ARRAY(JSON_OBJECT('x', JSON_ARRAY(CAST(0.000000000000000000001 AS DECIMAL(30,21)), 0.5e0, 'q''q'))), NULL);`,
};

describe.each([
  ['mariadb', 'files'],
  ['mariadb', 'statements'],
  ['mysql', 'files'],
  ['mysql', 'statements'],
] as const)('ranges between two %s servers, loaded as %s', (kind, way) => {
  let paris: DatabaseServer;
  let frankfurt: DatabaseServer;
  let source: SourceEngine;
  let target: Connection;
  const selection: Selection = { databases: ['types'], include: [], exclude: [] };

  beforeAll(async () => {
    paris = await DatabaseServer.start({ kind, name: 'paris', options: ['--character-set-server=utf8mb4'] });
    frankfurt = await DatabaseServer.start({ kind, name: 'frankfurt', options: [`--local-infile=${way === 'files' ? 'ON' : 'OFF'}`] });
    await paris.sql(`CREATE DATABASE types CHARACTER SET utf8mb4; USE types; ${LENIENT}; ${COMMON} ${OWN[kind]}`);
    source = sourceOf(paris);
    target = await openTarget(frankfurt);
    await beginLoading(target);
    await copyAll(source, target, selection);
  }, 120_000);
  afterAll(async () => {
    target?.destroy();
    await source?.close();
    await paris?.remove();
    await frankfurt?.remove();
  });

  it('copies every type exactly', async () => {
    expect(await frankfurt.dump(['types'])).toBe(await paris.dump(['types']));
  });

  it('is loaded the way that the server allows', async () => {
    const [loads] = await frankfurt.sql("SHOW GLOBAL STATUS LIKE 'Com_load'");
    expect(Number(loads?.Value) > 0).toBe(way === 'files');
  });

  it('keeps what a dump rounds or hides: floats to the last bit, ENUM error values, the bytes of geometries', async () => {
    const exact = `SELECT id, CAST(f AS DOUBLE) AS f, CAST(f2 AS DOUBLE) AS f2, CAST(db AS CHAR) AS db FROM types.numbers ORDER BY id`;
    expect(await frankfurt.sql(exact)).toEqual(await paris.sql(exact));
    const indexes = 'SELECT id, e + 0 AS e, e2 + 0 AS e2, s + 0 AS s FROM types.texts ORDER BY id';
    const rows = await frankfurt.sql(indexes);
    expect(rows).toEqual(await paris.sql(indexes));
    expect(rows.find((row) => row.id === 5)).toMatchObject({ e: 0, e2: 0 });
    const bytes = 'SELECT id, HEX(g) AS g, HEX(p) AS p FROM types.shapes ORDER BY id';
    expect(await frankfurt.sql(bytes)).toEqual(await paris.sql(bytes));
  });

  it('gives equal checksums for equal ranges, and others as soon as one byte differs', async () => {
    for (const { database, table } of await source.planTables(selection)) {
      const plan = await source.planRanges({ database, table }, 9);
      for (let range = 0; range <= plan.boundaries.length; range++) {
        const request = { table: { database, table }, plan, range };
        expect(await checksumRange(target, request), `${table} ${range}`).toEqual(await source.checksumRange(request));
      }
    }
    const changes = [
      'UPDATE numbers SET db = 0.10000000000000002 WHERE id = 3',
      'UPDATE numbers SET f = 16777218.5 WHERE id = 5',
      "UPDATE texts SET v = 'it''s ' WHERE id = 3",
      "UPDATE texts SET c = '' WHERE id = 4",
      'UPDATE times SET d = NULL WHERE id = 1',
      "INSERT INTO keyless VALUES (1,'x',0.1),(1,'x',0.1)",
      'UPDATE computed SET hidden = 9 WHERE id = 1',
    ];
    for (const change of changes) {
      const table = { database: 'types', table: /(?:UPDATE|INTO) (\w+)/.exec(change)?.[1] ?? '' };
      const request = { table, plan: { keyColumns: [], boundaries: [] }, range: 0 };
      await frankfurt.sql(`SET sql_mode='ALLOW_INVALID_DATES'; BEGIN; ${change}; COMMIT`, 'types');
      expect((await checksumRange(target, request)).checksum, change).not.toBe((await source.checksumRange(request)).checksum);
    }
    // Put back by copying the tables anew, as a bootstrap does with a table that changed meanwhile.
    const tables = [...new Set(changes.map((it) => /(?:UPDATE|INTO) (\w+)/.exec(it)?.[1] ?? ''))].map((table) => ({
      database: 'types',
      table,
    }));
    await resetTables(target, STREAM, BOOTSTRAP, tables, await source.currentPosition(), { round: 100 });
    await createSchema(target, STREAM, BOOTSTRAP, await source.describeSchema(selection, 'before-data', tables));
    for (const table of tables) await copyTable(source, target, table, { rowsPerRange: 5, maxBytes: 1_000, plan: '000100-b' });
    expect(await frankfurt.dump(['types'])).toBe(await paris.dump(['types']));
  });

  it('cuts each row into exactly one range, of about the size asked for', async () => {
    const composite: TableName = { database: 'types', table: 'composite' };
    const plan = await source.planRanges(composite, 7);
    expect(plan.boundaries.length).toBe(Math.floor(300 / 7));
    let rows = 0;
    for (let range = 0; range <= plan.boundaries.length; range++) {
      const { rows: inRange } = await source.checksumRange({ table: composite, plan, range });
      expect(inRange).toBeLessThanOrEqual(7);
      rows += inRange;
    }
    expect(rows).toBe(300);
  });

  it('writes a range once, refuses one of a former round and one of another bootstrap', async () => {
    const table: TableName = { database: 'types', table: 'unsigned_key' };
    const bodies: RangeBody[] = [];
    const plan = await source.planRanges(table, 1_000);
    for await (const body of source.readRange(table, plan, 0, 2 ** 20)) bodies.push(body);
    const [body] = bodies;
    if (body === undefined) throw new Error('a range has a body');
    await resetTables(target, STREAM, BOOTSTRAP, [table], await source.currentPosition(), { round: 200 });
    await createSchema(target, STREAM, BOOTSTRAP, await source.describeSchema(selection, 'before-data', [table]));
    const identity = { ...table, range: 0, part: 0, wagonHash: hashOf(77) };
    await expect(loadRange(target, STREAM, BOOTSTRAP, { ...identity, plan: '000000-a' }, body)).rejects.toMatchObject({
      code: 'bootstrap-range-lost',
    });
    await expect(loadRange(target, STREAM, 'another' as typeof BOOTSTRAP, { ...identity, plan: '000200-c' }, body)).rejects.toMatchObject({
      code: 'ledger-inconsistent',
    });
    expect(await loadRange(target, STREAM, BOOTSTRAP, { ...identity, plan: '000200-c' }, body)).toEqual({ outcome: 'applied', rows: 31 });
    expect(await loadRange(target, STREAM, BOOTSTRAP, { ...identity, plan: '000200-c' }, body)).toEqual({
      outcome: 'already-applied',
      rows: 0,
    });
    expect(await frankfurt.dump(['types'])).toBe(await paris.dump(['types']));
  });

  it('leaves nothing behind of a range that fails half-way', async () => {
    const table: TableName = { database: 'types', table: 'keyless' };
    const before = await frankfurt.sql('SELECT COUNT(*) AS n FROM types.keyless');
    const body: RangeBody = {
      kind: 'range',
      ...table,
      columns: [
        { name: 'a', encoding: 'number' },
        { name: 'b', encoding: 'bytes' },
        { name: 'c', encoding: 'number' },
      ],
      values: Buffer.concat([...cells('1', 'x', '1'), ...cells('2', 'longer than the column', '1')]),
      rows: 2,
      asOf: 'nowhere' as Position,
      part: 1,
      last: true,
    };
    const plan = (await target.query<RowDataPacket[]>("SELECT plan FROM srdf.bootstrap_ranges WHERE table_name='keyless' LIMIT 1"))[0][0]
      ?.plan as string;
    await target.query("UPDATE srdf.bootstrap_ranges SET last_part = 0 WHERE table_name='keyless'");
    const parts = await target.query<RowDataPacket[]>("SELECT MAX(part) AS part FROM srdf.bootstrap_ranges WHERE table_name='keyless'");
    const part = Number(parts[0][0]?.part) + 1;
    await expect(
      loadRange(target, STREAM, BOOTSTRAP, { ...table, plan, range: 0, part, wagonHash: hashOf(78) }, { ...body, part }),
    ).rejects.toMatchObject({ code: 'apply-failed' });
    expect(await frankfurt.sql('SELECT COUNT(*) AS n FROM types.keyless')).toEqual(before);
    expect(await frankfurt.sql(`SELECT COUNT(*) AS n FROM srdf.bootstrap_ranges WHERE table_name='keyless' AND part=${part}`)).toEqual([
      { n: '0' },
    ]);
  });

  it('notes where in the log the snapshot of a table without key was taken, exactly', async () => {
    const table: TableName = { database: 'types', table: 'keyless' };
    const plan = await source.planRanges(table, 10);
    expect(plan).toEqual({ keyColumns: [], boundaries: [] });
    let running = true;
    const traffic = (async () => {
      for (let number = 1_000_000; running; number++) await paris.sql(`INSERT INTO types.keyless VALUES (${number}, 'live', 1)`);
    })();
    const snapshots: { readonly asOf: Position; readonly rows: number }[] = [];
    try {
      for (let look = 0; look < 4; look++) {
        let rows = 0;
        for await (const body of source.readRange(table, plan, 0, 500)) {
          rows += body.rows;
          if (body.last && body.asOf !== null) snapshots.push({ asOf: body.asOf, rows });
        }
      }
    } finally {
      running = false;
      await traffic;
    }
    const [count] = await paris.sql('SELECT COUNT(*) AS n FROM types.keyless');
    expect(snapshots).toHaveLength(4);
    for (const { asOf, rows } of snapshots) {
      let behind = 0;
      for await (const batch of source.readLog(asOf, { selection }))
        for (const item of batch.items) if (item.kind === 'rows') behind += item.rows.images;
      // Each row is either in the snapshot or behind its position in the log: never in both, never in none.
      expect(rows + behind).toBe(Number(count?.n));
    }
  });
});

function cells(...values: readonly string[]): Buffer[] {
  return values.map((value) => {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return Buffer.concat([length, bytes]);
  });
}
