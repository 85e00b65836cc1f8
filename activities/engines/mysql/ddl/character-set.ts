/** What a statement's bytes mean, by the client's numeric collation id (Query_log_event, Q_CHARSET_CODE). Pure. */

/**
 * `utf8`: ASCII or UTF-8. `latin1`: the servers' latin1, Windows-1252 in truth. `hidden`: a byte of a character may be
 * a quote or a backslash (sjis, cp932, big5, gbk, gb18030), so that quotes can't be found without a table. `other`: ASCII-safe, names unknown.
 */
export type ClientCharacters = 'utf8' | 'latin1' | 'hidden' | 'other';

const LATIN1 = new Set([5, 8, 15, 31, 47, 48, 49, 94]);
const HIDDEN = new Set([1, 84, 13, 88, 28, 87, 95, 96, 248, 249, 250]);
const UTF8MB3 = new Set([33, 76, 83, 223]);

/** Ids: `information_schema.COLLATIONS`; MariaDB's uca1400 from 2048, its nopad ones 1024 above the plain ones. */
export function clientCharacters(collation: number | null): ClientCharacters {
  if (collation === null) return 'utf8';
  const id = collation >= 1024 && collation < 2048 ? collation - 1024 : collation;
  if (id === 63 || id === 11 || id === 65) return 'utf8';
  if (UTF8MB3.has(id) || (id >= 192 && id <= 215)) return 'utf8';
  if (id === 45 || id === 46 || (id >= 224 && id <= 247) || (id >= 255 && id <= 323) || (id >= 576 && id <= 640)) return 'utf8';
  // MariaDB: utf8mb3_uca1400_* 2048–2303, utf8mb4_uca1400_* 2304–2559
  if (id >= 2048 && id < 2560) return 'utf8';
  if (LATIN1.has(id)) return 'latin1';
  if (HIDDEN.has(id)) return 'hidden';
  return 'other';
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const windows1252 = new TextDecoder('windows-1252');

/** null: the bytes aren't UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}
export const decodeLatin1 = (bytes: Uint8Array): string => windows1252.decode(bytes);
