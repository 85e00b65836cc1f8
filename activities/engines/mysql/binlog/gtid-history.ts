/** Which transactions a stream has: what a GTID event is judged by, and what positions say. Pure. */
import type { EngineName } from '../../engine.js';
import type { BinlogPosition } from '../position.js';
import { type Gtid, type GtidSetPieces, MariadbGtidSet, MysqlGtidSet } from './gtid-set.js';

export class GtidHistory {
  private readonly executed: MariadbGtidSet | MysqlGtidSet;
  private readonly knownAll: boolean;
  private readonly known: MariadbGtidSet;

  constructor(family: EngineName, from: BinlogPosition) {
    this.executed = family === 'mariadb' ? MariadbGtidSet.parse(from.gtid) : MysqlGtidSet.parse(from.gtid);
    this.knownAll = from.known === 'all';
    this.known = MariadbGtidSet.parse(this.knownAll ? '' : from.known);
  }

  /**
   * `new`: to be read. `known`: the stream has it from another server, whose log had another order; read over. `repeated`: it
   * can't come a second time in this log, so this log is another one.
   */
  judge(gtid: Gtid | null): 'new' | 'known' | 'repeated' {
    if (gtid === null) return 'new';
    if (this.knownAll) return this.executed.contains(gtid) ? 'known' : 'new';
    if (this.known.contains(gtid)) return 'known';
    if (this.executed instanceof MysqlGtidSet) return this.executed.contains(gtid) ? 'repeated' : 'new';
    // MariaDB: numbers of one server in one domain rise, in strict mode and out of it.
    const last = this.executed.domains.get(gtid.source);
    return last !== undefined && last.server === gtid.server && gtid.sequence <= last.sequence ? 'repeated' : 'new';
  }

  /** Whether the log holds nothing but what was read or known: `list` is what MariaDB says of the files before one. */
  isWhole(list: MariadbGtidSet): boolean {
    const { executed, known } = this;
    if (!(executed instanceof MariadbGtidSet)) return false;
    return [...list.domains].every(([source, { server, sequence }]) => {
      const last = executed.domains.get(source);
      return (last?.server === server && last.sequence === sequence) || known.contains({ source, server, sequence });
    });
  }

  /** At the transaction's end. */
  add(gtid: Gtid | null): void {
    if (gtid === null) return;
    this.executed.add(gtid);
    // A domain that has moved on is past everything that was known of it.
    this.known.remove(gtid.source);
  }

  /** Everything executed so far; changes as the log goes on, but for what was taken of it. */
  get pieces(): GtidSetPieces {
    return this.executed.pieces;
  }
  get stillKnown(): string {
    return this.knownAll ? 'all' : this.known.toString();
  }
}
