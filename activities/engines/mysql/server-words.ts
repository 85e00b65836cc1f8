/**
 * What may be passed on of a server's own words. Many of its messages quote a value of a row or a piece of the statement, with whatever
 * literals and comments it holds; those listed name objects, privileges, engines and settings alone. Pure.
 */

/**
 * 1005 and 1025 can't create or rename (errno), 1007 and 1008 database exists or doesn't, 1044, 1045, 1142, 1143, 1227, 1370, 1419 privileges, 1050 and 1051
 * table exists or doesn't, 1054 unknown column, 1060 and 1061 duplicate column or key name, 1067 to 1075 defaults and keys, 1091 can't drop, 1101 no default for
 * a BLOB, 1115 and 1273 character set, 1117 and 1118 too large a row, 1146 no such table, 1049 no such database, 1171 nullable key, 1193 unknown variable, 1205 and
 * 1213 locks, 1215, 1217, 1451, 1822 to 1834 foreign keys, 1235 not supported, 1286 engine, 1304, 1305, 1359, 1360, 1537, 1539 objects, 1347 and 1356 views, 1449 the account of a definer, 1709 index
 * too long, 1845, 1846 algorithm, 3780 incompatible column, 6125 foreign key without unique key.
 */
const NAMES_ALONE = new Set([
  1005, 1007, 1008, 1025, 1044, 1045, 1049, 1050, 1051, 1054, 1060, 1061, 1067, 1068, 1069, 1070, 1071, 1072, 1073, 1074, 1075, 1091, 1101,
  1115, 1117, 1118, 1142, 1143, 1146, 1171, 1193, 1205, 1213, 1215, 1217, 1227, 1235, 1273, 1286, 1304, 1305, 1347, 1356, 1359, 1360, 1370,
  1419, 1449, 1537, 1539, 1698, 1709, 1820, 1822, 1823, 1824, 1825, 1826, 1827, 1828, 1829, 1830, 1832, 1833, 1834, 1845, 1846, 3780, 4151,
  6125,
]);
/** Errors of rows that a definition doesn't fit: duplicate entry, truncated, out of range, incorrect value, too long, null, check violated. */
const OF_A_ROW = new Set([1062, 1586, 1264, 1265, 1292, 1366, 1406, 1411, 1048, 1138, 1526, 1690, 3140, 3819, 4025, 1859]);

/** `error 1146: Table 'shop.item' doesn't exist`; of others the number. */
export function wordsOf(errno: number, message: string): string {
  if (NAMES_ALONE.has(errno)) return `error ${errno}: ${message}`;
  return OF_A_ROW.has(errno) ? `error ${errno}: a row doesn’t fit the new definition` : `error ${errno} of the server`;
}

/**
 * What mends a view that can't be created over another view, or with a function, whose definer has no account on the server: MariaDB says 1449 of it,
 * MySQL at times 1045, of its own session. null: it is something else.
 */
export const definersFix = (errno: number): string | null =>
  errno === 1449 || errno === 1045
    ? 'An account that a view or routine of the source is defined by isn’t on the target, and accounts aren’t replicated: create it there, with its ' +
      'grants (on the source: SHOW CREATE USER, SHOW GRANTS FOR)'
    : null;
