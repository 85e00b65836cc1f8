import { afterEach, describe, expect, test } from 'vitest';
import { startReceiver } from '../../activities/transport/receiver.js';
import { BreakingLine, Closing, makeWagon, openEnds, receiptText, receiverOptions, STREAM } from './transport-fixture.js';

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
    expect(await inbox.list(STREAM, 'chain')).toEqual([wagon.ref]);
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

  test('many wagons share a connection, and one that was closed in the meantime is replaced without the caller noticing', async () => {
    const line = await BreakingLine.open(closing);
    const ends = await openEnds(closing, {
      url: (port) => {
        line.target = port;
        return `https://127.0.0.1:${line.port}`;
      },
    });
    const wagons = Array.from({ length: 6 }, (_, index) => makeWagon(index + 1, 100_000));
    for (const it of wagons) await ends.spool.put(it.address, it.bytes);
    for (const it of wagons.slice(0, 4)) expect(await ends.sender.ship(it.ref, { signal })).toMatchObject({ bytesSent: it.bytes.length });
    expect(line.connections).toBe(1);
    await ends.receiver.close();
    const receiver = await startReceiver(receiverOptions(ends.inbox, ends.target, ends.source));
    closing.add(() => receiver.close());
    line.target = receiver.port;
    for (const it of wagons.slice(4)) await ends.sender.ship(it.ref, { signal });
    expect(line.connections).toBe(2);
    expect(await ends.inbox.list(STREAM, 'chain')).toEqual(wagons.map((it) => it.ref));
  });

  test('foreign keys come from the target', async () => {
    const { sender } = await openEnds(closing);
    expect(await sender.foreignKeys(STREAM, signal)).toEqual([
      { child: { database: 'd', table: 'c' }, parent: { database: 'd', table: 'p' }, parentColumns: ['id'], cascades: true },
    ]);
  });
});
