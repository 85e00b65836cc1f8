/** A log file whose bytes changed on the disk: every event is vouched for by its checksum, so nothing of the change may be read. */
import { eventsOf, HEADER, isUndamaged } from '../binlog-file.js';
import { type FuzzTarget, require } from '../contract.js';
import { corpusFiles } from '../corpus.js';
import { decodeBinlog, LOG_REFUSALS } from '../decode-binlog.js';
import { mutateBytes } from '../mutate-bytes.js';

export const binlogDamaged: FuzzTarget = {
  name: 'binlog-damaged',
  refusals: LOG_REFUSALS,
  corpus: () => corpusFiles('binlog').map((file) => file.bytes),
  // The magic number is the server's business: it isn't sent.
  mutate: (input, random) => {
    if (random.chance(2)) return Buffer.concat([input.subarray(0, 4), mutateBytes(input.subarray(4), random)]);
    // Of an event's header, and of the byte that says whether there are checksums, every bit counts.
    const bytes = Buffer.from(input);
    const events = eventsOf(bytes);
    const event = random.chance(20) ? events[0] : random.pick(events);
    if (event === undefined) return bytes;
    const at = random.chance(4) ? event.length - 5 : random.below(HEADER);
    event[at] = random.chance(2) ? (event[at] ?? 0) ^ (1 << random.below(8)) : random.pick([0, 4, 15, 26, 27, 41, 160, 0x20, 0x80]);
    return bytes;
  },
  run: (input) => {
    decodeBinlog(input);
    require(isUndamaged(input), () => 'a damaged log was read');
  },
};
