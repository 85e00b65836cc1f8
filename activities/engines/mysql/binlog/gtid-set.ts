/**
 * GTID sets of both families. Pure.
 * MySQL: `uuid[:tag]:1-5:7,…` (https://dev.mysql.com/doc/refman/9.7/en/replication-gtids-concepts.html).
 * MariaDB: the last transaction of each domain, `domain-server-sequence,…` (https://mariadb.com/kb/en/gtid/).
 */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { EngineName } from '../../engine.js';

export interface GtidSet {
  readonly family: EngineName;
  /** Its text in three pieces, of which a log that goes on changes the middle one alone. */
  readonly pieces: GtidSetPieces;
  /** Adds a transaction at its end. `name` is its GTID as in `transaction` of a commit. */
  add(gtid: Gtid): void;
  contains(gtid: Gtid): boolean;
  containsAll(other: GtidSet): boolean;
  clone(): GtidSet;
  toString(): string;
}
/** `around[0]`, `newest` and `around[1]` together are a set's text; the two around are the same array until something else changes. */
export interface GtidSetPieces {
  readonly around: readonly [string, string];
  /** Sequence number of the transaction added last; '' in a set without any. */
  readonly newest: number | '';
}
const NO_GTIDS: GtidSetPieces = { around: ['', ''], newest: '' };
export const gtidText = ({ around, newest }: GtidSetPieces): string => `${around[0]}${newest}${around[1]}`;

/** MySQL: `source` is `uuid` or `uuid:tag`. MariaDB: `source` is the domain, `server` the originating server id. */
export interface Gtid {
  readonly source: string;
  readonly server: number;
  readonly sequence: number;
}

const malformed = (text: string): SrdfError =>
  new SrdfError('ledger-inconsistent', {
    tried: 'reading a GTID set',
    found: `${JSON.stringify(text.slice(0, 120))} is not one`,
    action:
      'The position comes from a ledger or a server of another family: compare the ledger on the target with the source named in srdf.yaml',
  });

export function gtidName(family: EngineName, gtid: Gtid): string {
  return family === 'mariadb' ? `${gtid.source}-${gtid.server}-${gtid.sequence}` : `${gtid.source}:${gtid.sequence}`;
}

export class MariadbGtidSet implements GtidSet {
  readonly family = 'mariadb';
  /** The domain that moved last, and the text around its number. */
  private moving = '';
  private around: readonly [string, string] | null = null;
  private constructor(readonly domains: Map<string, { readonly server: number; sequence: number }>) {}
  static parse(text: string): MariadbGtidSet {
    const domains = new Map<string, { readonly server: number; sequence: number }>();
    for (const part of text.split(',')) {
      if (part.trim() === '') continue;
      const [, domain, server, sequence] = /^(\d+)-(\d+)-(\d+)$/.exec(part.trim()) ?? [];
      if (domain === undefined || !Number.isSafeInteger(Number(sequence))) throw malformed(text);
      domains.set(domain, { server: Number(server), sequence: Number(sequence) });
    }
    return new MariadbGtidSet(domains);
  }
  add({ source, server, sequence }: Gtid): void {
    const last = this.domains.get(source);
    if (last?.server === server) last.sequence = sequence;
    else this.domains.set(source, { server, sequence });
    if (last?.server === server && this.moving === source) return;
    this.moving = source;
    this.around = null;
  }
  contains(gtid: Gtid): boolean {
    const last = this.domains.get(gtid.source);
    return last !== undefined && gtid.sequence <= last.sequence;
  }
  containsAll(other: GtidSet): boolean {
    if (!(other instanceof MariadbGtidSet)) return false;
    return [...other.domains].every(([source, last]) => this.contains({ source, ...last }));
  }
  remove(domain: string): void {
    if (this.domains.size === 0 || !this.domains.delete(domain)) return;
    this.around = null;
  }
  clone(): MariadbGtidSet {
    return MariadbGtidSet.parse(this.toString());
  }
  get pieces(): GtidSetPieces {
    if (this.domains.size === 0) return NO_GTIDS;
    this.around ??= this.aroundMoving();
    return { around: this.around, newest: this.domains.get(this.moving)?.sequence ?? '' };
  }
  private aroundMoving(): [string, string] {
    const domains = [...this.domains].sort(([a], [b]) => Number(a) - Number(b));
    if (!this.domains.has(this.moving)) this.moving = domains[0]?.[0] ?? '';
    const at = domains.findIndex(([domain]) => domain === this.moving);
    const text = (some: typeof domains): string[] => some.map(([domain, last]) => `${domain}-${last.server}-${last.sequence}`);
    const before = [...text(domains.slice(0, at)), `${this.moving}-${this.domains.get(this.moving)?.server}-`].join(',');
    return [before, ['', ...text(domains.slice(at + 1))].join(',')];
  }
  toString(): string {
    return gtidText(this.pieces);
  }
}

/** Closed intervals, sorted, not touching each other. */
type Intervals = [number, number][];

export class MysqlGtidSet implements GtidSet {
  readonly family = 'mysql';
  /** The source that moved last, and the text around its last number. */
  private moving = '';
  private around: readonly [string, string] | null = null;
  private constructor(readonly sources: Map<string, Intervals>) {}
  static parse(text: string): MysqlGtidSet {
    const set = new MysqlGtidSet(new Map());
    for (const part of text.replace(/\s/g, '').split(',')) {
      if (part === '') continue;
      const [uuid = '', ...rest] = part.split(':');
      if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid) || rest.length === 0) throw malformed(text);
      let source = uuid.toLowerCase();
      for (const piece of rest) {
        const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(piece) ?? [];
        if (from !== undefined) set.addInterval(source, Number(from), Number(to ?? from), text);
        else if (/^[a-z_][a-z0-9_]{0,31}$/i.test(piece)) source = `${uuid.toLowerCase()}:${piece.toLowerCase()}`;
        else throw malformed(text);
      }
    }
    return set;
  }
  private addInterval(source: string, from: number, to: number, what: string | number): void {
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 1 || to < from) throw malformed(String(what));
    const intervals = this.sources.get(source);
    const newest = intervals?.at(-1);
    // The number alone changes when the last interval grows, and is more than one transaction already.
    if (source !== this.moving || newest === undefined || from !== newest[1] + 1 || newest[0] === newest[1]) {
      this.moving = source;
      this.around = null;
    }
    if (intervals === undefined) {
      this.sources.set(source, [[from, to]]);
      return;
    }
    if (newest !== undefined && from === newest[1] + 1) {
      newest[1] = to;
      return;
    }
    intervals.push([from, to]);
    intervals.sort((a, b) => a[0] - b[0]);
    const merged: Intervals = [];
    for (const interval of intervals) {
      const before = merged.at(-1);
      if (before !== undefined && interval[0] <= before[1] + 1) before[1] = Math.max(before[1], interval[1]);
      else merged.push(interval);
    }
    this.sources.set(source, merged);
  }
  add({ source, sequence }: Gtid): void {
    this.addInterval(source, sequence, sequence, sequence);
  }
  contains(gtid: Gtid): boolean {
    const intervals = this.sources.get(gtid.source);
    const last = intervals?.at(-1);
    // Mostly the next one is asked for.
    if (intervals === undefined || last === undefined || gtid.sequence > last[1]) return false;
    return intervals.some(([from, to]) => from <= gtid.sequence && gtid.sequence <= to);
  }
  containsAll(other: GtidSet): boolean {
    if (!(other instanceof MysqlGtidSet)) return false;
    return [...other.sources].every(([source, wanted]) =>
      wanted.every(([from, to]) => this.sources.get(source)?.some((have) => have[0] <= from && to <= have[1]) ?? false),
    );
  }
  clone(): MysqlGtidSet {
    return new MysqlGtidSet(new Map([...this.sources].map(([source, it]) => [source, it.map(([a, b]) => [a, b] as [number, number])])));
  }
  get pieces(): GtidSetPieces {
    if (!this.sources.has(this.moving)) {
      const [any] = this.sources.keys();
      if (any === undefined) return NO_GTIDS;
      this.moving = any;
      this.around = null;
    }
    const intervals = this.sources.get(this.moving) ?? [];
    this.around ??= this.aroundMoving(intervals);
    return { around: this.around, newest: intervals.at(-1)?.[1] ?? '' };
  }
  private aroundMoving(moving: Intervals): [string, string] {
    const sources = [...this.sources.keys()].sort();
    const at = sources.indexOf(this.moving);
    const interval = ([from, to]: readonly [number, number]): string => (from === to ? `${from}` : `${from}-${to}`);
    const text = (some: readonly string[]): string[] =>
      some.map((source) => `${source}:${(this.sources.get(source) ?? []).map(interval).join(':')}`);
    const [from = 0, to = 0] = moving.at(-1) ?? [];
    const own = [this.moving, ...moving.slice(0, -1).map(interval), from === to ? '' : `${from}-`].join(':');
    return [[...text(sources.slice(0, at)), own].join(','), ['', ...text(sources.slice(at + 1))].join(',')];
  }
  toString(): string {
    return gtidText(this.pieces);
  }
  /**
   * As COM_BINLOG_DUMP_GTID wants it: number of sources, then uuid, number of intervals, [from, to) each, 64-bit little-endian.
   * With tags (MySQL 8.4 and later) the format byte of the count's top and bottom is 1 and a tag stands behind each uuid
   * (`Gtid_set::encode` in sql/rpl_gtid_set.cc).
   */
  encode(): Buffer {
    const tagged = [...this.sources.keys()].some((source) => source.includes(':'));
    const head = Buffer.alloc(8);
    head.writeUIntLE(this.sources.size, tagged ? 1 : 0, 6);
    if (tagged) {
      head[0] = 1;
      head[7] = 1;
    }
    const parts: Buffer[] = [head];
    for (const source of [...this.sources.keys()].sort()) {
      const [uuid = '', tag = ''] = source.split(':');
      parts.push(Buffer.from(uuid.replaceAll('-', ''), 'hex'));
      // The tag's length is a variable-length integer of the server's serialization library: one byte, shifted left, up to 127.
      if (tagged) parts.push(Buffer.from([tag.length << 1]), Buffer.from(tag, 'latin1'));
      const intervals = this.sources.get(source) ?? [];
      const body = Buffer.alloc(8 + 16 * intervals.length);
      body.writeBigUInt64LE(BigInt(intervals.length), 0);
      intervals.forEach(([from, to], i) => {
        body.writeBigUInt64LE(BigInt(from), 8 + 16 * i);
        body.writeBigUInt64LE(BigInt(to) + 1n, 16 + 16 * i);
      });
      parts.push(body);
    }
    return Buffer.concat(parts);
  }
}

export const parseGtidSet = (family: EngineName, text: string): GtidSet =>
  family === 'mariadb' ? MariadbGtidSet.parse(text) : MysqlGtidSet.parse(text);
