/** Names and values as SQL text that any session of ours reads the same way. Pure. */
import type { TableName } from '../../../vocabulary.js';

export const quoteName = (name: string): string => `\`${name.replaceAll('`', '``')}\``;
export const quoteTable = (it: TableName): string => `${quoteName(it.database)}.${quoteName(it.table)}`;
/** For messages. */
export const nameOf = (it: TableName): string => (it.table === '' ? it.database : `${it.database}.${it.table}`);

/** Printable ASCII without ' and \: reads the same in every client character set and sql_mode. */
const PLAIN = /^[\x20-\x26\x28-\x5b\x5d-\x7e]*$/;
export const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** A string of exactly these bytes, in this character set (`binary` for none). */
export function bytesLiteral(bytes: Uint8Array, characterSet: string): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length <= 256) {
    const text = buffer.toString('latin1');
    // An introducer keeps the literal's bytes as they are: printable ASCII is sent as the same bytes.
    if (PLAIN.test(text)) return `_${characterSet}'${text}'`;
  }
  return `_${characterSet} X'${buffer.toString('hex')}'`;
}

/** A plain SQL string of UTF-8 text, escaped for sessions without NO_BACKSLASH_ESCAPES. */
export const textLiteral = (text: string): string => `_utf8mb4 X'${Buffer.from(text, 'utf8').toString('hex')}'`;
