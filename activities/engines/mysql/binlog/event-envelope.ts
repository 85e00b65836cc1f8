/** What is around an event's body: length, checksum, position; and the events that speak of the file itself. Pure. */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import { ESTABLISH_KEEPING } from '../lost-history.js';
import { announcedAlgorithm, type ChecksumAlgorithm, crcMatches, formatDescriptionMatches, isMadeUp } from './event-checksum.js';
import { EVENT, eventName, HEADER_FLAG, HEADER_LENGTH } from './event-types.js';
import type { LogPlace } from './log-place.js';

/** The event spoke of the file or the connection; there is nothing in it for a transaction. */
export const CONSUMED = -1;

/** In the body of a FORMAT_DESCRIPTION: when the server started, seconds since 1970; behind the version (2) and the server's (50). */
const CREATED = 52;
/** With the header's length behind the time, the algorithm and a checksum. */
const SHORTEST_DESCRIPTION = HEADER_LENGTH + 57 + 1 + 4;

export class EventEnvelope {
  /** Of the file being read; null before its format description. */
  private algorithm: ChecksumAlgorithm | null = null;
  /** NONE was said where nothing vouches for it; the next event will show. */
  private unproven = false;
  private begun: { readonly file: string; readonly made: number } | null = null;

  constructor(
    private readonly place: LogPlace,
    /** A file begins. `serverStart`: null at its announcement, then whether the server that wrote its format description had just started. */
    private readonly beginsAnew: (what: string, serverStart: boolean | null) => void,
    /** A file that was read before, and when it was begun. */
    private readonly known: { readonly file: string; readonly made?: number | undefined },
  ) {}

  /** When the file at the place was begun, seconds since 1970; undefined before its format description. */
  get made(): number | undefined {
    return this.begun?.file === this.place.file ? this.begun.made : undefined;
  }

  /** Whether events bear a CRC-32, as far as is known. */
  get checksums(): boolean {
    return this.algorithm === 'crc32';
  }

  /**
   * Checks the event `bytes[start, end)`, moves the place behind it and returns where its body ends; or CONSUMED.
   * `view`: of the same bytes, quicker to read numbers from. `checked`: its CRC-32 was found right already.
   */
  open(bytes: Buffer, view: DataView, start: number, end: number, checked: boolean): number {
    const length = end - start;
    if (length < HEADER_LENGTH || view.getUint32(start + 9, true) !== length)
      throw this.place.corrupt(
        `an event of ${length} bytes that says ${length < HEADER_LENGTH ? 'nothing' : view.getUint32(start + 9, true)}`,
      );
    const type = bytes[start + 4] as number;
    const flags = view.getUint16(start + 17, true);
    const endPosition = view.getUint32(start + 13, true);
    if (isMadeUp(type, flags, endPosition, view.getUint32(start, true))) {
      if (type === EVENT.ROTATE) this.madeUpRotate(bytes, start, end);
      return CONSUMED;
    }
    if (type === EVENT.FORMAT_DESCRIPTION) {
      this.formatDescription(bytes, start, end, endPosition);
      return CONSUMED;
    }
    if (this.algorithm === null) throw this.place.corrupt(`${eventName(type)} before the file's format description`);
    if (this.unproven && crcMatches(bytes, start, end))
      throw this.place.corrupt('an event with a checksum, where the format description says there are none');
    this.unproven = false;
    if (!checked && this.algorithm === 'crc32' && !crcMatches(bytes, start, end))
      throw this.place.corrupt(`the checksum of a ${eventName(type)} event is wrong`);
    if ((flags & HEADER_FLAG.ARTIFICIAL) !== 0) {
      // Made for us by the dump thread (MariaDB's GTID_LIST after a connect by GTID): in no file, so it moves no position.
      if (type === EVENT.MARIADB_GTID_LIST || type === EVENT.PREVIOUS_GTIDS) return CONSUMED;
      throw this.place.unsupported(type, 'an artificial event');
    }
    this.place.advance(length, endPosition);
    return this.algorithm === 'crc32' ? end - 4 : end;
  }

  private madeUpRotate(bytes: Buffer, start: number, end: number): void {
    const before = this.place.file;
    this.place.rotate(bytes, start + HEADER_LENGTH, crcMatches(bytes, start, end) ? end - 4 : end);
    if (this.place.file !== before) this.beginsAnew(`the beginning of ${this.place.file}`, null);
  }

  private formatDescription(bytes: Buffer, start: number, end: number, endPosition: number): void {
    const body = start + HEADER_LENGTH;
    if (end - start < SHORTEST_DESCRIPTION) throw this.place.corrupt(`a format description of ${end - start} bytes`);
    const algorithm = announcedAlgorithm(bytes, end);
    if (bytes.readUInt16LE(body) !== 4 || algorithm === null || bytes.readUInt8(body + 56) !== HEADER_LENGTH)
      throw this.place.unsupported(EVENT.FORMAT_DESCRIPTION, 'a log format or checksum other than version 4 with NONE or CRC32');
    // Its own checksum is there whatever it announces, but not in one that was sent again for a file without checksums.
    this.unproven = algorithm === 'none' && endPosition === 0;
    if (!this.unproven && !formatDescriptionMatches(bytes, start, end))
      throw this.place.corrupt("the checksum of the file's format description is wrong");
    this.begin(bytes.readUInt32LE(start));
    // Without a position it was sent again for a start in the middle; without a time the file follows another of the same server's life.
    this.beginsAnew('a format description', endPosition !== 0 && bytes.readUInt32LE(body + CREATED) !== 0);
    this.algorithm = algorithm;
    // Sent again at a start in the middle of a file, where it has no position.
    if (endPosition !== 0 && this.place.offset < endPosition) this.place.advance(end - start, endPosition);
  }

  /** A file of one name is one file, unless the log was reset: then names and GTIDs begin anew, and old places may lie between any events. */
  private begin(made: number): void {
    const { file } = this.place;
    const { known } = this;
    if (known.file === file && known.made !== undefined && known.made !== made)
      throw new SrdfError('position-purged', {
        tried: this.place.tried,
        found: `the file was begun at ${at(made)}, and the one read before at ${at(known.made)}: the log was reset`,
        action: `After RESET MASTER or RESET BINARY LOGS, or from an older copy of the server, the log is another one. ${ESTABLISH_KEEPING}`,
      });
    this.begun = { file, made };
  }
}

const at = (seconds: number): string => new Date(seconds * 1000).toISOString();
