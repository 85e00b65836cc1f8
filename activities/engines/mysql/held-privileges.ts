/**
 * What an account may do, as SHOW GRANTS tells it (roles that are active included): what lacks of what is needed, and what is more than that,
 * as the statements that mend it.
 */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Finding, Selection } from '../engine.js';

/** `*.*`, `` `database pattern`.* ``, or anything narrower. */
interface Grant {
  readonly level: string;
  readonly on: 'server' | 'database' | 'table';
  /** Of the level: a pattern on a database, in which `\` escapes. */
  readonly database: string;
  readonly table: string;
  readonly privileges: readonly string[];
  /** MySQL's partial revokes: taken away from what *.* gives. */
  readonly revoked: boolean;
}

/** Privileges of one place, all of them needed; `anyOf` the first is what a GRANT names. */
interface Need {
  readonly anyOf: readonly string[];
  readonly why: string;
}
export interface Needs {
  readonly server: readonly Need[];
  /** On each of `databases`. */
  readonly database: readonly Need[];
  readonly databases: readonly string[];
  /** `database.table` of the server's own, to be read; that it lacks is asked of the server elsewhere. */
  readonly tables: readonly string[];
  /** On the databases above, any other privilege is no surplus. */
  readonly ownDatabases: boolean;
}

export class HeldPrivileges {
  private constructor(
    /** Quoted, e.g. `'srdf'@'%'`. */
    readonly account: string,
    private readonly grants: readonly Grant[],
    private readonly foldCase: boolean,
  ) {}

  static async read(connection: Connection): Promise<HeldPrivileges> {
    const [accounts] = await connection.query<RowDataPacket[]>(
      'SELECT CURRENT_USER() AS account, @@lower_case_table_names <> 0 AS foldCase',
    );
    const [rows] = await connection.query<RowDataPacket[]>('SHOW GRANTS');
    return new HeldPrivileges(
      quotedAccount(String(accounts[0]?.account)),
      parseGrants(rows.map((row) => String(Object.values(row)[0]))),
      Number(accounts[0]?.foldCase) === 1,
    );
  }
  static of(account: string, grants: readonly string[]): HeldPrivileges {
    return new HeldPrivileges(account, parseGrants(grants), false);
  }

  /** What lacks, one finding for each with its GRANT. */
  missing({ server, database, databases }: Needs, selection: Selection): Finding[] {
    const lacks = (need: Need, level: string): Finding => ({
      severity: 'error',
      check: 'privileges',
      found: `${this.account} lacks ${need.anyOf[0]}${level === '*.*' ? '' : ` on ${level}`}, needed ${need.why}`,
      fix: `GRANT ${need.anyOf[0]} ON ${level} TO ${this.account};`,
    });
    return [
      ...server.filter(({ anyOf }) => !anyOf.some((it) => this.onServer(it))).map((need) => lacks(need, '*.*')),
      ...databases.flatMap((name) =>
        database
          .filter(({ anyOf }) => !anyOf.some((it) => this.onDatabase(it, name) || this.onTables(it, name, selection)))
          .map((need) => lacks(need, `${databasePattern(name)}.*`)),
      ),
    ];
  }

  /** What the account may do beyond `enough`, as one warning: the statements take it away and leave, or give, what `needs` says. */
  surplus(needs: Needs, enough: Needs = needs): Finding[] {
    const extra = this.grants
      .filter((grant) => !grant.revoked)
      .map((grant) => ({ grant, privileges: grant.privileges.filter((it) => !this.isNeeded(it, grant, enough)) }))
      .filter(({ privileges }) => privileges.length > 0);
    if (extra.length === 0) return [];
    const isAll = (privileges: readonly string[]): boolean => privileges.includes(ALL);
    const left = new HeldPrivileges(
      this.account,
      this.grants.map((grant) => {
        const taken = extra.find((it) => it.grant === grant)?.privileges ?? [];
        return { ...grant, privileges: isAll(taken) ? [] : grant.privileges.filter((it) => !taken.includes(it)) };
      }),
      this.foldCase,
    );
    const statements = [
      ...extra.flatMap(({ grant, privileges }) => {
        const rest = privileges.filter((it) => it !== GRANT_OPTION);
        // GRANT OPTION isn't part of ALL, and isn't taken in one statement with others.
        const lists = [isAll(rest) ? ALL : rest.join(', '), ...privileges.filter((it) => it === GRANT_OPTION)];
        return lists.filter((it) => it !== '').map((it) => `REVOKE ${it} ON ${grant.level} FROM ${this.account};`);
      }),
      ...left.missing(needs, { databases: needs.databases, include: [], exclude: [] }).map((it) => it.fix),
      ...needs.tables
        .filter((table) => !left.grants.some((it) => it.on === 'table' && `${it.database}.${it.table}` === table && gives(it, 'SELECT')))
        .map((table) => `GRANT SELECT ON ${table} TO ${this.account};`),
    ];
    const administers = extra.some(({ privileges }) => [ALL, GRANT_OPTION, 'SUPER', 'CREATE USER'].some((it) => privileges.includes(it)));
    return [
      {
        severity: 'warning',
        check: 'privileges-surplus',
        found: `${this.account} may do more than SRDF needs: ${extra.map(({ grant, privileges }) => `${some(privileges)} on ${grant.level}`).join('; ')}`,
        fix: `${administers ? 'Give SRDF an account of its own (README, Accounts); or, if this one is: ' : ''}${[...new Set(statements)].join(' ')}`,
      },
    ];
  }

  private isNeeded(privilege: string, grant: Grant, { server, database, databases, tables, ownDatabases }: Needs): boolean {
    const within = (needs: readonly Need[]): boolean => needs.some(({ anyOf }) => anyOf.some((it) => same(it, privilege)));
    if (grant.on === 'server') return within(server);
    const own = databases.some((it) => this.names(grant, it));
    if (privilege === GRANT_OPTION) return false;
    if (own && (ownDatabases || within(database))) return true;
    return grant.on === 'table' && privilege === 'SELECT' && tables.includes(`${grant.database}.${grant.table}`);
  }

  private onServer(privilege: string): boolean {
    return this.grants.some((it) => it.on === 'server' && !it.revoked && gives(it, privilege));
  }
  private onDatabase(privilege: string, database: string): boolean {
    const there = this.grants.filter((it) => it.on === 'database' && this.matches(it, database) && gives(it, privilege));
    if (there.some((it) => !it.revoked)) return true;
    return this.onServer(privilege) && there.length === 0;
  }
  /** On each table the stream is limited to. */
  private onTables(privilege: string, database: string, { include }: Selection): boolean {
    const wanted = include.filter((it) => it.database === database);
    return (
      wanted.length > 0 &&
      wanted.every(({ table }) =>
        this.grants.some((it) => it.on === 'table' && it.database === database && it.table === table && gives(it, privilege)),
      )
    );
  }
  private fold(name: string): string {
    return this.foldCase ? name.toLowerCase() : name;
  }
  private matches({ database }: Grant, name: string): boolean {
    const pattern = this.fold(database).replaceAll(/\\(.)|([%_])|(.)/gsu, (_, escaped?: string, wild?: string, plain?: string) => {
      if (wild !== undefined) return wild === '%' ? '.*' : '.';
      return (escaped ?? plain ?? '').replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    });
    return new RegExp(`^${pattern}$`, 'su').test(this.fold(name));
  }
  /** A grant on this database and no other: its name as it is, or with `_` and `%` escaped. */
  private names({ database, on }: Grant, name: string): boolean {
    const pattern = this.fold(database);
    return pattern === this.fold(name) || (on === 'database' && unescaped(pattern) === this.fold(name) && !/(^|[^\\])%/.test(pattern));
  }
}

const ALL = 'ALL PRIVILEGES';
const GRANT_OPTION = 'GRANT OPTION';
/** Privileges that are part of no ALL are dynamic ones of MySQL, which SHOW GRANTS lists beside it. */
const gives = (grant: Grant, privilege: string): boolean => grant.privileges.some((it) => it === ALL || same(it, privilege));
const same = (a: string, b: string): boolean => a.replaceAll('_', ' ') === b.replaceAll('_', ' ');
const some = (list: readonly string[]): string =>
  list.length > 6 ? `${list.slice(0, 5).join(', ')} and ${list.length - 5} more` : list.join(', ');

/** In a GRANT a database's name is a pattern. */
export const databasePattern = (name: string): string => `\`${name.replaceAll(/[\\_%]/g, '\\$&').replaceAll('`', '``')}\``;
const unescaped = (pattern: string): string => pattern.replaceAll(/\\(.)/gsu, '$1');

function quotedAccount(account: string): string {
  const at = account.lastIndexOf('@');
  return [account.slice(0, at), account.slice(at + 1)].map((it) => `'${it.replaceAll(/['\\]/g, '\\$&')}'`).join('@');
}

const NAME = '`(?:[^`]|``)*`';
const GRANT = new RegExp(
  `^(GRANT|REVOKE) (.+?) ON (?:(?:TABLE|FUNCTION|PROCEDURE|PACKAGE|PACKAGE BODY) )?(\\*\\.\\*|(${NAME})\\.(\\*|${NAME})) (?:TO|FROM) (.*)$`,
  'su',
);
const unquoted = (name: string): string => name.slice(1, -1).replaceAll('``', '`');

/** Lines without a level (roles, proxies) give nothing here. */
function parseGrants(lines: readonly string[]): readonly Grant[] {
  return lines.flatMap((line) => {
    const [, verb, list = '', level, database, table, rest = ''] = GRANT.exec(line) ?? [];
    if (level === undefined) return [];
    const privileges = list
      .split(/,\s*(?![^(]*\))/)
      .map((it) => it.trim())
      .filter((it) => it !== 'USAGE' && it !== 'PROXY');
    if (/ WITH GRANT OPTION\b/.test(rest)) privileges.push(GRANT_OPTION);
    return [
      {
        level,
        on: level === '*.*' ? ('server' as const) : table === '*' ? ('database' as const) : ('table' as const),
        database: database === undefined ? '' : unquoted(database),
        table: table === undefined || table === '*' ? '' : unquoted(table),
        privileges,
        revoked: verb === 'REVOKE',
      },
    ];
  });
}
