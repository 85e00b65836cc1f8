import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { openInbox } from '../../activities/transport/inbox.js';
import { startReceiver } from '../../activities/transport/receiver.js';
import { createSender, RetryLater } from '../../activities/transport/sender.js';
import { parseHeader } from '../../activities/wagon/header.js';
import { SrdfError } from '../../temporal/error-catalogue.js';
import {
  BreakingLine,
  Closing,
  type Ends,
  errorOf,
  makeWagon,
  openEnds,
  rawPut,
  receiptText,
  receiverOptions,
  STREAM,
  type Wagon,
} from './transport-fixture.js';

const closing = new Closing();
afterEach(() => closing.all());
const signal = new AbortController().signal;

async function sameBytes(ends: Pick<Ends, 'inbox'>, wagon: Wagon): Promise<boolean> {
  return Buffer.from(await ends.inbox.read(wagon.address)).equals(wagon.bytes);
}

/** Sends a wagon's first bytes and breaks off; resolves once the receiver has kept them. */
async function sendPart(ends: Ends, wagon: Wagon, bytes: number): Promise<void> {
  // Never ended by the client: the receiver's end, or a takeover, ends it.
  rawPut(ends, wagon, { onRequest: (request) => request.write(wagon.bytes.subarray(0, bytes)) }).catch(() => undefined);
  await expect.poll(() => ends.inbox.received(wagon.address), { timeout: 10_000 }).toBe(bytes);
}

describe('a line that breaks', () => {
  // The TLS handshake takes the first few thousand bytes; the last point lies just before the wagon's end.
  test.each([[[500]], [[20_000]], [[1_000_000]], [[1_999_000]], [[300_000, 700_000, 400_000]]])(
    'is resumed after %j bytes',
    async (breaks) => {
      const line = await BreakingLine.open(closing);
      const ends = await openEnds(closing, {
        url: (port) => {
          line.target = port;
          return `https://127.0.0.1:${line.port}`;
        },
      });
      const wagon = makeWagon(1, 2_000_000);
      await ends.spool.put(wagon.address, wagon.bytes);
      line.breaks.push(...breaks);
      const ship = () => ends.sender.ship(wagon.ref, { signal });
      // A line that breaks before anything of the wagon went out is the caller's to retry.
      const shipped = await ship().catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'receiver-unreachable', retryable: true });
        return ship();
      });
      expect(Buffer.from(shipped.receipt)).toEqual(receiptText('received', wagon.address, wagon.ref.hash));
      expect(line.connections).toBeGreaterThan(breaks.length);
      expect(await sameBytes(ends, wagon)).toBe(true);
      expect(ends.verified).toHaveLength(1);
    },
  );

  test('what had arrived is not sent again', async () => {
    const ends = await openEnds(closing);
    const wagon = makeWagon(1, 2_000_000);
    await ends.spool.put(wagon.address, wagon.bytes);
    await sendPart(ends, wagon, 1_500_000);
    const resumed: number[] = [];
    await ends.sender.ship(wagon.ref, { signal, progress: (sent) => resumed.push(sent) });
    expect(await sameBytes(ends, wagon)).toBe(true);
    expect(ends.verified).toHaveLength(1);
    // A sender that knows nothing starts at 0, is told the offset, and its last attempt goes on from there.
    const restart = resumed.findLastIndex((sent, index) => index === 0 || sent <= (resumed[index - 1] ?? 0));
    expect(resumed[restart]).toBeGreaterThan(1_500_000);
    expect(resumed.at(-1)).toBe(wagon.bytes.length);
  });

  test('a receiver that restarts goes on where the old one stopped', async () => {
    const ends = await openEnds(closing);
    const wagon = makeWagon(1, 2_000_000);
    await ends.spool.put(wagon.address, wagon.bytes);
    await sendPart(ends, wagon, 1_200_000);
    await ends.receiver.close();
    const inbox = await openInbox({ directory: join(ends.folder, 'inbox'), maxBytes: 2 ** 30, readHeader: parseHeader });
    expect(await inbox.received(wagon.address)).toBe(1_200_000);
    const receiver = await startReceiver(receiverOptions(inbox, ends.target, ends.source));
    closing.add(() => receiver.close());
    const restarted = { inbox, receiver, source: ends.source };
    const wrong = await rawPut(restarted, wagon);
    expect(wrong.status).toBe(409);
    expect(wrong.headers['srdf-offset']).toBe('1200000');
    const right = await rawPut(restarted, wagon, { offset: 1_200_000 });
    expect(right.status).toBe(201);
    expect(await sameBytes(restarted, wagon)).toBe(true);
    expect((await inbox.usage()).bytes).toBe(wagon.bytes.length + 80);
  });

  test('bytes spoilt on the receiving disk are sent again from the start', async () => {
    const ends = await openEnds(closing);
    const wagon = makeWagon(1, 400_000);
    const spoilt = { ...wagon, bytes: Buffer.concat([wagon.bytes.subarray(0, 100_000), Buffer.alloc(wagon.bytes.length - 100_000)]) };
    await ends.spool.put(wagon.address, wagon.bytes);
    await sendPart(ends, spoilt, 200_000);
    const shipped = await ends.sender.ship(wagon.ref, { signal });
    expect(shipped.bytesSent).toBeGreaterThanOrEqual(wagon.bytes.length);
    expect(await sameBytes(ends, wagon)).toBe(true);
  });

  test('cancelling stops with the reason given, and leaves what has arrived', async () => {
    const ends = await openEnds(closing);
    const wagon = makeWagon(1, 8_000_000);
    await ends.spool.put(wagon.address, wagon.bytes);
    const aborter = new AbortController();
    const reason = new Error('the activity was cancelled');
    await expect(ends.sender.ship(wagon.ref, { signal: aborter.signal, progress: () => aborter.abort(reason) })).rejects.toBe(reason);
    expect(await ends.inbox.list(STREAM, 'chain')).toEqual([]);
    await ends.sender.ship(wagon.ref, { signal });
    expect(await sameBytes(ends, wagon)).toBe(true);
  });

  test('nobody there: receiver-unreachable, which a retry may mend', async () => {
    const ends = await openEnds(closing);
    await ends.receiver.close();
    const wagon = makeWagon(1);
    await ends.spool.put(wagon.address, wagon.bytes);
    const error = await errorOf(ends.sender.ship(wagon.ref, { signal }));
    expect(error).toMatchObject({ code: 'receiver-unreachable', retryable: true });
    expect(await errorOf(ends.sender.receipt(wagon.address, 'applied', signal))).toMatchObject({ code: 'receiver-unreachable' });
  });
});

describe('the same address again', () => {
  test('the same wagon: its receipt, without being stored or verified again', async () => {
    const ends = await openEnds(closing);
    const wagon = makeWagon(1, 500_000);
    await ends.spool.put(wagon.address, wagon.bytes);
    const first = await ends.sender.ship(wagon.ref, { signal });
    const second = await ends.sender.ship(wagon.ref, { signal });
    expect(Buffer.from(second.receipt)).toEqual(Buffer.from(first.receipt));
    await ends.inbox.saveReceipt(wagon.address, 'applied', receiptText('applied', wagon.address, wagon.ref.hash));
    await ends.inbox.release(wagon.address);
    const third = await ends.sender.ship(wagon.ref, { signal });
    expect(Buffer.from(third.receipt)).toEqual(Buffer.from(first.receipt));
    expect(await ends.inbox.list(STREAM, 'chain')).toEqual([]);
    expect(ends.verified).toHaveLength(1);
  });

  test.each(['changes', 'ddl'] as const)(
    'other bytes under a taken sequence (%s): a fork, before and after it is applied',
    async (kind) => {
      const ends = await openEnds(closing);
      const wagon = makeWagon(5, 3_000);
      const other = makeWagon(5, 3_000, kind);
      expect((await rawPut(ends, wagon)).status).toBe(201);
      for (const applied of [false, true]) {
        if (applied) {
          await ends.inbox.saveReceipt(wagon.address, 'applied', receiptText('applied', wagon.address, wagon.ref.hash));
          await ends.inbox.release(wagon.address);
        }
        const answer = await rawPut(ends, other);
        expect(answer.status).toBe(409);
        expect(JSON.parse(answer.body)).toMatchObject({ code: 'wagon-fork' });
      }
      await ends.spool.put(other.address, other.bytes);
      expect(await errorOf(ends.sender.ship(other.ref, { signal }))).toMatchObject({ code: 'wagon-fork', retryable: false });
      expect(ends.said.some((it) => it.startsWith('error') && it.includes('wagon-fork'))).toBe(true);
    },
  );

  test('another version of a range replaces it, until it is applied', async () => {
    const ends = await openEnds(closing);
    const [first, second, third] = [makeWagon(9, 3_000, 'range'), makeWagon(9, 4_000, 'range'), makeWagon(9, 5_000, 'range')] as const;
    expect((await rawPut(ends, first)).status).toBe(201);
    const replaced = await rawPut(ends, second);
    expect(replaced.status).toBe(201);
    expect(replaced.body).toContain(second.ref.hash);
    expect(await sameBytes(ends, second)).toBe(true);
    expect((await ends.inbox.usage()).bytes).toBe(second.bytes.length + 80);
    await ends.inbox.saveReceipt(second.address, 'applied', receiptText('applied', second.address, second.ref.hash));
    expect((await rawPut(ends, third)).status).toBe(409);
    expect((await rawPut(ends, second)).status).toBe(200);
  });

  test('two uploads at once: the newer goes on, the older is told and writes nothing more', async () => {
    const ends = await openEnds(closing);
    const wagon = makeWagon(1, 1_000_000);
    await ends.spool.put(wagon.address, wagon.bytes);
    let feed: (bytes: Buffer) => void = () => undefined;
    const older = rawPut(ends, wagon, {
      onRequest: (request) => {
        feed = (bytes) => request.write(bytes);
        feed(wagon.bytes.subarray(0, 300_000));
      },
    });
    await expect.poll(() => ends.inbox.received(wagon.address)).toBe(300_000);
    const newer = ends.sender.ship(wagon.ref, { signal });
    feed(Buffer.alloc(50_000, 0xff));
    const told = await older;
    expect(told.status).toBe(409);
    expect(JSON.parse(told.body)).toMatchObject({ code: 'receiver-busy' });
    await newer;
    expect(await sameBytes(ends, wagon)).toBe(true);
  });

  test('many uploads of one wagon at the same time end in one wagon', async () => {
    const ends = await openEnds(closing);
    const wagon = makeWagon(1, 600_000);
    await ends.spool.put(wagon.address, wagon.bytes);
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => ends.sender.ship(wagon.ref, { signal })));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'receiver-busy', retryable: true });
    }
    await ends.sender.ship(wagon.ref, { signal });
    expect(await sameBytes(ends, wagon)).toBe(true);
    expect(await ends.inbox.usage()).toMatchObject({ wagons: 1, bytes: wagon.bytes.length + 80 });
  });
});

describe('what the receiver says no to', () => {
  test('a full inbox: inbox-full with the time to wait; it fits again once a wagon is released', async () => {
    const ends = await openEnds(closing, { inboxBytes: 1_000_000 });
    const [first, second] = [makeWagon(1, 700_000), makeWagon(2, 700_000)] as const;
    for (const it of [first, second]) await ends.spool.put(it.address, it.bytes);
    await ends.sender.ship(first.ref, { signal });
    const error = await errorOf(ends.sender.ship(second.ref, { signal }));
    expect(error).toBeInstanceOf(RetryLater);
    expect(error).toMatchObject({ code: 'inbox-full', retryable: true, retryAfterMilliseconds: 30_000 });
    await ends.inbox.release(first.address);
    await ends.sender.ship(second.ref, { signal });
    expect(await sameBytes(ends, second)).toBe(true);
  });

  test('more uploads than it takes at a time: receiver-busy', async () => {
    const ends = await openEnds(closing, { limits: { uploads: 1 } });
    const [slow, next] = [makeWagon(1, 100_000), makeWagon(2, 100_000)] as const;
    await ends.spool.put(next.address, next.bytes);
    await sendPart(ends, slow, 50_000);
    const error = await errorOf(ends.sender.ship(next.ref, { signal }));
    expect(error).toMatchObject({ code: 'receiver-busy', retryAfterMilliseconds: 1_000 });
  });

  test("the verifier's refusal arrives with its code, and nothing is kept; a failure that will pass keeps the bytes", async () => {
    let refuse: SrdfError | null = new SrdfError('wagon-epoch', { tried: 't', found: 'epoch 1 is over', action: 'Do this' });
    const ends = await openEnds(closing, {
      verify: async (sealed) => {
        if (refuse !== null) throw refuse;
        return { header: parseHeader(sealed).header, hash: wagon.ref.hash };
      },
    });
    const wagon = makeWagon(1, 200_000);
    await ends.spool.put(wagon.address, wagon.bytes);
    const error = await errorOf(ends.sender.ship(wagon.ref, { signal }));
    expect(error).toMatchObject({ code: 'wagon-epoch', facts: { found: 'epoch 1 is over', action: 'Do this' } });
    expect(await ends.inbox.usage()).toMatchObject({ wagons: 0, bytes: 0 });
    refuse = new SrdfError('target-unreachable', { tried: 't', found: 'the database is down', action: 'Start it' });
    expect(await errorOf(ends.sender.ship(wagon.ref, { signal }))).toMatchObject({ code: 'target-unreachable', retryable: true });
    expect(await ends.inbox.received(wagon.address)).toBe(wagon.bytes.length);
    refuse = null;
    const { bytesSent } = await ends.sender.ship(wagon.ref, { signal });
    expect(bytesSent).toBe(0);
    expect(await sameBytes(ends, wagon)).toBe(true);
  });

  test('a wagon sent to the address of another is not stored', async () => {
    const ends = await openEnds(closing);
    const wagon = makeWagon(1);
    const answer = await rawPut(ends, wagon, { path: '/v1/streams/shop/changes/1/2' });
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'wagon-destination' });
    expect(await ends.inbox.usage()).toMatchObject({ wagons: 0, bytes: 0 });
  });

  test('a url that is not https is refused at once', () => {
    expect(() =>
      createSender({
        url: 'http://127.0.0.1:1',
        tls: { key: '', certificate: '', peerCertificate: '' },
        spool: { open: () => Promise.reject(new Error('not used')) },
        log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      }),
    ).toThrow(/https/);
  });
});
