/**
 * What a statement of the binlog does, from its leading words and names alone. Pure.
 * Anything that isn't recognised with certainty is `unclassifiable`: the stream stops in sight rather than guess.
 */
import type { DdlClassification } from '../../engine.js';
import { type ClientCharacters, clientCharacters, decodeLatin1, decodeUtf8 } from './character-set.js';
import { type Dialect, Lexer } from './lexer.js';
import { parseStatement, Unclassifiable } from './parse.js';
import type { TableTraits } from './table-traits.js';

export type StatementKind =
  /** `traits` stay on the side that reads: the other reads the statement itself. */
  | { readonly kind: 'ddl'; readonly classification: DdlClassification; readonly traits?: TableTraits }
  | { readonly kind: 'transaction'; readonly verb: 'begin' | 'commit' | 'rollback' | 'rollback-to' | 'savepoint' | 'xa' }
  /** Understood, and no part of a database stream: accounts, FLUSH, ANALYZE, SET, temporary tables, server-wide objects. */
  | { readonly kind: 'outside'; readonly what: string }
  /** Data changed by a statement that was logged as text; replaying it wouldn't be exact. */
  | { readonly kind: 'statement-change'; readonly what: string }
  | { readonly kind: 'unclassifiable'; readonly found: string };

export interface StatementSession {
  /** As in the event; null or absent: not known, and then what depends on it is unclassifiable. */
  readonly sqlMode?: bigint | null;
  readonly characterSetClient?: number | null;
}

/** Bits of sql_mode as the event's Q_SQL_MODE_CODE has them; equal in both servers. */
const ANSI_QUOTES = 4n;
const NO_BACKSLASH_ESCAPES = 1n << 20n;

/**
 * Classifies one statement. `defaultDatabase` is the session's, `''` when it had none.
 * The result is the same under every reading that the session leaves open, or `unclassifiable`.
 */
export function classifyStatement(sql: Uint8Array, defaultDatabase: string, session: StatementSession = {}): StatementKind {
  const characters = clientCharacters(session.characterSetClient ?? null);
  const ascii = sql.every((byte) => byte < 0x80);
  if (characters === 'hidden' && !ascii)
    return {
      kind: 'unclassifiable',
      found: 'a statement in a character set whose characters may hold quotes (sjis, cp932, big5, gbk, gb18030)',
    };
  const text = Buffer.from(sql.buffer, sql.byteOffset, sql.byteLength).toString('latin1');
  const decode = nameDecoder(characters);

  let first: StatementKind | null = null;
  for (const dialect of openDialects(text, session.sqlMode ?? null)) {
    const kind = classifyIn(text, dialect, defaultDatabase, decode);
    if (first === null) first = kind;
    else if (JSON.stringify(first) !== JSON.stringify(kind))
      return { kind: 'unclassifiable', found: 'a statement that reads differently under another sql_mode or server version' };
  }
  return first ?? { kind: 'unclassifiable', found: 'nothing' };
}

/** Every reading that the session and the text leave open. */
function openDialects(text: string, sqlMode: bigint | null): readonly Dialect[] {
  const both = [true, false];
  const backslashes = sqlMode !== null ? [(sqlMode & NO_BACKSLASH_ESCAPES) === 0n] : text.includes('\\') ? both : [true];
  const ansi = sqlMode !== null ? [(sqlMode & ANSI_QUOTES) !== 0n] : text.includes('"') ? both : [false];
  const versioned = /\/\*M?!/.test(text) ? both : [true];
  return backslashes.flatMap((backslashEscapes) =>
    ansi.flatMap((ansiQuotes) => versioned.map((executeVersioned) => ({ backslashEscapes, ansiQuotes, executeVersioned }))),
  );
}

function classifyIn(text: string, dialect: Dialect, defaultDatabase: string, decode: (bytes: string) => string): StatementKind {
  try {
    return parseStatement(new Lexer(text, dialect), defaultDatabase, decode);
  } catch (error) {
    if (error instanceof Unclassifiable) return { kind: 'unclassifiable', found: error.found };
    throw error;
  }
}

/** A name's bytes as text. The server's own generated CREATE TABLE (of CREATE … SELECT) is UTF-8 even where the event says latin1. */
function nameDecoder(characters: ClientCharacters): (bytes: string) => string {
  return (bytes) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII
    if (/^[\x00-\x7f]*$/.test(bytes)) return bytes;
    const raw = Buffer.from(bytes, 'latin1');
    const utf8 = decodeUtf8(raw);
    if (characters === 'utf8' && utf8 !== null) return utf8;
    if (characters === 'latin1' && utf8 === null) return decodeLatin1(raw);
    throw new Unclassifiable('a name outside ASCII whose character set is not certain');
  };
}
