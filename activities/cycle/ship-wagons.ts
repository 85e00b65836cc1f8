/** Sends wagons of the spool to the target's receiver, in order, and keeps its signed word. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { ShipInput, ShipResult } from '../contracts.js';
import { faultPoint } from '../fault-points.js';
import type { SourceSite } from '../site.js';
import type { Sequence } from '../vocabulary.js';
import { withHeartbeat } from './heartbeat.js';
import { requireReceiptFor } from './receipts.js';
import { SingleFlight } from './single-flight.js';
import { damagedWagon } from './spooled-header.js';

export function createShipWagons(site: SourceSite): (input: ShipInput) => Promise<ShipResult> {
  const flights = new SingleFlight('shipping wagons of');
  return async ({ stream, wagons }) =>
    await withHeartbeat(
      async (heartbeat) =>
        await flights.run(stream, heartbeat, async (signal) => {
          const started = performance.now();
          const received: Sequence[] = [];
          let bytesSent = 0;
          for (const wagon of wagons) {
            signal.throwIfAborted();
            const answer = await site.sender
              .ship(wagon, { signal, progress: (sent) => heartbeat.report({ sequence: wagon.sequence, sent, of: wagon.bytes }) })
              .catch(async (error: unknown) => {
                const bytesDiffer = error instanceof SrdfError && error.code === 'wagon-checksum';
                throw bytesDiffer && (await site.spool.removeIfDamaged(wagon)) ? damagedWagon(wagon) : error;
              });
            requireReceiptFor(wagon, site.receipts.verify(answer.receipt), ['received', 'applied']);
            await site.spool.saveReceipt(wagon, 'received', answer.receipt);
            await faultPoint('received-saved');
            bytesSent += answer.bytesSent;
            received.push(wagon.sequence);
          }
          return { received, bytesSent, milliseconds: Math.round(performance.now() - started) };
        }),
    );
}
