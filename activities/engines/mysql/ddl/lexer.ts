/**
 * Cuts an SQL statement of MariaDB or MySQL into tokens, on demand, without understanding it. Pure.
 * Rules: MySQL manual "Lexical structure" (comments, string literals, schema object names), MariaDB "Comment Syntax".
 *
 * What the text alone doesn't say (sql_mode, the server's version, which decides about executable comments) is a `Dialect`;
 * who doesn't know it asks for every dialect and compares.
 */
export type Token =
  /** A word without quotes: keyword, name or number. `text` as written, `upper` for keywords. */
  | { readonly kind: 'word'; readonly text: string; readonly upper: string; readonly afterDot: boolean }
  /** A name in backticks, or in double quotes (which is a string unless ANSI_QUOTES: the reader of tokens decides by place). */
  | { readonly kind: 'quoted'; readonly text: string; readonly quote: '`' | '"' }
  | { readonly kind: 'string' }
  | { readonly kind: 'sign'; readonly text: string }
  | { readonly kind: 'end' }
  /** The text can't be cut from here on. */
  | { readonly kind: 'broken'; readonly why: string };

export interface Dialect {
  /** NO_BACKSLASH_ESCAPES: a backslash in a string is a backslash. */
  readonly backslashEscapes: boolean;
  /** ANSI_QUOTES: double quotes hold a name, in which a backslash means nothing. */
  readonly ansiQuotes: boolean;
  /** Whether an executable comment is executed that some versions execute and others don't. */
  readonly executeVersioned: boolean;
}

const SPACE = new Set([0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d]);
const isWordByte = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) ||
  (byte >= 0x41 && byte <= 0x5a) ||
  (byte >= 0x61 && byte <= 0x7a) ||
  byte === 0x5f ||
  byte === 0x24 ||
  byte >= 0x80;

/** Executed by every server this project speaks to: no version, or one that MySQL 5.6 has reached (MariaDB skips 50700 to 99999). */
const ALWAYS_EXECUTED_TO = 50_699;

export class Lexer {
  private at = 0;
  private readonly end: number;
  private readonly ahead: Token[] = [];
  private executable = 0;
  private afterDot = false;
  private afterAt = false;

  /** `text` is the statement with one character a byte, so that nothing is lost whatever its character set. */
  constructor(
    private readonly text: string,
    private readonly dialect: Dialect,
  ) {
    this.end = text.length;
  }

  peek(distance = 0): Token {
    while (this.ahead.length <= distance) this.ahead.push(this.scan());
    return this.ahead[distance] ?? { kind: 'end' };
  }
  next(): Token {
    const token = this.peek();
    if (token.kind !== 'end' && token.kind !== 'broken') this.ahead.shift();
    return token;
  }
  /** The keyword at the front, upper case; '' for anything else. */
  word(distance = 0): string {
    const token = this.peek(distance);
    return token.kind === 'word' && !token.afterDot ? token.upper : '';
  }
  /** Takes the keywords if they stand at the front, all or none. */
  accept(...words: readonly string[]): boolean {
    if (!words.every((word, distance) => this.word(distance) === word)) return false;
    for (const _ of words) this.next();
    return true;
  }
  sign(distance = 0): string {
    const token = this.peek(distance);
    return token.kind === 'sign' ? token.text : '';
  }
  acceptSign(sign: string): boolean {
    if (this.sign() !== sign) return false;
    this.next();
    return true;
  }

  private byte(offset: number): number {
    return offset < this.end ? this.text.charCodeAt(offset) : -1;
  }

  private scan(): Token {
    const broken = this.skipBlanks();
    if (broken !== null) return { kind: 'broken', why: broken };
    if (this.at >= this.end) return this.executable > 0 ? { kind: 'broken', why: 'an executable comment without end' } : { kind: 'end' };
    const afterDot = this.afterDot;
    const afterAt = this.afterAt;
    this.afterDot = false;
    this.afterAt = false;
    const char = this.text[this.at] ?? '';
    if (char === "'") return this.string("'");
    if (char === '"') return this.dialect.ansiQuotes ? this.quoted('"') : this.doubleQuoted();
    if (char === '`') return this.quoted('`');
    if (isWordByte(this.byte(this.at))) {
      const start = this.at;
      // Behind an @ a host name may hold dots: root@127.0.0.1
      while (isWordByte(this.byte(this.at)) || (afterAt && this.byte(this.at) === 0x2e)) this.at++;
      const text = this.text.slice(start, this.at);
      return { kind: 'word', text, upper: text.toUpperCase(), afterDot };
    }
    this.at++;
    if (char === '.') this.afterDot = true;
    if (char === '@') this.afterAt = true;
    if (char < ' ' || char === '\x7f') return { kind: 'broken', why: `the byte 0x${char.charCodeAt(0).toString(16).padStart(2, '0')}` };
    return { kind: 'sign', text: char };
  }

  /** Blanks and comments; enters executable ones. Returns what is broken, or null. */
  private skipBlanks(): string | null {
    for (;;) {
      const byte = this.byte(this.at);
      if (SPACE.has(byte)) {
        this.at++;
      } else if (byte === 0x23) {
        this.skipLine();
      } else if (byte === 0x2d && this.byte(this.at + 1) === 0x2d && this.byte(this.at + 2) <= 0x20) {
        this.skipLine();
      } else if (byte === 0x2f && this.byte(this.at + 1) === 0x2a) {
        const broken = this.enterComment();
        if (broken !== null) return broken;
      } else if (byte === 0x2a && this.byte(this.at + 1) === 0x2f && this.executable > 0) {
        this.executable--;
        this.at += 2;
      } else {
        return null;
      }
    }
  }

  private skipLine(): void {
    const end = this.text.indexOf('\n', this.at);
    this.at = end < 0 ? this.end : end + 1;
  }

  private enterComment(): string | null {
    const executable = /^\/\*(M?)!(\d{5,6})?/.exec(this.text.slice(this.at, this.at + 11));
    if (executable !== null) {
      const [whole, mariadbOnly, version] = executable;
      const always = mariadbOnly === '' && (version === undefined || Number(version) <= ALWAYS_EXECUTED_TO);
      if (always || this.dialect.executeVersioned) {
        this.executable++;
        this.at += whole.length;
        return null;
      }
    }
    return this.skipComment(executable !== null);
  }

  /** A comment that isn't executed; one that would be, in another version, may hold one more comment (both servers' lexers). */
  private skipComment(nests: boolean): string | null {
    let at = this.at + 2;
    for (;;) {
      const close = this.text.indexOf('*/', at);
      if (close < 0) return 'a comment without end';
      const inner = nests ? this.text.indexOf('/*', at) : -1;
      if (inner >= 0 && inner < close) {
        const innerClose = this.text.indexOf('*/', inner + 2);
        if (innerClose < 0) return 'a comment without end';
        at = innerClose + 2;
      } else {
        this.at = close + 2;
        return null;
      }
    }
  }

  /** From the quote at `at`; doubled quotes stand for one. Returns the content, or null without an end. */
  private until(quote: string, backslash: boolean): string | null {
    let content = '';
    let at = this.at + 1;
    for (;;) {
      const char = this.text[at];
      if (char === undefined) return null;
      if (backslash && char === '\\') {
        content += this.text.slice(at, at + 2);
        at += 2;
      } else if (char === quote) {
        if (this.text[at + 1] !== quote) {
          this.at = at + 1;
          return content;
        }
        content += quote;
        at += 2;
      } else {
        content += char;
        at++;
      }
    }
  }

  private string(quote: string): Token {
    return this.until(quote, this.dialect.backslashEscapes) === null ? { kind: 'broken', why: 'a string without end' } : { kind: 'string' };
  }
  private doubleQuoted(): Token {
    const text = this.until('"', this.dialect.backslashEscapes);
    return text === null ? { kind: 'broken', why: 'a string without end' } : { kind: 'quoted', text, quote: '"' };
  }
  private quoted(quote: '`' | '"'): Token {
    const text = this.until(quote, false);
    return text === null ? { kind: 'broken', why: 'a quoted name without end' } : { kind: 'quoted', text, quote };
  }
}
