/** A wagon's file that is cut short while it is being sent: the sender says so at once, where it would wait for an answer to half a body. */
import { truncate } from 'node:fs/promises';
import { afterEach, expect, test } from 'vitest';
import { createSender } from '../../activities/transport/sender.js';
import { Closing, errorOf, makeWagon, openEnds } from './transport-fixture.js';

const closing = new Closing();
afterEach(() => closing.all());
const signal = new AbortController().signal;

test('is the spool’s fault, not the line’s, and the wagon can be sent once it is there again', async () => {
  const ends = await openEnds(closing);
  const wagon = makeWagon(1, 4_000_000);
  await ends.spool.put(wagon.address, wagon.bytes);
  const path = `${ends.folder}/spool/shop/chain/1/${String(1).padStart(16, '0')}.wagon`;
  const warned: unknown[] = [];
  const sender = createSender({
    url: `https://127.0.0.1:${ends.receiver.port}`,
    tls: { ...ends.source, peerCertificate: ends.target.certificate },
    spool: {
      open: async (address, offset) => {
        const opened = await ends.spool.open(address, offset);
        await truncate(path, 1_000_000);
        return opened;
      },
    },
    idleMilliseconds: 1_000,
    log: { info: () => undefined, error: () => undefined, warn: (...said: unknown[]) => void warned.push(said) },
  });
  closing.add(() => sender.close());

  expect(await errorOf(sender.ship(wagon.ref, { signal }))).toMatchObject({ code: 'wagon-missing', retryable: true });
  expect(warned).toEqual([]);

  expect(await errorOf(ends.sender.ship(wagon.ref, { signal }))).toMatchObject({ code: 'wagon-missing' });
  await ends.spool.put(wagon.address, wagon.bytes);
  await ends.sender.ship(wagon.ref, { signal });
  expect(Buffer.from(await ends.inbox.read(wagon.address)).equals(wagon.bytes)).toBe(true);
});
