/**
 * What a statement about a table holds, besides its names, that its text alone doesn't do alike on another server, or that makes a table of it
 * whose rows the log doesn't tell of. Pure.
 *
 * Sources: MySQL manual "Replication and AUTO_INCREMENT" ("adding an AUTO_INCREMENT column to a table with ALTER TABLE might not produce the same
 * ordering of the rows on the replica and the source") and bug #117241; "Replication and System Functions". MySQL refuses a column with a default that
 * differs (error 1674); MariaDB logs the statement as it is.
 */
import type { TableName } from '../../../vocabulary.js';
import type { Lexer, Token } from './lexer.js';
import type { NameReader } from './names.js';
import { CHANGING_WORDS, isSteady } from './steady-functions.js';

/** Only what is there; a statement without any has none. */
export interface TableTraits {
  /** Named behind REFERENCES. */
  readonly parents?: readonly TableName[];
  /** The table keeps its history from now on. */
  readonly versioned?: true;
  /**
   * Rows are numbered or left out in the order in which they lie, which without a clustered key is that of their insertion, on a target that of the
   * commits. `added-…`: in a column that wasn't there.
   */
  readonly byRowOrder?: 'auto-increment' | 'added-auto-increment' | 'ignore';
  /** What an added column's default asks that differs from time to time or place to place. */
  readonly volatileDefault?: string;
}

/** They stand before a name, so that the word behind them is one. */
const BEFORE_NAMES = new Set(['ADD', 'COLUMN', 'EXISTS', 'AFTER', 'DROP', 'MODIFY', 'CHANGE', 'ALTER', 'RENAME', 'TO']);
/** They end a default: other attributes of the column, and what may follow the last clause. */
const BEHIND_DEFAULT = new Set(
  `NOT NULL AUTO_INCREMENT UNIQUE PRIMARY KEY COMMENT COLLATE ON CHECK CONSTRAINT REFERENCES FIRST AFTER GENERATED AS VIRTUAL STORED PERSISTENT
   INVISIBLE VISIBLE COLUMN_FORMAT STORAGE ENGINE_ATTRIBUTE SECONDARY_ENGINE_ATTRIBUTE WITH WITHOUT SRID REF_SYSTEM_ID COMPRESSED PARTITION`.split(
    /\s+/,
  ),
);

/** Looks at each token of CREATE TABLE or ALTER TABLE behind the table's name, as `walk` comes to it. */
export class TraitCollector {
  private readonly parents: { readonly name: string; readonly database: string | null }[] = [];
  private versioned = false;
  private byRowOrder: TableTraits['byRowOrder'];
  private volatileDefault: string | null = null;
  private before: Token | null = null;
  /** The clause adds columns, or what else ADD adds. */
  private adding = false;
  /** Where the clause's columns have their attributes: `ADD a INT`, or inside of `ADD (a INT, b INT)`. */
  private columnDepth = 0;
  private inDefault: 'no' | 'begun' | 'yes' = 'no';

  constructor(
    private readonly lexer: Lexer,
    private readonly names: NameReader,
    private readonly statement: 'create' | 'alter' | 'alter-ignore',
  ) {
    if (statement === 'alter-ignore') this.byRowOrder = 'ignore';
  }

  /** true: it has taken the tokens. */
  visit(depth: number): boolean {
    const { lexer, before } = this;
    if (lexer.accept('REFERENCES')) {
      this.parents.push(this.names.nameParts());
      this.inDefault = 'no';
      return true;
    }
    if (lexer.word() === 'SYSTEM' && lexer.word(1) === 'VERSIONING' && isWord(before, 'WITH', 'ADD')) this.versioned = true;
    if (this.statement !== 'create') this.alter(depth);
    this.before = lexer.peek();
    return false;
  }

  /**
   * `child`: the table as it is called afterwards. A parent without a database lies in the child's, whatever the session's is, and in the new one of a
   * child that the same statement moves (seen with MariaDB 10.11 and MySQL 9.7).
   */
  traits(child: TableName): TableTraits | undefined {
    const parents = this.parents.map(({ name, database }) => ({ database: database ?? child.database, table: name }));
    const traits: TableTraits = {
      ...(parents.length > 0 && { parents }),
      ...(this.versioned && { versioned: true as const }),
      ...(this.byRowOrder !== undefined && { byRowOrder: this.byRowOrder }),
      ...(this.volatileDefault !== null && { volatileDefault: this.volatileDefault }),
    };
    return Object.keys(traits).length === 0 ? undefined : traits;
  }

  private alter(depth: number): void {
    const { lexer } = this;
    const word = lexer.word();
    if (depth === 0 && lexer.sign() === ',') {
      this.adding = false;
      this.columnDepth = 0;
      this.inDefault = 'no';
    }
    // Reserved in both servers: without quotes it always begins a clause.
    if (depth === 0 && word === 'ADD') {
      this.adding = true;
      this.columnDepth = this.addsInParentheses() ? 1 : 0;
    }
    if (depth === this.columnDepth && this.byRowOrder !== 'ignore' && this.isNumbered(word))
      this.byRowOrder = this.adding || this.byRowOrder === 'added-auto-increment' ? 'added-auto-increment' : 'auto-increment';
    if (this.adding) this.default(depth, word);
  }

  private addsInParentheses(): boolean {
    let at = 1;
    if (this.lexer.word(at) === 'COLUMN') at++;
    if (this.lexer.word(at) === 'IF') at += 3;
    return this.lexer.sign(at) === '(';
  }

  /** The attribute AUTO_INCREMENT, or SERIAL, which includes it: neither the option `AUTO_INCREMENT = n` nor a column of that name. */
  private isNumbered(word: string): boolean {
    if (word !== 'AUTO_INCREMENT' && word !== 'SERIAL') return false;
    const { lexer, before } = this;
    if (before?.kind === 'sign' && before.text !== ')') return false;
    if (isWord(before, ...BEFORE_NAMES)) return false;
    const next = lexer.peek(1);
    if (next.kind === 'sign') return next.text === ',' || next.text === ')' || next.text === ';';
    if (word === 'AUTO_INCREMENT') return !(next.kind === 'word' && /^\d/.test(next.text));
    // A type stands behind a column's name: `CHANGE a serial INT`.
    return next.kind === 'end' || BEHIND_DEFAULT.has(lexer.word(1)) || lexer.word(1) === 'DEFAULT';
  }

  private default(depth: number, word: string): void {
    const { lexer } = this;
    const sign = lexer.sign();
    if (depth === this.columnDepth) {
      if (sign === ',' || sign === ')') this.inDefault = 'no';
      else if (this.inDefault === 'begun') this.inDefault = 'yes';
      else if (word === 'DEFAULT') {
        this.inDefault = 'begun';
        return;
      } else if (BEHIND_DEFAULT.has(word)) this.inDefault = 'no';
    }
    if (this.inDefault !== 'no') this.volatileDefault ??= this.changing(word, sign);
  }

  /** What stands here and differs each time or place, for messages; null: nothing. */
  private changing(word: string, sign: string): string | null {
    if (sign === '@') return 'a variable';
    const token = this.lexer.peek();
    if (CHANGING_WORDS.has(word)) return word === 'NEXT' || word === 'PREVIOUS' ? this.ofSequence(word) : word;
    if ((token.kind !== 'word' && token.kind !== 'quoted') || this.lexer.sign(1) !== '(') return null;
    const name = token.text.toUpperCase();
    if (isSteady(name)) return null;
    return token.kind === 'word' && /^[A-Z][A-Z0-9_]{0,31}$/.test(name) ? `${name}()` : 'a function';
  }
  private ofSequence(word: string): string | null {
    return this.lexer.word(1) === 'VALUE' ? `${word} VALUE FOR` : null;
  }
}

const isWord = (token: Token | null, ...words: readonly string[]): boolean =>
  token?.kind === 'word' && !token.afterDot && words.includes(token.upper);
