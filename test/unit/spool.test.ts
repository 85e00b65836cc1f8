import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StoreLog } from '../../activities/transport/file-store.js';
import { openInbox } from '../../activities/transport/inbox.js';
import { openSpool } from '../../activities/transport/spool.js';
import type { StreamName } from '../../activities/vocabulary.js';
import { parseHeader } from '../../activities/wagon/header.js';
import { address, errorOf, makeWagon, receiptText, STREAM, type Wagon } from '../integration/transport-fixture.js';

let directory = '';
const said: string[] = [];
const say = (level: string) => (facts: unknown, words: unknown) => {
  said.push(`${level} ${JSON.stringify(facts)} ${String(words)}`);
};
const log = { info: say('info'), warn: say('warn'), error: say('error') } as StoreLog;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'srdf-spool-'));
  said.length = 0;
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const open = (options: { maxBytes?: number; receiptsKept?: number } = {}) =>
  openSpool({ directory, maxBytes: options.maxBytes ?? 2 ** 30, readHeader: parseHeader, log, ...options });

async function filesIn(folder = directory): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((it) => it.isFile()).map((it) => join(it.parentPath, it.name));
}
async function fileOf(wagon: Wagon): Promise<string> {
  const name = `${String(wagon.address.sequence).padStart(16, '0')}.wagon`;
  const path = (await filesIn()).find((it) => it.endsWith(name));
  if (path === undefined) throw new Error(`no file of wagon ${wagon.address.sequence}`);
  return path;
}
async function* inPieces(bytes: Buffer, size = 1_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('wagons in a spool', () => {
  test('are listed in order of epoch and sequence, by folder, also after it is opened again', async () => {
    const spool = await open();
    const wagons = [makeWagon(10), makeWagon(2), makeWagon(3, 500, 'ddl'), makeWagon(1, 500, 'changes', 2), makeWagon(2, 500, 'range')];
    for (const it of wagons) await spool.put(it.address, it === wagons[0] ? it.bytes : inPieces(it.bytes));
    const [ten, two, ddl, newEpoch, range] = wagons.map((it) => it.ref);
    for (const store of [spool, await open()]) {
      expect(await store.list(STREAM, 'chain')).toEqual([two, ddl, ten, newEpoch]);
      expect(await store.list(STREAM, 'range')).toEqual([range]);
      expect(await store.list('other' as StreamName, 'chain')).toEqual([]);
      const bytes = (await Promise.all((await filesIn()).map((it) => stat(it)))).reduce((sum, it) => sum + it.size, 0);
      expect(await store.usage()).toEqual({ wagons: 5, bytes, maxBytes: 2 ** 30, alarm: false });
    }
  });

  test('are read from any offset, byte for byte', async () => {
    const spool = await open();
    const wagon = makeWagon(1, 300_000);
    await spool.put(wagon.address, wagon.bytes);
    for (const offset of [0, 1, 262_144, wagon.bytes.length - 1, wagon.bytes.length]) {
      const { stream, bytes } = await spool.open(wagon.address, offset);
      expect(bytes).toBe(wagon.bytes.length);
      expect((await buffer(stream)).equals(wagon.bytes.subarray(offset))).toBe(true);
    }
    expect(await errorOf(spool.open(address(2)))).toMatchObject({ code: 'wagon-missing' });
    expect(await errorOf(spool.read(address(2)))).toMatchObject({ code: 'wagon-missing' });
  });

  test('the first writer of an address wins, in one process or two, one after the other or at once', async () => {
    const [spool, other] = [await open(), await open()];
    const [first, second] = [makeWagon(1), makeWagon(1)];
    await spool.put(first.address, first.bytes);
    const winner = { hash: first.ref.hash, bytes: first.bytes.length, existed: true };
    expect(await spool.put(second.address, second.bytes)).toEqual(winner);
    expect(await other.put(second.address, second.bytes)).toEqual(winner);

    const contenders = [1, 2, 3, 4, 5, 6].map(() => makeWagon(7, 100_000));
    const outcomes = await Promise.all(
      contenders.map((it, index) => (index % 2 === 0 ? spool : other).put(it.address, inPieces(it.bytes))),
    );
    expect(outcomes.filter((it) => !it.existed)).toHaveLength(1);
    expect(new Set(outcomes.map((it) => it.hash)).size).toBe(1);
    const stored = await spool.read(address(7));
    expect(createHash('sha256').update(stored).digest('hex')).toBe(outcomes[0]?.hash);
    for (const store of [spool, other]) {
      expect((await store.list(STREAM, 'chain')).map((it) => it.hash)).toEqual([first.ref.hash, outcomes[0]?.hash]);
      expect(await store.usage()).toMatchObject({ wagons: 2, bytes: first.bytes.length + stored.length + 160 });
    }
    expect(await filesIn()).toHaveLength(2);
  });

  test('a sequence of the chain is a changes wagon or a ddl wagon, never both', async () => {
    const spool = await open();
    const [rows, ddl] = [makeWagon(4), makeWagon(4, 100, 'ddl')];
    await spool.put(rows.address, rows.bytes);
    expect(await errorOf(spool.put(ddl.address, ddl.bytes))).toMatchObject({ code: 'wagon-fork' });
    expect(await spool.list(STREAM, 'chain')).toEqual([rows.ref]);
  });

  test('what is not a wagon of this address is not stored, and leaves nothing', async () => {
    const spool = await open();
    const wagon = makeWagon(1);
    expect(await errorOf(spool.put(address(2), wagon.bytes))).toMatchObject({ code: 'spool-inconsistent' });
    expect(await errorOf(spool.put(address(1), randomBytes(500)))).toMatchObject({ code: 'wagon-malformed' });
    const broken = (async function* () {
      yield wagon.bytes.subarray(0, 300);
      throw new Error('the cut failed');
    })();
    await expect(spool.put(address(1), broken)).rejects.toThrow('the cut failed');
    expect(await filesIn()).toEqual([]);
    expect(await spool.usage()).toMatchObject({ wagons: 0, bytes: 0 });
    const outside = { ...address(1), stream: '../../etc' as StreamName };
    expect(await errorOf(spool.put(outside, wagon.bytes))).toMatchObject({ code: 'config-invalid' });
    await expect(spool.readReceipt(outside, 'applied')).rejects.toMatchObject({ code: 'config-invalid' });
  });
});

describe('a spool that fills', () => {
  test('says so at 80 %, refuses what does not fit before writing it, and takes it once there is room', async () => {
    const spool = await open({ maxBytes: 100_000 });
    const [first, second] = [makeWagon(1, 80_000), makeWagon(2, 30_000)];
    await spool.put(first.address, first.bytes);
    expect(await spool.usage()).toMatchObject({ alarm: true });
    expect(said.filter((it) => it.startsWith('warn'))).toHaveLength(1);
    for (const sealed of [second.bytes, inPieces(second.bytes)]) {
      const error = await errorOf(spool.put(second.address, sealed));
      expect(error).toMatchObject({ code: 'spool-full', retryable: true });
      expect(error.message).toContain('maxBytes');
    }
    expect(await filesIn()).toHaveLength(1);
    expect(await spool.usage()).toMatchObject({ wagons: 1, bytes: first.bytes.length + 80 });
    await spool.release(first.address);
    expect(await spool.usage()).toEqual({ wagons: 0, bytes: 0, maxBytes: 100_000, alarm: false });
    expect(await spool.put(second.address, second.bytes)).toMatchObject({ existed: false });
  });
});

describe('after a power cut', () => {
  test.each<[string, (path: string, bytes: Buffer) => Promise<void>]>([
    ['empty', (path) => truncate(path, 0)],
    ['cut short', (path, bytes) => truncate(path, bytes.length - 500)],
    ['without its last byte', (path, bytes) => truncate(path, bytes.length - 1)],
    ['ending in zeros', (path, bytes) => writeFile(path, Buffer.concat([bytes.subarray(0, 1_000), Buffer.alloc(bytes.length - 1_000)]))],
    ['missing a piece in its middle', (path, bytes) => writeFile(path, Buffer.concat([bytes.subarray(0, 1_000), bytes.subarray(1_500)]))],
    ['longer than it was', (path, bytes) => writeFile(path, Buffer.concat([bytes, Buffer.alloc(10)]))],
    ['beginning in zeros', (path, bytes) => writeFile(path, Buffer.concat([Buffer.alloc(512), bytes.subarray(512)]))],
  ])('a file %s counts as never written: removed, said in the log, and can be put again', async (_what, spoil) => {
    const before = await open();
    const [kept, spoilt] = [makeWagon(1), makeWagon(2)];
    for (const it of [kept, spoilt]) await before.put(it.address, it.bytes);
    const path = await fileOf(spoilt);
    await spoil(path, await readFile(path));
    const spool = await open();
    expect(await spool.list(STREAM, 'chain')).toEqual([kept.ref]);
    expect(await spool.usage()).toMatchObject({ wagons: 1, bytes: kept.bytes.length + 80 });
    expect(said.filter((it) => it.startsWith('error') && it.includes('0000000000000002.wagon'))).toHaveLength(1);
    expect(await spool.put(spoilt.address, spoilt.bytes)).toMatchObject({ hash: spoilt.ref.hash, existed: false });
  });

  test('a wagon spoilt in the inbox is expected again, though its received receipt was given', async () => {
    const options = { directory, maxBytes: 2 ** 30, readHeader: parseHeader, log };
    const wagon = makeWagon(1);
    const before = await openInbox(options);
    await before.put(wagon.address, wagon.bytes);
    await before.saveReceipt(wagon.address, 'received', receiptText('received', wagon.address, wagon.ref.hash));
    expect(await before.arrival(wagon.address, wagon.ref)).toEqual({ state: 'complete' });
    await truncate(await fileOf(wagon), 100);
    const inbox = await openInbox(options);
    expect(await inbox.arrival(wagon.address, wagon.ref)).toEqual({ state: 'expected', offset: 0 });
  });

  test('a confirmed wagon whose removal was lost is removed again', async () => {
    const before = await open();
    const wagon = makeWagon(1);
    await before.put(wagon.address, wagon.bytes);
    await before.saveReceipt(wagon.address, 'applied', receiptText('applied', wagon.address, wagon.ref.hash));
    const spool = await open();
    expect(await spool.wagonState(wagon.address)).toBe('confirmed');
    expect(await spool.list(STREAM, 'chain')).toEqual([]);
  });
});

describe('a wagon that the disk has damaged', () => {
  test.each([
    [
      'one bit of it flipped',
      async (path: string) => {
        const bytes = await readFile(path);
        bytes[400] = (bytes[400] ?? 0) ^ 1;
        await writeFile(path, bytes);
      },
    ],
    ['its end lost', async (path: string) => await truncate(path, 100)],
  ])('is gone once it is looked at: %s', async (_what, damage) => {
    const spool = await open();
    const [good, bad] = [makeWagon(1), makeWagon(2)];
    for (const it of [good, bad]) await spool.put(it.address, it.bytes);
    await damage(await fileOf(bad));
    expect(await spool.removeIfDamaged(good.address)).toBe(false);
    expect(await spool.removeIfDamaged(bad.address)).toBe(true);
    expect(await spool.list(STREAM, 'chain')).toEqual([good.ref]);
    expect((await spool.usage()).wagons).toBe(1);
    expect(await spool.removeIfDamaged(bad.address)).toBe(false);
    expect(await spool.put(bad.address, bad.bytes)).toMatchObject({ existed: false });
  });
  test('is gone once it was read, when it was cut short after it was listed', async () => {
    const spool = await open();
    const wagon = makeWagon(1);
    await spool.put(wagon.address, wagon.bytes);
    expect(await spool.list(STREAM, 'chain')).toEqual([wagon.ref]);
    await truncate(await fileOf(wagon), 100);
    await expect(spool.read(wagon.address)).rejects.toMatchObject({ code: 'wagon-missing' });
    expect(await spool.list(STREAM, 'chain')).toEqual([]);
    expect(await spool.put(wagon.address, wagon.bytes)).toMatchObject({ existed: false });
    expect(await spool.read(wagon.address)).toEqual(wagon.bytes);
  });
});

describe('receipts', () => {
  test('the newest are kept, and those of wagons still there; also after it is opened again', async () => {
    const spool = await open({ receiptsKept: 3 });
    const waiting = makeWagon(1);
    await spool.put(waiting.address, waiting.bytes);
    for (let sequence = 1; sequence <= 8; sequence++) {
      const at = address(sequence);
      for (const status of ['received', 'applied'] as const) {
        if (sequence > 1 || status === 'received') await spool.saveReceipt(at, status, Buffer.from(`${status} ${sequence}`));
      }
    }
    for (const store of [spool, await open({ receiptsKept: 3 })]) {
      const kept = await Promise.all(
        [1, 2, 3, 4, 5, 6, 7, 8].map(async (it) => Buffer.from((await store.readReceipt(address(it), 'received')) ?? []).toString()),
      );
      expect(kept).toEqual(['received 1', '', '', '', '', '', 'received 7', 'received 8']);
    }
    expect((await filesIn()).filter((it) => it.endsWith('.applied'))).toHaveLength(2);
  });

  test('the last one of a status counts; a spoilt one is as none', async () => {
    const spool = await open();
    await spool.saveReceipt(address(1), 'applied', Buffer.from('first'));
    await spool.saveReceipt(address(1), 'applied', Buffer.from('second'));
    expect(Buffer.from((await spool.readReceipt(address(1), 'applied')) ?? []).toString()).toBe('second');
    const [path = ''] = (await filesIn()).filter((it) => it.endsWith('.applied'));
    await truncate(path, 3);
    expect(await spool.readReceipt(address(1), 'applied')).toBeNull();
  });
});

test('a stream that is cleared can count from 1 again; others stay', async () => {
  const spool = await open();
  const [old, anew] = [makeWagon(1), makeWagon(1)];
  const elsewhere = { ...address(1), stream: 'wiki' as StreamName };
  await spool.put(old.address, old.bytes);
  await spool.saveReceipt(old.address, 'applied', Buffer.from('applied'));
  await spool.saveReceipt(elsewhere, 'applied', Buffer.from('applied'));
  await spool.clear(STREAM);
  expect(await spool.wagonState(old.address)).toBeNull();
  expect(await spool.usage()).toMatchObject({ wagons: 0, bytes: 0 });
  expect(await spool.put(anew.address, anew.bytes)).toMatchObject({ hash: anew.ref.hash, existed: false });
  expect(await spool.readReceipt(elsewhere, 'applied')).not.toBeNull();
});
