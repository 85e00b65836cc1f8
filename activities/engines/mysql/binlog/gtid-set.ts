/**
 * GTID sets of both families. Pure.
 * MySQL: `uuid[:tag]:1-5:7,…` (https://dev.mysql.com/doc/refman/9.7/en/replication-gtids-concepts.html).
 * MariaDB: the last transaction of each domain, `domain-server-sequence,…` (https://mariadb.com/kb/en/gtid/).
 */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { EngineName } from '../../engine.js';

export interface GtidSet {
  readonly family: EngineName;
  /** Adds a transaction at its end. `name` is its GTID as in `transaction` of a commit. */
  add(gtid: Gtid): void;
  contains(gtid: Gtid): boolean;
  containsAll(other: GtidSet): boolean;
  clone(): GtidSet;
  toString(): string;
}
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
  private text: string | null = null;
  private constructor(readonly domains: Map<string, { server: number; sequence: number }>) {}
  static parse(text: string): MariadbGtidSet {
    const domains = new Map<string, { server: number; sequence: number }>();
    for (const part of text.split(',')) {
      if (part.trim() === '') continue;
      const [, domain, server, sequence] = /^(\d+)-(\d+)-(\d+)$/.exec(part.trim()) ?? [];
      if (domain === undefined || !Number.isSafeInteger(Number(sequence))) throw malformed(text);
      domains.set(domain, { server: Number(server), sequence: Number(sequence) });
    }
    return new MariadbGtidSet(domains);
  }
  add(gtid: Gtid): void {
    this.domains.set(gtid.source, { server: gtid.server, sequence: gtid.sequence });
    this.text = null;
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
    if (this.domains.delete(domain)) this.text = null;
  }
  clone(): MariadbGtidSet {
    return new MariadbGtidSet(new Map(this.domains));
  }
  toString(): string {
    // Asked for at every commit, and mostly there is one domain.
    if (this.text === null) {
      const domains = [...this.domains];
      if (domains.length > 1) domains.sort(([a], [b]) => Number(a) - Number(b));
      this.text = '';
      for (const [domain, last] of domains) this.text += `${this.text === '' ? '' : ','}${domain}-${last.server}-${last.sequence}`;
    }
    return this.text;
  }
}

/** Closed intervals, sorted, not touching each other. */
type Intervals = [number, number][];

export class MysqlGtidSet implements GtidSet {
  readonly family = 'mysql';
  private readonly texts = new Map<string, string>();
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
  private addInterval(source: string, from: number, to: number, text: string): void {
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 1 || to < from) throw malformed(text);
    this.texts.delete(source);
    const intervals = this.sources.get(source);
    if (intervals === undefined) {
      this.sources.set(source, [[from, to]]);
      return;
    }
    const last = intervals.at(-1);
    if (last !== undefined && from === last[1] + 1) {
      last[1] = to;
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
  add(gtid: Gtid): void {
    this.addInterval(gtid.source, gtid.sequence, gtid.sequence, gtidName('mysql', gtid));
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
  toString(): string {
    return [...this.sources.keys()]
      .sort()
      .map((source) => {
        const known = this.texts.get(source);
        if (known !== undefined) return known;
        const text = `${source}:${(this.sources.get(source) ?? []).map(([a, b]) => (a === b ? `${a}` : `${a}-${b}`)).join(':')}`;
        this.texts.set(source, text);
        return text;
      })
      .join(',');
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
