/** Uploads that are never finished, done twice at once, or go on in the wrong place: nothing they reserve is lost for good. */
import { createHash } from 'node:crypto';
import { readdir, readlink, utimes } from 'node:fs/promises';
import type { ClientRequest } from 'node:http';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openInbox } from '../../activities/transport/inbox.js';
import { parseHeader } from '../../activities/wagon/header.js';
import { Closing, type Ends, makeWagon, openEnds, rawPut, rawRequest, type Wagon } from '../integration/transport-fixture.js';

const closing = new Closing();
afterEach(() => closing.all());
const DAY = 86_400_000;

/** Sends the first bytes of a wagon and breaks off. */
async function begin(ends: Ends, wagon: Wagon, bytes: number): Promise<void> {
  let request: ClientRequest | undefined;
  const answer = rawPut(ends, wagon, {
    onRequest: (it) => {
      request = it;
      it.write(wagon.bytes.subarray(0, bytes));
    },
  });
  await expect.poll(() => ends.inbox.received(wagon.address)).toBe(bytes);
  request?.destroy();
  await expect(answer).rejects.toThrow();
}
/** Files that this process, and so the receiver, has open (proc(5)). */
const openFiles = async (): Promise<string[]> =>
  await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
/** The receiver has noticed that nobody is sending any more. */
const ended = async (ends: Ends, wagon: Wagon): Promise<void> => {
  const folder = join(ends.folder, 'inbox', 'shop', 'arriving', 'chain');
  const name = `1.${wagon.address.sequence}.${wagon.ref.hash}.${wagon.bytes.length}.part`;
  await expect.poll(async () => (await openFiles()).includes(join(folder, name))).toBe(false);
};
const used = async (ends: Ends): Promise<number> => (await ends.inbox.usage()).bytes;

test('one that nobody goes on with is thrown away after a day, also over a restart, and the room it took is free again', async () => {
  const ends = await openEnds(closing);
  const [left, fresh] = [makeWagon(1, 50_000), makeWagon(2, 50_000)];
  await begin(ends, left, 10_000);
  const reserved = await used(ends);
  expect(reserved).toBeGreaterThan(50_000);
  await ended(ends, left);
  await ends.inbox.expireUploads(Date.now() + DAY - 60_000);
  expect(await used(ends)).toBe(reserved);
  // Its file is closed a moment before the inbox counts it as nobody's.
  const usedAfterADay = async () => {
    await ends.inbox.expireUploads(Date.now() + DAY + 1);
    return await used(ends);
  };
  await expect.poll(usedAfterADay).toBe(0);
  expect(await ends.inbox.received(left.address)).toBe(0);

  await begin(ends, left, 10_000);
  await begin(ends, fresh, 10_000);
  const old = new Date(Date.now() - DAY - 60_000);
  const name = `1.1.${left.ref.hash}.${left.bytes.length}.part`;
  await utimes(join(ends.folder, 'inbox', 'shop', 'arriving', 'chain', name), old, old);
  const again = await openInbox({ directory: join(ends.folder, 'inbox'), maxBytes: 2 ** 30, readHeader: parseHeader });
  expect(await again.received(left.address)).toBe(0);
  expect(await again.received(fresh.address)).toBe(10_000);
});

test('those left behind give way to a wagon that needs their room, the oldest first, and one under way never does', async () => {
  const ends = await openEnds(closing, { inboxBytes: 500_000 });
  const left = [1, 2, 3, 4].map((it) => makeWagon(it, 100_000));
  for (const wagon of left) await begin(ends, wagon, 1_000);
  expect((await rawPut(ends, makeWagon(5, 250_000))).status).toBe(201);
  expect(await Promise.all(left.map((it) => ends.inbox.received(it.address)))).toEqual([0, 0, 1_000, 1_000]);

  // Larger than all there is: nothing is thrown away for it in vain.
  const kept = await used(ends);
  expect((await rawPut(ends, makeWagon(6, 400_000))).status).toBe(507);
  expect(await used(ends)).toBe(kept);

  let finish: () => void = () => undefined;
  const busy = makeWagon(7, 150_000);
  const answer = rawPut(ends, busy, {
    onRequest: (request) => {
      request.write(busy.bytes.subarray(0, 1_000));
      finish = () => request.end(busy.bytes.subarray(1_000));
    },
  });
  await expect.poll(() => ends.inbox.received(busy.address)).toBe(1_000);
  expect((await rawPut(ends, makeWagon(8, 200_000))).status).toBe(507);
  finish();
  expect((await answer).status).toBe(201);
});

test('a thousand tiny ones are the most that are kept', async () => {
  const ends = await openEnds(closing);
  for (let sequence = 1; sequence <= 1_050; sequence++) {
    const upload = await ends.inbox.beginUpload(makeWagon(sequence, 10).address, { hash: makeWagon(1).ref.hash, bytes: 100 });
    await upload.close();
  }
  expect(await used(ends)).toBe(1_000 * 180);
});

test('two uploads of one address at once: the later wins, the wagon is whole, and one receipt is given', async () => {
  const ends = await openEnds(closing);
  const wagon = makeWagon(1, 200_000);
  const first = rawPut(ends, wagon, { onRequest: (request) => request.write(wagon.bytes.subarray(0, 50_000)) });
  await expect.poll(() => ends.inbox.received(wagon.address)).toBe(50_000);
  const others = await Promise.all([rawPut(ends, wagon, { offset: 50_000 }), rawPut(ends, wagon, { offset: 50_000 }), first]);
  expect(others.map((it) => it.status).filter((it) => it === 200 || it === 201).length).toBeGreaterThan(0);
  for (const { status } of others) expect([200, 201, 409]).toContain(status);
  expect(
    createHash('sha256')
      .update(await ends.inbox.read(wagon.address))
      .digest('hex'),
  ).toBe(wagon.ref.hash);
  expect(ends.verified.length).toBe(1);
  expect(await ends.inbox.usage()).toMatchObject({ wagons: 1 });

  // Another wagon of the same address meanwhile takes neither its place nor its bytes.
  const other = makeWagon(1, 200_000);
  const answer = await rawPut(ends, other);
  expect(answer.status).toBe(409);
  expect(JSON.parse(answer.body)).toMatchObject({ code: 'wagon-fork' });
  expect(ends.said.some((it) => it.includes('two versions of one wagon'))).toBe(true);
});

test.each([1, 9_999, 10_001, 50_000])('going on at %i where 10,000 bytes are here: told so, and nothing is written', async (offset) => {
  const ends = await openEnds(closing);
  const wagon = makeWagon(1, 50_000);
  await begin(ends, wagon, 10_000);
  const answer = await rawPut(ends, wagon, { offset });
  expect(answer.status).toBe(409);
  expect(answer.headers['srdf-offset']).toBe('10000');
  expect(await ends.inbox.received(wagon.address)).toBe(10_000);
  expect((await rawPut(ends, wagon, { offset: 10_000 })).status).toBe(201);
});

test('parts of two wagons under one address do not become one', async () => {
  const ends = await openEnds(closing);
  const [one, two] = [makeWagon(1, 50_000), makeWagon(1, 50_000)];
  await begin(ends, one, 20_000);
  const answer = await rawPut(ends, two, { offset: 20_000 });
  expect(answer.status).toBe(409);
  expect(answer.headers['srdf-offset']).toBe('0');
  // The bytes of the first with the end of the second: whole in length, and not what was announced.
  await begin(ends, one, 20_000);
  const mixed = { ...one, bytes: Buffer.concat([one.bytes.subarray(0, 20_000), two.bytes.subarray(20_000)]) };
  expect((await rawPut(ends, mixed, { offset: 20_000 })).status).toBe(409);
  expect(await ends.inbox.usage()).toMatchObject({ wagons: 0, bytes: 0 });
  expect((await rawPut(ends, one)).status).toBe(201);
});

test('more uploads at once than are taken: the rest is told to wait, those under way end well', async () => {
  const ends = await openEnds(closing, { limits: { uploads: 2 } });
  const wagons = [makeWagon(1, 50_000), makeWagon(2, 50_000)];
  const finish: (() => void)[] = [];
  const answers = wagons.map((wagon) =>
    rawPut(ends, wagon, {
      onRequest: (request) => {
        request.write(wagon.bytes.subarray(0, 100));
        finish.push(() => request.end(wagon.bytes.subarray(100)));
      },
    }),
  );
  for (const wagon of wagons) await expect.poll(() => ends.inbox.received(wagon.address)).toBe(100);
  const third = await rawPut(ends, makeWagon(3));
  expect(third.status).toBe(503);
  expect(third.headers['retry-after']).toBe('1');
  for (const it of finish) it();
  for (const it of answers) expect((await it).status).toBe(201);
  const tls = { key: ends.source.key, cert: ends.source.certificate };
  expect((await rawRequest(ends.receiver.port, { ...tls, method: 'GET', path: '/v1/health' })).status).toBe(200);
});
