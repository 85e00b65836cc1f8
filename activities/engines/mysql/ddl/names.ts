/** Reads names, and what stands before them, from a statement. Pure. */
import type { TableName } from '../../../vocabulary.js';
import type { Lexer, Token } from './lexer.js';

export class Unclassifiable extends Error {
  override readonly name = 'Unclassifiable';
  constructor(readonly found: string) {
    super(found);
  }
}

/** What was met: unquoted words as they stand, never what stands in quotes. */
export function describe(token: Token): string {
  if (token.kind === 'word') return /^[A-Z_]{1,32}$/.test(token.upper) ? token.upper : 'a word';
  if (token.kind === 'sign') return token.text;
  if (token.kind === 'broken') return token.why;
  if (token.kind === 'end') return 'the end of the statement';
  return token.kind === 'quoted' ? 'a quoted name' : 'a string';
}

export class NameReader {
  constructor(
    private readonly lexer: Lexer,
    private readonly defaultDatabase: string,
    private readonly decode: (bytes: string) => string,
  ) {}

  unexpected(where: string): Unclassifiable {
    return new Unclassifiable(`${describe(this.lexer.peek())} in the place of what ${where} needs`);
  }

  /** Takes IF EXISTS or IF NOT EXISTS. */
  existing(): this {
    if (!this.lexer.accept('IF', 'NOT', 'EXISTS')) this.lexer.accept('IF', 'EXISTS');
    return this;
  }

  private identifier(): string {
    const token = this.lexer.next();
    const bytes = token.kind === 'quoted' || (token.kind === 'word' && (token.afterDot || !/^\d+$/.test(token.text))) ? token.text : '';
    if (bytes === '') throw new Unclassifiable(`${describe(token)} in the place of a name`);
    return this.decode(bytes);
  }

  database(): TableName {
    return { database: this.identifier(), table: '' };
  }

  /** `name` or `database.name`; without a database it is the session's. */
  name(): TableName {
    const { name, database } = this.nameParts();
    return this.qualified(name, database);
  }
  qualified(name: string, database: string | null, otherwise = this.defaultDatabase): TableName {
    const resolved = database ?? otherwise;
    if (resolved === '') throw new Unclassifiable('a name without a database, in a session without one');
    return { database: resolved, table: name };
  }
  nameParts(): { readonly name: string; readonly database: string | null } {
    const first = this.identifier();
    if (!this.lexer.acceptSign('.')) return { name: first, database: null };
    const second = this.identifier();
    if (this.lexer.sign() === '.') throw new Unclassifiable('a name of three parts');
    return { name: second, database: first };
  }

  /** `ALTER DATABASE [name] option …`: without a name it is the session's. */
  alteredDatabase(): TableName {
    const options = ['CHARACTER', 'CHARSET', 'COLLATE', 'DEFAULT', 'COMMENT', 'ENCRYPTION', 'READ'];
    const word = this.lexer.word();
    const reserved = ['CHARACTER', 'COLLATE', 'DEFAULT', 'READ'].includes(word);
    // COMMENT, CHARSET and ENCRYPTION may be a database's name: then an option follows.
    const nameless = reserved || (options.includes(word) && !options.includes(this.lexer.word(1)) && this.lexer.word(1) !== 'UPGRADE');
    if (!nameless) return this.database();
    if (this.defaultDatabase === '') throw new Unclassifiable('ALTER DATABASE without a name, in a session without a database');
    return { database: this.defaultDatabase, table: '' };
  }

  /** ALGORITHM=…, DEFINER=…, SQL SECURITY …, and MySQL's JSON [RELATIONAL] DUALITY, before VIEW, TRIGGER, EVENT and routines. */
  objectModifiers(): void {
    for (;;) {
      if (this.lexer.accept('ALGORITHM')) {
        if (!this.lexer.acceptSign('=')) throw this.unexpected('ALGORITHM');
        this.lexer.next();
      } else if (this.lexer.accept('DEFINER')) {
        if (!this.lexer.acceptSign('=')) throw this.unexpected('DEFINER');
        this.account();
      } else if (this.lexer.accept('SQL', 'SECURITY')) {
        this.lexer.next();
      } else if (!this.lexer.accept('JSON', 'DUALITY') && !this.lexer.accept('JSON', 'RELATIONAL', 'DUALITY')) {
        return;
      }
    }
  }

  /** `user@host`, each part a word, a name or a string; CURRENT_USER and CURRENT_ROLE with or without (). */
  private account(): void {
    const part = (): void => {
      const token = this.lexer.next();
      if (token.kind !== 'word' && token.kind !== 'quoted' && token.kind !== 'string') throw this.unexpected('DEFINER');
    };
    part();
    if (this.lexer.acceptSign('@')) part();
    else if (this.lexer.acceptSign('(') && !this.lexer.acceptSign(')')) throw this.unexpected('DEFINER');
  }

  /** Names separated by commas, then RESTRICT, CASCADE, WAIT n or NOWAIT, then the end. */
  list(where: string): readonly TableName[] {
    const list: TableName[] = [];
    do list.push(this.name());
    while (this.lexer.acceptSign(','));
    if (!this.lexer.accept('RESTRICT')) this.lexer.accept('CASCADE');
    if (this.lexer.accept('WAIT')) this.lexer.next();
    else this.lexer.accept('NOWAIT');
    this.statementEnd(where);
    return list;
  }

  /** `BEFORE|AFTER event ON table`. */
  triggerTable(): TableName {
    if (!this.lexer.accept('BEFORE') && !this.lexer.accept('AFTER')) throw this.unexpected('CREATE TRIGGER');
    while (this.lexer.word() !== 'ON') {
      const token = this.lexer.next();
      if (token.kind !== 'word' && token.kind !== 'quoted' && !(token.kind === 'sign' && token.text === ','))
        throw new Unclassifiable(`${describe(token)} in the place of what CREATE TRIGGER needs`);
    }
    this.lexer.next();
    const table = this.name();
    if (this.lexer.word() !== 'FOR') throw this.unexpected('CREATE TRIGGER');
    return table;
  }

  /** Nothing may follow but a semicolon: a second statement in one text is never a log's. */
  statementEnd(where: string): void {
    this.lexer.acceptSign(';');
    if (this.lexer.peek().kind !== 'end') throw this.unexpected(where);
  }
}
