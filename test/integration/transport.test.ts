import { afterEach, describe, expect, test } from 'vitest';
import { Closing, makeWagon, openEnds, receiptText, STREAM } from './transport-fixture.js';

const closing = new Closing();
afterEach(() => closing.all());
const signal = new AbortController().signal;

describe('a wagon from spool to inbox', () => {
  test('arrives whole, its receipt comes back, and its state is told at both ends', async () => {
    const { spool, inbox, sender } = await openEnds(closing);
    const wagon = makeWagon(1, 3_000_000);
    expect(await spool.put(wagon.address, wagon.bytes)).toEqual({ hash: wagon.ref.hash, bytes: wagon.bytes.length, existed: false });
    expect(await spool.wagonState(wagon.address)).toBe('captured');
    const progress: number[] = [];
    const shipped = await sender.ship(wagon.ref, { signal, progress: (sent) => progress.push(sent) });
    expect(Buffer.from(shipped.receipt)).toEqual(receiptText('received', wagon.address, wagon.ref.hash));
    expect(shipped.bytesSent).toBe(wagon.bytes.length);
    expect(progress.at(-1)).toBe(wagon.bytes.length);
    expect(Buffer.from(await inbox.read(wagon.address)).equals(wagon.bytes)).toBe(true);
    expect(await inbox.list(STREAM, 'changes')).toEqual([wagon.ref]);
    expect(await inbox.wagonState(wagon.address)).toBe('received');

    await spool.saveReceipt(wagon.address, 'received', shipped.receipt);
    expect(await spool.wagonState(wagon.address)).toBe('received');
    expect(await sender.receipt(wagon.address, 'applied', signal)).toBeNull();
    const applied = receiptText('applied', wagon.address, wagon.ref.hash);
    await inbox.saveReceipt(wagon.address, 'applied', applied);
    await inbox.release(wagon.address);
    expect(await inbox.wagonState(wagon.address)).toBe('applied');
    const fetched = await sender.receipt(wagon.address, 'applied', signal);
    expect(Buffer.from(fetched ?? [])).toEqual(applied);
    await spool.saveReceipt(wagon.address, 'applied', applied);
    expect(await spool.wagonState(wagon.address)).toBe('applied');
    await spool.release(wagon.address);
    expect(await spool.wagonState(wagon.address)).toBe('confirmed');
    expect(await spool.usage()).toMatchObject({ wagons: 0, bytes: 0 });
    expect(await inbox.usage()).toMatchObject({ wagons: 0, bytes: 0 });
  });

  test('foreign keys come from the target', async () => {
    const { sender } = await openEnds(closing);
    expect(await sender.foreignKeys(STREAM, signal)).toEqual([
      { child: { database: 'd', table: 'c' }, parent: { database: 'd', table: 'p' }, parentColumns: ['id'], cascades: true },
    ]);
  });
});
