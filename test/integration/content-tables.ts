/** A table for each family of column types, and its rows of boundary values: what is copied by a bootstrap and what live traffic writes. */
import type { ServerKind } from '../servers/database-server.js';

export interface TypedTable {
  readonly table: string;
  /** What stands between the parentheses, without the key of `id`. */
  readonly columns: string;
  /** What only the table with a primary key has: MySQL looks up rows without primary key by such an index, and doesn't find them. */
  readonly keyed?: string;
  /** The columns that rows give values for, `id` left out. */
  readonly written: string;
  readonly rows: readonly string[];
  /** What text output rounds or hides, exactly. */
  readonly exact?: string;
  /** A first copy carries text: MySQL's dates and binary values inside JSON arrive as strings of the same text. Live changes are exact. */
  readonly copiedAsText?: true;
  readonly only?: ServerKind;
}

const members = (count: number): string => Array.from({ length: count }, (_, index) => `'m${index}'`).join(',');

export const TYPED_TABLES: readonly TypedTable[] = [
  {
    table: 'integers',
    columns:
      't TINYINT, tu TINYINT UNSIGNED, s SMALLINT, su SMALLINT UNSIGNED, m MEDIUMINT, mu MEDIUMINT UNSIGNED, i INT, iu INT UNSIGNED, b BIGINT, bu BIGINT UNSIGNED, z INT(8) ZEROFILL, bo BOOLEAN, y YEAR, b1 BIT(1), b13 BIT(13), b64 BIT(64)',
    written: 't, tu, s, su, m, mu, i, iu, b, bu, z, bo, y, b1, b13, b64',
    rows: [
      "-128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, 0, 0, 0000, b'0', b'0', b'0'",
      "127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807, 18446744073709551615, 99999999, 1, 2155, b'1', b'1111111111111', 18446744073709551615",
      "-1, 1, -1, 1, -1, 1, -1, 1, -1, 9223372036854775808, 42, -1, 1901, b'1', b'1000000000001', 9223372036854775808",
      'NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL',
    ],
  },
  {
    table: 'fractions',
    columns:
      'd DECIMAL(65,30), d1 DECIMAL(1,1), d0 DECIMAL(10,0) UNSIGNED, d9 DECIMAL(19,9), f FLOAT, fm FLOAT(7,3), f25 FLOAT(25), g DOUBLE, gm DOUBLE(12,4)',
    written: 'd, d1, d0, d9, f, fm, f25, g, gm',
    rows: [
      '-99999999999999999999999999999999999.999999999999999999999999999999, -0.9, 9999999999, -1234567890.123456789, 3.4028234e38, -1234.568, 1e-300, 1.7976931348623157e308, -99999999.9999',
      '0.000000000000000000000000000001, 0.1, 0, 0.000000001, 1.17549435e-38, 0.001, 0.1, 2.2250738585072014e-308, 0.0001',
      '0, 0, 1, 9999999999.999999999, -0e0, -0e0, -0e0, -0e0, -0e0',
      '12.5, 0.5, 10, 100000000, 16777217, 0.1, 0.3333333333333333, 5e-324, 0.1',
      '-1, -0.1, 123456789, -0.1, 1e-45, 9999.999, 123456789.12345679, 123456789012345680, 1',
      'NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL',
    ],
    exact: 'id, f + 0e0 AS f, fm + 0e0 AS fm, CAST(g AS CHAR) AS g, SIGN(1 / NULLIF(f, 0)) AS sign, CAST(-g AS CHAR) AS negated',
  },
  {
    table: 'times',
    columns:
      'd DATE, t TIME, t2 TIME(2), t4 TIME(4), t6 TIME(6), dt DATETIME, dt1 DATETIME(1), dt6 DATETIME(6), ts TIMESTAMP NULL, ts3 TIMESTAMP(3) NULL, ts6 TIMESTAMP(6) NULL',
    written: 'd, t, t2, t4, t6, dt, dt1, dt6, ts, ts3, ts6',
    rows: [
      "'0000-00-00', '-838:59:59', '-00:00:00.01', '-00:00:01.0001', '-00:00:00.000001', '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00'",
      "'2024-02-31', '838:59:59', '838:59:58.99', '838:59:58.9999', '838:59:58.999999', '2024-00-00', '2024-01-00 23:59:59.9', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07', '2038-01-19 03:14:07.999', '2038-01-19 03:14:07.999999'",
      "'1000-01-01', '-00:00:01', '-01:00:00', '-00:59:59.9999', '-838:59:58.999999', '0001-01-01 00:00:00', '1000-01-01 00:00:00.5', '1999-12-31 23:59:59.000001', '1970-01-01 00:00:01', '1970-01-01 00:00:01.001', '2024-03-31 02:30:00.5'",
      "'9999-12-31', '00:00:00', '00:00:00', '00:00:00', '00:00:00', '2024-02-29 12:00:00', '2024-02-29 12:00:00.1', '2024-02-29 12:00:00.123456', '2000-01-01', '2000-01-01', '2000-01-01'",
      'NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL',
    ],
  },
  {
    table: 'texts',
    columns: `c CHAR(5) CHARACTER SET latin1, c8 CHAR(80) CHARACTER SET utf8mb4, v VARCHAR(20) CHARACTER SET utf8mb4, v3 VARCHAR(300) CHARACTER SET latin1, u3 VARCHAR(20) CHARACTER SET utf8mb3,
      u16 VARCHAR(20) CHARACTER SET utf16, u2 VARCHAR(20) CHARACTER SET ucs2, sj VARCHAR(20) CHARACTER SET sjis, a VARCHAR(9) CHARACTER SET ascii, vbn VARCHAR(20) CHARACTER SET binary,
      tt TINYTEXT, t TEXT CHARACTER SET latin2, mt MEDIUMTEXT, lt LONGTEXT CHARACTER SET utf8mb4`,
    written: 'c, c8, v, v3, u3, u16, u2, sj, a, vbn, tt, t, mt, lt',
    rows: [
      "_latin1 X'E4F6FC80', '😀é', '日本 🚀 ''\"\\\\\\0\\n', REPEAT(_latin1 X'E9', 300), 'ünïcode', _utf8mb4'日🚀', _ucs2 X'6162', _sjis X'835C5C', 'a', X'00FF27225C', 'tiny', _latin2 X'B1E6', REPEAT('x', 70000), REPEAT('😀', 40000)",
      "'', '', '', '', '', '', '', '', '', '', '', '', '', ''",
      "'a ', '  b  ', '  trailing  ', 'it''s', 'a ', 'a', 'a', 'a', 'a ', 'a ', 'a ', 'a ', 'a ', 'a '",
      'NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL',
    ],
    exact:
      'id, HEX(c) AS c, HEX(c8) AS c8, HEX(v) AS v, HEX(v3) AS v3, HEX(u16) AS u16, HEX(u2) AS u2, HEX(sj) AS sj, HEX(vbn) AS vbn, HEX(t) AS t, SHA2(mt, 256) AS mt, SHA2(lt, 256) AS lt',
  },
  {
    table: 'bytes',
    columns:
      'b1 BINARY(1), b4 BINARY(4), b255 BINARY(255), v VARBINARY(20), v3 VARBINARY(300), tb TINYBLOB, b BLOB, mb MEDIUMBLOB, lb LONGBLOB',
    written: 'b1, b4, b255, v, v3, tb, b, mb, lb',
    rows: [
      "X'00', X'00', X'FF', X'00FF27225C', REPEAT(X'00', 300), X'27', X'0D0A1A00', REPEAT(X'00FF', 40000), REPEAT(X'5C27', 70000)",
      "'', '', '', '', '', '', '', '', ''",
      "X'FF', X'61000000', X'20', X'20', X'2000', X'20', REPEAT(X'FF', 65535), X'00', X'5C'",
      'NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL',
    ],
    exact: 'id, HEX(b1) AS b1, HEX(b4) AS b4, HEX(b255) AS b255, HEX(v) AS v, HEX(v3) AS v3',
  },
  {
    table: 'choices',
    columns: `e ENUM('a','','ä','b''c') CHARACTER SET latin1, e8 ENUM('é','日') CHARACTER SET utf8mb4, ew ENUM(${members(300)}), s SET('p','q','ü'), sw SET(${members(64)}), en ENUM('x','y') NOT NULL`,
    written: 'e, e8, ew, s, sw, en',
    rows: [
      "'ä', '日', 'm299', 'p,ü', 'm0,m63', 'x'",
      "'nothing such', 'neither', 'nor this', 'none', 'none', 'z'",
      "'', 'é', 'm0', '', '', 'y'",
      `'b''c', 'é', 'm256', 'p,q,ü', '${Array.from({ length: 64 }, (_, index) => `m${index}`).join(',')}', 'y'`,
      'NULL, NULL, NULL, NULL, NULL, 0',
    ],
    exact: 'id, e + 0 AS e, e8 + 0 AS e8, ew + 0 AS ew, s + 0 AS s, CAST(sw + 0 AS CHAR) AS sw, en + 0 AS en',
  },
  {
    table: 'shapes',
    columns:
      'g GEOMETRY, p POINT NOT NULL, l LINESTRING, pg POLYGON, mp MULTIPOINT, ml MULTILINESTRING, mpg MULTIPOLYGON, gc GEOMETRYCOLLECTION',
    written: 'g, p, l, pg, mp, ml, mpg, gc',
    rows: [
      `ST_GeomFromText('LINESTRING(0 0,1 1,2 5)', 4326), ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('LINESTRING(0 0,1 1)'), ST_GeomFromText('POLYGON((0 0,4 0,4 4,0 0))'),
        ST_GeomFromText('MULTIPOINT(1 1,2 2)'), ST_GeomFromText('MULTILINESTRING((0 0,1 1),(2 2,3 3))'), ST_GeomFromText('MULTIPOLYGON(((0 0,4 0,4 4,0 0)))'),
        ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')`,
      "NULL, ST_GeomFromText('POINT(-0.5 1e-9)', 3857), NULL, NULL, NULL, NULL, NULL, NULL",
      "ST_GeomFromText('POINT(10 20)', 4326), ST_GeomFromText('POINT(0 0)', 4326), NULL, NULL, ST_GeomFromText('MULTIPOINT(1 1)'), NULL, NULL, ST_GeomFromText('GEOMETRYCOLLECTION(POINT(0 0))')",
    ],
    exact: 'id, HEX(g) AS g, HEX(p) AS p, HEX(gc) AS gc, ST_SRID(g) AS sg, ST_SRID(p) AS sp',
  },
  {
    table: 'documents',
    columns: 'j JSON',
    written: 'j',
    rows: [
      `'{"a": 1, "b": [true, null, "x\\\\"y", 1.5, 1e20, -0.0, 18446744073709551615], "ü": "🚀", "": {}}'`,
      `'"text"'`,
      `'null'`,
      `'[]'`,
      `'-9223372036854775808'`,
      `CONCAT('["', REPEAT('long ', 20000), '"]')`,
      'NULL',
    ],
  },
  {
    table: 'computed',
    columns: `a INT, hidden INT INVISIBLE DEFAULT 3, v INT GENERATED ALWAYS AS (a * 2) VIRTUAL, st VARCHAR(30) GENERATED ALWAYS AS (CONCAT('<', a, '>')) STORED,
      big BLOB GENERATED ALWAYS AS (REPEAT('x', a)) VIRTUAL, tail VARCHAR(9), KEY on_virtual (v), CHECK (a < 100000)`,
    keyed: 'UNIQUE KEY on_generated (st)',
    written: 'a, hidden, tail',
    rows: ["{id}, 7, 'é'", "-{id}, NULL, ''", 'NULL, 0, NULL'],
  },
  {
    table: 'addresses',
    columns: 'u UUID, i6 INET6, i4 INET4',
    written: 'u, i6, i4',
    rows: [
      "'00000000-0000-0000-0000-000000000000', '::', '0.0.0.0'",
      "'ffffffff-ffff-ffff-ffff-ffffffffffff', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '255.255.255.255'",
      "'123e4567-e89b-12d3-a456-426655440000', '::ffff:192.0.2.1', '192.0.2.1'",
      'NULL, NULL, NULL',
    ],
    only: 'mariadb',
  },
  {
    table: 'typed_documents',
    columns: 'j JSON',
    written: 'j',
    rows: [
      "JSON_OBJECT('price', CAST(1.10 AS DECIMAL(5,2)), 'at', CAST('2024-01-01 10:00:00.5' AS DATETIME(6)), 'on', CAST('2024-01-01' AS DATE), 'in', CAST('-10:00:00' AS TIME))",
      "JSON_ARRAY(CAST(0.000000000000000000001 AS DECIMAL(30,21)), 0.5e0, CAST(X'00FF' AS BINARY), CAST(b'101' AS UNSIGNED))",
    ],
    exact:
      "id, JSON_STORAGE_SIZE(j) AS size, JSON_TYPE(j->'$.price') AS price, JSON_TYPE(j->'$.at') AS at, JSON_TYPE(j->'$[0]') AS first, JSON_TYPE(j->'$[2]') AS third",
    copiedAsText: true,
    only: 'mysql',
  },
  {
    table: 'vectors',
    columns: `v3 VECTOR(3), v VECTOR, at_srid POINT NOT NULL SRID 4326, tags JSON, n INT, d JSON DEFAULT (JSON_ARRAY()), KEY functional ((n + 1)), KEY multi ((CAST(tags->'$' AS UNSIGNED ARRAY)))`,
    keyed: 'SPATIAL INDEX (at_srid)',
    written: 'v3, v, at_srid, tags, n',
    rows: [
      "STRING_TO_VECTOR('[1,2.5,-0]'), STRING_TO_VECTOR('[0.1]'), ST_GeomFromText('POINT(10 20)', 4326), '[1, 2, 3]', 5",
      "STRING_TO_VECTOR('[3.4028234e38,1.17549435e-38,0]'), STRING_TO_VECTOR('[1,2,3,4,5]'), ST_GeomFromText('POINT(-90 180)', 4326), '[]', -1",
      "NULL, NULL, ST_GeomFromText('POINT(0 0)', 4326), NULL, NULL",
    ],
    exact: 'id, HEX(v3) AS v3, HEX(v) AS v, HEX(at_srid) AS at_srid',
    only: 'mysql',
  },
];
