/** One body outside the stream's chain, sealed, sent and forgotten. */
import type { WagonRef } from '../contracts.js';
import { requireReceiptFor } from '../cycle/receipts.js';
import type { SourceSite } from '../site.js';
import { type Epoch, NO_WAGON, type Position, type Sequence, type StreamName } from '../vocabulary.js';
import type { RangeBody, SchemaBody } from '../wagon/body.js';
import { giveBack } from '../wagon/give-back.js';

export interface StandaloneWagon {
  readonly stream: StreamName;
  readonly epoch: Epoch;
  readonly sequence: Sequence;
  readonly position: Position;
  readonly body: SchemaBody | RangeBody;
}

/**
 * Out of memory, past the spool: a copied range or a definition can be read again from the source at any time, and is sealed anew then, so that what
 * lay on a disk would be of no use. What a former attempt left at the address is replaced, since parts of two reads of a range don't fit together.
 */
export async function shipBody(site: SourceSite, wagon: StandaloneWagon, signal: AbortSignal): Promise<WagonRef> {
  const { stream, epoch, sequence, position, body } = wagon;
  const sealed = await site.sealer.seal(
    {
      kind: body.kind,
      stream,
      epoch,
      sequence,
      previousHash: NO_WAGON,
      sourceSite: site.site,
      targetSite: site.target,
      createdAt: Date.now(),
      positionFrom: position,
      positionTo: position,
      train: { index: 0, last: true },
    },
    body,
  );
  // What was read lives on in what was sealed.
  if (body.kind === 'range') giveBack(body.values);
  const address = { stream, kind: body.kind, epoch, sequence };
  signal.throwIfAborted();
  const reference: WagonRef = {
    ...address,
    hash: sealed.hash,
    bytes: sealed.bytes.length,
    positionTo: position,
    train: { index: 0, last: true },
  };
  const { receipt, bytesSent } = await site.sender.ship(reference, { signal, sealed: sealed.bytes });
  requireReceiptFor(reference, site.receipts.verify(receipt), ['received', 'applied']);
  // Sent once and answered: no connection refers to them any more.
  if (bytesSent === sealed.bytes.length) giveBack(sealed.bytes);
  return reference;
}
