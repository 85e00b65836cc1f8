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
 * The spool lets go of it as soon as the receipt says `received`: a copied range or a definition can be read again from the source
 * at any time, while a spool that kept them until they are loaded would have to hold the whole database. What a former attempt
 * left at the address is replaced, since parts of two reads of a range don't fit together.
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
  const first = await site.spool.put(address, sealed.bytes);
  if (first.hash !== sealed.hash) {
    await site.spool.release(address);
    await site.spool.put(address, sealed.bytes);
  }
  const reference: WagonRef = {
    ...address,
    hash: sealed.hash,
    bytes: sealed.bytes.length,
    positionTo: position,
    train: { index: 0, last: true },
  };
  const { receipt } = await site.sender.ship(reference, { signal });
  requireReceiptFor(reference, site.receipts.verify(receipt), ['received', 'applied']);
  await site.spool.release(address);
  giveBack(sealed.bytes);
  return reference;
}
