/** The header of a wagon that lies in this site's own spool or inbox. */
import type { WagonRef } from '../contracts.js';
import type { Spool } from '../transport/contract.js';
import type { WagonHeader } from '../wagon/contract.js';
import { parseHeader } from '../wagon/header.js';

/** Reads no more than the first chunk of the file. Throws `wagon-missing`, `wagon-malformed`. */
export async function readHeaderOf(spool: Spool, wagon: WagonRef): Promise<WagonHeader> {
  const { stream } = await spool.open(wagon);
  for await (const chunk of stream) {
    // Leaving the loop destroys the stream.
    return parseHeader(typeof chunk === 'string' ? Buffer.from(chunk) : chunk).header;
  }
  return parseHeader(new Uint8Array()).header;
}
