/** Where a reader stands in the log, and what it says when it can't go on there. Pure. */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import { fileNumber } from '../position.js';
import { EVENT, eventName } from './event-types.js';

export class LogPlace {
  /** The file's number, which orders a server's files. */
  number: number;

  constructor(
    /** For messages: `host:port`. */
    readonly source: string,
    public file: string,
    /** Behind the last event. */
    public offset: number,
  ) {
    this.number = fileNumber(file);
  }

  get tried(): string {
    return `reading the binary log of ${this.source} at ${this.file}:${this.offset}`;
  }

  /**
   * Moves behind an event. The header has 32 bits, a file may be longer; and MariaDB 11.4 and later write 0 inside a
   * transaction: then it is counted.
   */
  advance(length: number, endPosition: number): void {
    const counted = this.offset + length;
    if (endPosition === 0) {
      this.offset = counted;
      return;
    }
    // Events that the dump thread leaves out lie between: the next position from `counted` on with these low 32 bits.
    const candidate = Math.floor(counted / 2 ** 32) * 2 ** 32 + endPosition;
    this.offset = candidate >= counted ? candidate : candidate + 2 ** 32;
    if (this.offset - counted > 2 ** 31) throw this.corrupt(`an event that ends at ${endPosition}, before the one it follows`);
  }

  /** To another file, as a ROTATE event says: the new offset 8 bytes, then the name. */
  rotate(bytes: Buffer, body: number, end: number): void {
    const file = bytes.toString('latin1', body + 8, end);
    // A damaged made-up ROTATE can't be told by its checksum; its name can.
    if (!/^[\x21-\x3a\x3c-\x7e]+\.\d{6,}$/.test(file)) throw this.corrupt('a ROTATE event without a file name');
    this.file = file;
    this.number = fileNumber(file);
    this.offset = Number(bytes.readBigUInt64LE(body));
  }

  corrupt(found: string): SrdfError {
    return new SrdfError('log-corrupt', {
      tried: this.tried,
      found,
      action: `It is read again by itself. If it stays: check the file on the source (mysqlbinlog --verify-binlog-checksum ${this.file}) and establish the stream again`,
    });
  }
  unsupported(type: number, what: string | null): SrdfError {
    return new SrdfError('log-event-unsupported', {
      tried: this.tried,
      found: what === null ? `a ${eventName(type)} event` : `${eventName(type)}: ${what}`,
      action:
        UNSUPPORTED_ACTIONS[type] ??
        'Nothing of it was applied. Establish the stream again behind it (srdf establish), or upgrade SRDF to a version that knows it',
    });
  }
  /** Bytes that end where they shouldn't show as RangeError: the event isn't what its type says. */
  located(error: unknown, type: number): unknown {
    const malformed = error instanceof RangeError || (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'));
    return malformed ? this.corrupt(`a malformed ${eventName(type)} event (${error.message})`) : error;
  }
}

const UNSUPPORTED_ACTIONS: Readonly<Record<number, string>> = {
  [EVENT.PARTIAL_UPDATE_ROWS]:
    "On the source: SET GLOBAL binlog_row_value_options='' (and in sessions that set their own), then establish the stream again",
  [EVENT.XA_PREPARE]: 'XA transactions are not replicated: exclude the tables, or stop using XA on them, and establish the stream again',
};
