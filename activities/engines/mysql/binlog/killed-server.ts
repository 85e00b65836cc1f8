/**
 * The end that a killed MariaDB leaves in its log: a transaction without its end, or an event cut in two. The server has rolled the
 * transaction back when it started again, and has written on in a new file; the old one stays as it is. (MySQL trims the old file.)
 *
 * What native replication takes for proof is a format description written by a server that starts (`created` set, a position of its
 * own: Format_description_log_event::do_apply_event in sql/log_event_server.cc). Asked for besides: the new file's own list of what the
 * log holds names nothing that wasn't read. So damage in the middle of a file is never taken for its end. Pure.
 */

import { MariadbGtidSet } from './gtid-set.js';
import type { LogPlace } from './log-place.js';

export class KilledServer {
  /** null: nothing is broken off. Then what has to come next: the format description of a start, and the list of GTIDs behind it. */
  private awaits: 'description' | 'list' | null = null;
  private what = '';

  constructor(private readonly place: LogPlace) {}

  /** Only proof, or an error, may follow. */
  get suspected(): boolean {
    return this.awaits !== null;
  }

  /** `what` broke off at the end of a file; the next file begins. A file of which a start wrote nothing but its description is passed. */
  suspect(what: string): void {
    if (this.awaits === null) this.what = what;
    this.awaits = 'description';
  }

  description(serverStart: boolean): void {
    if (this.awaits === null) return;
    if (this.awaits !== 'description' || !serverStart) throw this.damaged('and no start of the server follows');
    this.awaits = 'list';
  }

  /** MARIADB_GTID_LIST, `bytes[body, end)`: count 4 bytes (28 bits), then domain 4, server 4, number 8 each; a domain's newest comes last. */
  list(bytes: Buffer, body: number, end: number, readSoFar: (list: MariadbGtidSet) => boolean): void {
    const count = bytes.readUInt32LE(body) & 0x0fffffff;
    if (body + 4 + 16 * count > end) throw new RangeError('a list shorter than its count');
    const list = MariadbGtidSet.parse('');
    for (let at = body + 4, i = 0; i < count; i++, at += 16)
      list.add({
        source: String(bytes.readUInt32LE(at)),
        server: bytes.readUInt32LE(at + 4),
        sequence: Number(bytes.readBigUInt64LE(at + 8)),
      });
    if (this.awaits !== 'list' || !readSoFar(list)) throw this.damaged(`and the next file stands behind ${list}, which wasn't read`);
    this.awaits = null;
  }

  /** Anything else came. */
  damaged(found = 'and no start of the server follows'): Error {
    return this.place.corrupt(`${this.what} before it has ended, ${found}`);
  }
}
