/** The id under which a stream's reader registers with the source server. Pure. */
import { createHash } from 'node:crypto';

/**
 * A server ends the older of two replicas with one id, so each stream has its own: from the upper half of the 32 bits,
 * which people who number their servers by hand leave alone.
 */
export const replicaId = (pair: string, stream: string): number =>
  2 ** 31 + (createHash('sha256').update(`${pair}/${stream}`).digest().readUInt32BE(0) % (2 ** 31 - 1)) + 1;
