import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openInbox } from '../../activities/transport/inbox.js';
import { UploadFenced } from '../../activities/transport/upload.js';
import { parseHeader } from '../../activities/wagon/header.js';
import { errorOf, makeWagon, receiptText, STREAM } from '../integration/transport-fixture.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'srdf-inbox-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));
const open = (maxBytes = 2 ** 30) => openInbox({ directory, maxBytes, readHeader: parseHeader });

test('an upload that a newer one wants can neither write nor finish; the newer goes on behind its last byte', async () => {
  const inbox = await open();
  const wagon = makeWagon(1, 10_000);
  const older = await inbox.beginUpload(wagon.address, wagon.ref);
  await older.write(wagon.bytes.subarray(0, 4_000));
  const takeover = inbox.beginUpload(wagon.address, wagon.ref);
  await expect(older.write(Buffer.alloc(100))).rejects.toBeInstanceOf(UploadFenced);
  expect(() => older.check()).toThrow(UploadFenced);
  await older.close();
  const newer = await takeover;
  expect(newer.offset).toBe(4_000);
  await newer.write(wagon.bytes.subarray(4_000));
  expect(newer.check()).toBe('whole');
  expect(await inbox.accept(wagon.address, wagon.bytes)).toEqual(wagon.ref);
  await newer.close();
  expect(Buffer.from(await inbox.read(wagon.address)).equals(wagon.bytes)).toBe(true);
  expect(await inbox.received(wagon.address)).toBe(0);
});

test('the room for a whole wagon is taken when its upload begins, and given back with what is thrown away', async () => {
  const inbox = await open(100_000);
  const [first, again, next] = [makeWagon(1, 60_000), makeWagon(1, 50_000), makeWagon(2, 60_000)] as const;
  const upload = await inbox.beginUpload(first.address, first.ref);
  expect(await inbox.usage()).toMatchObject({ wagons: 0, bytes: first.bytes.length + 80 });
  expect(await errorOf(inbox.beginUpload(next.address, next.ref))).toMatchObject({ code: 'inbox-full' });
  await upload.close();
  await (await inbox.beginUpload(again.address, again.ref)).close();
  expect(await inbox.usage()).toMatchObject({ bytes: again.bytes.length + 80 });
  expect(await (await open(100_000)).usage()).toMatchObject({ wagons: 0, bytes: again.bytes.length + 80 });
  await inbox.clear(STREAM);
  expect(await inbox.usage()).toMatchObject({ bytes: 0, alarm: false });
  await (await inbox.beginUpload(next.address, next.ref)).close();
});

test('a receipt for other bytes than those that lie here now is none', async () => {
  const inbox = await open();
  const [before, now] = [makeWagon(1, 500, 'range'), makeWagon(1, 500, 'range')];
  await inbox.put(before.address, before.bytes);
  await inbox.saveReceipt(before.address, 'received', receiptText('received', before.address, before.ref.hash));
  await inbox.release(before.address);
  expect(await inbox.readReceipt(before.address, 'received')).not.toBeNull();
  await inbox.put(now.address, now.bytes);
  expect(await inbox.readReceipt(now.address, 'received')).toBeNull();
  expect(await inbox.wagonState(now.address)).toBe('received');
});

test('what a wagon came to is told: refused, then applied once it was', async () => {
  const inbox = await open();
  const wagon = makeWagon(1);
  expect(await inbox.wagonState(wagon.address)).toBeNull();
  await inbox.put(wagon.address, wagon.bytes);
  await inbox.saveReceipt(wagon.address, 'refused', receiptText('refused', wagon.address, wagon.ref.hash));
  expect(await inbox.wagonState(wagon.address)).toBe('refused');
  await inbox.saveReceipt(wagon.address, 'applied', receiptText('applied', wagon.address, wagon.ref.hash));
  expect(await inbox.wagonState(wagon.address)).toBe('applied');
  await inbox.release(wagon.address);
  expect(await inbox.wagonState(wagon.address)).toBe('applied');
});

/** Wagons 1 to 3 are one transaction's, 4 is another's. */
const wagonsOfTwo = () =>
  [0, 1, 2, 3].map((at) => makeWagon(at + 1, 500, 'changes', 1, at === 3 ? undefined : { index: at, last: at === 2 }));
async function receive(inbox: Awaited<ReturnType<typeof open>>, wagon: ReturnType<typeof makeWagon>): Promise<void> {
  const upload = await inbox.beginUpload(wagon.address, wagon.ref);
  await upload.write(wagon.bytes);
  await inbox.accept(wagon.address, wagon.bytes);
  await upload.close();
}

test('the beginning of a train gives way, with what hangs on it, to the one that was cut anew; a whole train to none', async () => {
  const inbox = await open();
  const [first, second, third, fourth] = wagonsOfTwo();
  const [firstAgain, secondAgain, thirdAgain] = wagonsOfTwo();
  if (!first || !second || !third || !fourth || !firstAgain || !secondAgain || !thirdAgain) throw new Error('four wagons');
  for (const wagon of [first, second]) await receive(inbox, wagon);
  await inbox.saveReceipt(second.address, 'received', receiptText('received', second.address, second.ref.hash));

  expect(await inbox.arrival(firstAgain.address, firstAgain.ref)).toEqual({ state: 'expected', offset: 0 });
  await receive(inbox, firstAgain);
  expect(await inbox.list(STREAM, 'chain')).toEqual([firstAgain.ref]);
  expect(await inbox.readReceipt(second.address, 'received')).toBeNull();

  for (const wagon of [secondAgain, thirdAgain, fourth]) await receive(inbox, wagon);
  const whole = [firstAgain.ref, secondAgain.ref, thirdAgain.ref, fourth.ref];
  for (const { address, ref } of [first, second, third, makeWagon(4, 500)]) {
    const present = whole[address.sequence - 1]?.hash;
    expect(await inbox.arrival(address, ref)).toEqual({ state: 'fork', present });
  }
  expect(await inbox.list(STREAM, 'chain')).toEqual(whole);
  expect((await inbox.usage()).bytes).toBe(whole.reduce((sum, ref) => sum + ref.bytes + 80, 0));
});

test('a train whose first cars are applied and gone was whole: what is left of it gives way to none', async () => {
  const inbox = await open();
  const [first, second, third] = wagonsOfTwo();
  if (!first || !second || !third) throw new Error('three wagons');
  for (const wagon of [first, second, third]) await receive(inbox, wagon);
  await inbox.saveReceipt(first.address, 'applied', receiptText('applied', first.address, first.ref.hash));
  await inbox.release(first.address);
  const [, other] = wagonsOfTwo();
  expect(other && (await inbox.arrival(other.address, other.ref))).toEqual({ state: 'fork', present: second.ref.hash });
});
