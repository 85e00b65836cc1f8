import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerKind } from '../servers/database-server.js';
import { MysqlReplica } from './mysql-replica.js';

const COMMON = `
  i1 TINYINT, i2 SMALLINT UNSIGNED, i3 MEDIUMINT, i4 INT UNSIGNED, i8 BIGINT UNSIGNED, de DECIMAL(65,30), f FLOAT, d DOUBLE, b BIT(13), bo BOOL,
  ch CHAR(9) CHARACTER SET utf8mb4, vc VARCHAR(300) CHARACTER SET latin1, vb VARBINARY(300), bi BINARY(4),
  tt TINYTEXT, tx TEXT CHARACTER SET utf8mb3, mt MEDIUMTEXT, lt LONGTEXT, tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB,
  da DATE, ti TIME(6), dt DATETIME(6), dt0 DATETIME, ts TIMESTAMP(3) NULL, ye YEAR, en ENUM('a','b','é') CHARACTER SET utf8mb4, se SET('x','y','z'),
  js JSON, g GEOMETRY, vg INT AS (i1 + 1) VIRTUAL, sg INT AS (i1 + 2) STORED, inv INT INVISIBLE`;
const VALUES: Record<string, string> = {
  max: `1, 127, 65535, 8388607, 4294967295, 18446744073709551615, 99999999999999999999999999999999999.999999999999999999999999999999, 3.4028234e38, 1.7976931348623157e308,
    b'1111111111111', 1, '😀é  ', 'é€', x'00ff270a5c', x'00ff0027', 'tiny', 'ünïcode', REPEAT('m', 70000), REPEAT('é', 1000), x'00', x'ff00', REPEAT(x'00ff', 40000), x'27',
    '9999-12-31', '838:59:59.000000', '9999-12-31 23:59:59.999999', '1000-01-01 00:00:00', '2038-01-19 03:14:07.999', 2155, 'é', 'x,z', '{"a": [1, 2.5, "é", null, true], "b": {"c": 12345678901234567890}}',
    ST_GeomFromText('POINT(1.5 -2.5)')`,
  min: `2, -128, 0, -8388608, 0, 0, -99999999999999999999999999999999999.999999999999999999999999999999, -1.5e-30, -0.0, b'0', 0, '', '', '', '', '', '', '', '', '', '', '', '',
    '0000-00-00', '-838:59:59.000000', '0000-00-00 00:00:00', '2024-00-00 00:00:00', '1970-01-01 00:00:01.001', 0, 'a', '', '[]', ST_GeomFromText('LINESTRING(0 0, 1 1)')`,
  nulls: `3${', NULL'.repeat(32)}`,
};
const COLUMNS =
  'id, i1, i2, i3, i4, i8, de, f, d, b, bo, ch, vc, vb, bi, tt, tx, mt, lt, tb, bl, mb, lb, da, ti, dt, dt0, ts, ye, en, se, js, g';

describe.each<ServerKind>(['mariadb', 'mysql'])('%s: every type', (kind) => {
  let replica: MysqlReplica;
  beforeAll(async () => {
    replica = await MysqlReplica.start(kind, ['d']);
  });
  afterAll(async () => {
    await replica?.remove();
  });

  it.each(['PRIMARY KEY (id)', 'KEY (id)'])('inserted, updated and deleted as on the source, %s', async (key) => {
    const table = key.startsWith('PRIMARY') ? 't_keyed' : 't_plain';
    await replica.run(
      `CREATE DATABASE IF NOT EXISTS d CHARACTER SET utf8mb4; USE d; CREATE TABLE ${table} (id INT NOT NULL, ${COMMON}, ${key})`,
    );
    const session = "SET sql_mode='ALLOW_INVALID_DATES', time_zone='+00:00'";
    const inserts = Object.values(VALUES).map((row) => `INSERT INTO ${table} (${COLUMNS}) VALUES (${row})`);
    await replica.run(`${session}; ${inserts.join(';')}; INSERT INTO ${table} (id, inv) VALUES (4, 5)`, 'd');
    expect((await replica.source.sql(`SELECT COUNT(*) AS n FROM ${table}`, 'd'))[0]?.n).toBe('4');
    await expectEqual(replica);
    await replica.run(`${session}; UPDATE ${table} SET i1 = 5, vc = CONCAT(COALESCE(vc, ''), 'é'), js = '{"x": 1}', f = 1.1, inv = 9`, 'd');
    await expectEqual(replica);
    await replica.run(`${session}; DELETE FROM ${table} WHERE id IN (1, 3)`, 'd');
    await expectEqual(replica);
    expect((await replica.target.sql(`SELECT COUNT(*) AS n FROM ${table}`, 'd'))[0]?.n).toBe('2');
  });
});

async function expectEqual(replica: MysqlReplica): Promise<void> {
  const { source, target } = await replica.dumps();
  expect(target).toBe(source);
}
