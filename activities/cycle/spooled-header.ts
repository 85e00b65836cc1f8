/** The header of a wagon that lies in this site's own spool or inbox. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { WagonRef } from '../contracts.js';
import type { Spool } from '../transport/contract.js';
import type { WagonHeader } from '../wagon/contract.js';
import { parseHeader } from '../wagon/header.js';

/** Reads no more than the first chunk of the file. A wagon that is damaged is removed. Throws `wagon-missing`, `wagon-malformed`. */
export async function readHeaderOf(spool: Spool, wagon: WagonRef): Promise<WagonHeader> {
  try {
    return await parsedHeader(spool, wagon);
  } catch (error) {
    throw (await spool.removeIfDamaged(wagon)) ? damagedWagon(wagon) : error;
  }
}

/** Retryable: it is cut or sent again. */
export const damagedWagon = ({ sequence, epoch, stream }: WagonRef): SrdfError =>
  new SrdfError('wagon-missing', {
    tried: `reading wagon ${sequence} of epoch ${epoch} of ${stream}`,
    found: 'its file was damaged on the disk, and is removed',
    action: 'It is cut or sent again by itself. Look at that disk: what else is damaged there?',
  });

async function parsedHeader(spool: Spool, wagon: WagonRef): Promise<WagonHeader> {
  const { stream } = await spool.open(wagon);
  for await (const chunk of stream) {
    // Leaving the loop destroys the stream.
    return parseHeader(typeof chunk === 'string' ? Buffer.from(chunk) : chunk).header;
  }
  return parseHeader(new Uint8Array()).header;
}
