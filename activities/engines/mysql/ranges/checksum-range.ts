/** Count and checksum of one range, computed inside the server, by expressions every version of the family understands. */
import type { Connection } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { ChecksumRequest, RangeChecksum } from '../../engine.js';
import { tableFingerprint } from '../schema/table-fingerprint.js';
import { textRows } from './exact-query.js';
import { keysOf } from './plan-ranges.js';
import { rangeCondition } from './range-condition.js';
import { nameOf, quoteTable } from './sql-literals.js';
import { checkedColumn, readColumns, requireColumns } from './table-columns.js';

/**
 * SHA-256 of each row's values, generated columns too, in the order of their names (MySQL 9.6 and later have no MD5 and SHA1).
 * 64 bits of it are added up and 64 others XORed over the rows: the order of rows doesn't matter, and equal rows of a table
 * without key don't cancel out.
 */
export async function checksumRange(connection: Connection, request: ChecksumRequest): Promise<RangeChecksum> {
  const { table, plan, range } = request;
  await connection.query("SET SESSION time_zone='+00:00', character_set_results=utf8mb4, character_set_connection=utf8mb4");
  const columns = await readColumns(connection, table);
  requireColumns(table, columns);
  const keys = keysOf(table, columns, plan.keyColumns).map((it) => it.expression);
  const sorted = [...columns].sort((a, b) => (a.name < b.name ? -1 : 1));
  const values = sorted.map((column) => {
    const value = checkedColumn(column);
    // A length before each value: ('ab', 'c') and ('a', 'bc') differ. NULL is a letter no length is.
    return `IFNULL(CONCAT(LENGTH(${value}), ':', ${value}), 'N')`;
  });
  // LIMIT keeps the derived table from being merged, which would compute each hash three times.
  const [row] = await textRows(
    connection,
    `SELECT COUNT(*), COUNT(h), LOWER(CONV(IFNULL(BIT_XOR(CAST(CONV(LEFT(h, 16), 16, 10) AS UNSIGNED)), 0), 10, 16)),
            IFNULL(SUM(CAST(CONV(SUBSTRING(h, 17, 16), 16, 10) AS UNSIGNED)), 0)
     FROM (SELECT SHA2(CONCAT(${values.join(', ')}), 256) AS h FROM ${quoteTable(table)}
           WHERE ${rangeCondition(keys, plan, range)} LIMIT 18446744073709551615) AS hashes`,
  );
  const [rows = '0', hashed = '0', xor = '', sum = ''] = row ?? [];
  if (rows !== hashed)
    throw new SrdfError('not-supported', {
      tried: `computing the checksum of a range of ${nameOf(table)}`,
      found: `${Number(rows) - Number(hashed)} rows are larger than max_allowed_packet`,
      action: 'Raise max_allowed_packet on both servers',
    });
  return { rows: Number(rows), checksum: `${(xor ?? '').padStart(16, '0')}-${sum}`, schema: await tableFingerprint(connection, table) };
}
