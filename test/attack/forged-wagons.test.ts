/** Wagons changed, forged, misdirected and sent again, against running workers: each refused by name, nothing changed, and the stream goes on. */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { readLedgerRow } from '../../activities/engines/mysql/apply/ledger-rows.js';
import type { Epoch, StreamName } from '../../activities/vocabulary.js';
import { parseHeader } from '../../activities/wagon/header.js';
import { openWagon } from '../../activities/wagon/open-wagon.js';
import { createOpener } from '../../activities/wagon/opener.js';
import { SrdfError } from '../../temporal/error-catalogue.js';
import { forgetPeak, peakResidentBytes } from '../servers/process-memory.js';
import { changesBody } from '../unit/wagon-fixture.js';
import { type AttackedPair, EXPECTED, startAttackedPair } from './attacked-pair.js';
import { holdOpen } from './raw-connection.js';
import { Forger, hashOf, type NextPlace, type Tampered } from './tampered-wagons.js';

let attacked: AttackedPair;
let before = '';
let rows = 2;
beforeAll(async () => {
  attacked = await startAttackedPair();
  const { pair } = attacked;
  for (const sql of [
    "INSERT INTO item VALUES (3, 'c')",
    "UPDATE item SET name = 'changed' WHERE id = 1",
    'ALTER TABLE item ADD COLUMN more INT',
    'DELETE FROM item WHERE id = 2',
    'INSERT INTO item (id, name) SELECT 1000 + seq, SHA2(seq, 512) FROM seq_1_to_500',
  ]) {
    await pair.source.sql(sql, 'shop');
    await pair.waitConfirmed();
  }
}, 240_000);
afterAll(async () => await attacked?.remove());
beforeEach(async () => {
  before = await attacked.standing();
});

const next = async (): Promise<NextPlace> => {
  const connection = await attacked.pair.target.connect();
  try {
    const ledger = await readLedgerRow(connection, 'shop' as StreamName);
    if (ledger === null || ledger.position === null) throw new Error('no ledger');
    return { epoch: ledger.epoch, sequence: ledger.sequence + 1, previousHash: ledger.wagonHash, position: ledger.position };
  } finally {
    await connection.end();
  }
};
const forger = async (): Promise<Forger> => await Forger.of(attacked.keys.source, attacked.keys.target, await next());
const pathOf = ({ epoch, sequence }: NextPlace, kind = 'changes'): string => `/v1/streams/shop/${kind}/${epoch}/${sequence}`;
const inbox = async (): Promise<string[]> =>
  (await readdir(join(attacked.pair.directory, 'target-state', 'inbox'), { recursive: true }))
    .filter((it) => /\.(wagon|part)$/.test(it))
    .sort();
/** Nothing has changed, and what the source commits next arrives. */
const goesOn = async (): Promise<void> => {
  expect(await attacked.standing()).toBe(before);
  await attacked.pair.source.sql(`INSERT INTO shop.item (id, name) VALUES (${++rows + 100}, 'next')`);
  await attacked.pair.waitConfirmed();
  expect((await attacked.pair.compareBySql()).differences).toEqual([]);
};

async function refusedAtTheDoor(all: Iterable<Tampered>): Promise<number> {
  const path = pathOf(await next());
  const lying = await inbox();
  let tried = 0;
  for (const { what, codes, bytes } of all) {
    const { status, body } = await attacked.middle.put(path, bytes, hashOf(bytes));
    expect(status, what).toBeGreaterThanOrEqual(400);
    expect(status, what).toBeLessThan(500);
    const refusal = JSON.parse(body.toString()) as { code: string; found: string; action: string };
    expect(codes, `${what}: ${body.toString()}`).toContain(refusal.code);
    expect(refusal.found).not.toBe('');
    expect(refusal.action).not.toBe('');
    tried++;
  }
  expect(await inbox()).toEqual(lying);
  return tried;
}

it('changed on its way, cut off, or sealed by a stranger: refused at the door', async () => {
  expect(await refusedAtTheDoor((await forger()).withoutKey())).toBeGreaterThan(70);
  await goesOn();
});

it('for another place: refused at the door', async () => {
  expect(await refusedAtTheDoor((await forger()).misdirected())).toBe(6);
  await goesOn();
});

it('of an epoch before a promotion: refused at the door', async () => {
  const place = await next();
  const bytes = (await forger()).seal();
  await attacked.pair.target.sql('UPDATE srdf.ledger SET epoch = epoch + 1');
  const { status, body } = await attacked.middle.put(pathOf(place), bytes, hashOf(bytes));
  await attacked.pair.target.sql('UPDATE srdf.ledger SET epoch = epoch - 1');
  expect(status).toBe(409);
  expect(JSON.parse(body.toString())).toMatchObject({ code: 'wagon-epoch' });
  await goesOn();
});

it('beyond the next number or of an epoch to come: waits, is never applied, and does not stand in the way', async () => {
  const place = await next();
  const forge = await forger();
  for (const over of [{ sequence: place.sequence + 50 }, { epoch: place.epoch + 1 }]) {
    const there = { ...place, ...over };
    const bytes = (await Forger.of(attacked.keys.source, attacked.keys.target, there)).seal();
    expect((await attacked.middle.put(pathOf(there), bytes, hashOf(bytes))).status).toBe(201);
  }
  expect(forge.seal().length).toBeGreaterThan(0);
  await goesOn();
  for (const name of await inbox()) await rm(join(attacked.pair.directory, 'target-state', 'inbox', name));
});

it('forged with the stolen signing key: a dead letter that says why, before anything of it is applied', async () => {
  const place = await next();
  const forge = await forger();
  let tried = 0;
  for (const { what, codes, found, bytes } of forge.withSigningKey()) {
    const kind = parseHeader(bytes).header.kind;
    expect((await attacked.middle.put(pathOf(place, kind), bytes, hashOf(bytes))).status, what).toBe(201);
    const { outcome, error } = await attacked.pair.attempt();
    expect(outcome, `${what}: ${JSON.stringify(error)}`).toBe('dead-lettered');
    expect(codes, what).toContain(error?.code);
    if (found !== undefined) expect(error?.found, what).toMatch(found);
    expect(await attacked.standing(), what).toBe(before);
    // What an operator does about it: the forgery is taken away, and the stream told to go on.
    for (const name of await inbox()) await rm(join(attacked.pair.directory, 'target-state', 'inbox', name));
    await attacked.pair.must('dead-letters', 'retry', 'shop');
    tried++;
  }
  expect(tried).toBe(24);
  await goesOn();
});

it('while 1,000 strangers hold connections to the receiver: the stream goes on, and the worker stays small', async () => {
  const { middle, pair } = attacked;
  const held: Socket[] = [];
  try {
    for (let round = 0; round < 10; round++)
      held.push(...(await Promise.all(Array.from({ length: 100 }, () => holdOpen(middle.receiverPort)))));
    middle.hangUp();
    await goesOn();
    expect(held.filter((it) => !it.destroyed).length).toBeLessThan(300);
  } finally {
    for (const socket of held) socket.destroy();
  }
  const status = await readFile(`/proc/${pair.workers.target.pid}/status`, 'utf8');
  expect(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024).toBeLessThan(400);
});

it('each one of the past sent again: the receipt again, nothing applied twice', async () => {
  const { middle, pair } = attacked;
  const past = [...middle.passed];
  expect(past.filter((it) => it.path.includes('/changes/')).length).toBeGreaterThan(8);
  for (const kind of ['ddl', 'range', 'schema']) expect(past.some((it) => it.path.includes(`/${kind}/`))).toBe(true);
  const again = async (): Promise<void> => {
    for (const { path, hash, bytes } of past) {
      const { status } = await middle.put(path, bytes, hash);
      expect([200, 201, 403, 409], path).toContain(status);
      // Its bytes at every other wagon's place.
      const other = past.find((it) => it.path !== path && it.hash !== hash);
      if (other !== undefined) expect((await middle.put(other.path, bytes, hash)).status).toBeGreaterThanOrEqual(400);
    }
    expect((await inbox()).some((it) => /\/(range|schema)\//.test(it))).toBe(true);
    for (let cycle = 0; cycle < 2; cycle++) expect((await pair.cycle()).counts.rows).toEqual({ inserted: 0, updated: 0, deleted: 0 });
    // The copy is long done: nothing of it stays in the inbox.
    expect((await inbox()).filter((it) => /\/(range|schema)\//.test(it))).toEqual([]);
    expect(await attacked.standing()).toBe(before);
  };
  await again();
  // A target that has lost its inbox with all receipts knows by its ledger what it has applied.
  await pair.killWorker('target');
  await rm(join(pair.directory, 'target-state', 'inbox'), { recursive: true });
  await pair.startWorker('target');
  await again();
  await goesOn();
});

it('stolen from the spool with all keys of the source: nothing opens', async () => {
  const { middle, keys, pair } = attacked;
  expect(() => createOpener({ ring: keys.source, source: keys.source.bundle, threads: 0 })).toThrow(SrdfError);
  const tlsKey = createHash('sha256').update(keys.source.tls.key).digest();
  const seeds = [keys.source.signingSeed.subarray(0, 32), keys.source.signingSeed.subarray(32, 64), tlsKey, new Uint8Array(32)];
  const { signingPublicKey: publicKey, site, role, notAfter } = keys.source.bundle;
  for (const { bytes } of middle.passed) {
    const { header } = parseHeader(bytes);
    for (const recipientSeed of seeds) {
      const stolen = {
        signers: [{ keyId: header.signerKeyId, publicKey, site, role, notAfter }],
        recipientSeed,
        recipientKeyId: header.recipientKeyId,
      };
      const open = () => openWagon(bytes, { ...EXPECTED, epoch: 1 as Epoch }, stolen, Date.now());
      expect(open).toThrow(expect.objectContaining({ code: 'wagon-sealed-body' }));
    }
    for (const clear of ['changed', 'ALTER TABLE', 'item']) expect(bytes.includes(clear)).toBe(false);
  }
  // With the target's key they open: what failed above was the key alone.
  const opener = createOpener({ ring: keys.target, source: keys.source.bundle, threads: 0 });
  const opened = await opener.open(middle.passed.at(-1)?.bytes ?? new Uint8Array(), { ...EXPECTED, epoch: 1 as Epoch });
  expect(opened.header.stream).toBe('shop');
  await opener.close();
  // The source's key ring has no key that opens, under whatever name.
  expect((await readdir(join(pair.directory, 'source-keys'))).sort()).toEqual([
    'signing.key',
    'site.bundle',
    'tls.crt',
    'tls.key',
    'trusted',
  ]);
  expect(await readFile(join(pair.directory, 'target-keys', 'recipient.key'), 'utf8')).not.toBe('');
});

/** Behind the one that bounds the worker's memory: what a large body leaves there goes when it is next collected. */
it('of 160 MiB: in memory once while it is verified', async () => {
  const { middle, pair } = attacked;
  const place = await next();
  const there = { ...place, sequence: place.sequence + 50 };
  const content = new Uint8Array(randomBytes(160 * 2 ** 20));
  const bytes = (await Forger.of(attacked.keys.source, attacked.keys.target, there)).seal({}, {}, changesBody([content]));
  const send = async (from: number, to: number): Promise<number> => {
    const headers = { 'Srdf-Hash': hashOf(bytes), 'Srdf-Length': String(bytes.length), 'Srdf-Offset': String(from) };
    return (await middle.ask('PUT', pathOf(there), headers, Buffer.from(bytes.subarray(from, to)))).status;
  };
  // All but a byte: what receiving leaves behind in memory isn't counted.
  expect(await send(0, bytes.length - 1)).toBe(202);
  const { pid } = pair.workers.target;
  await forgetPeak(pid);
  const resident = await peakResidentBytes(pid);
  expect(await send(bytes.length - 1, bytes.length)).toBe(201);
  const held = ((await peakResidentBytes(pid)) - resident) / bytes.length;
  expect(held).toBeLessThan(1.5);
  for (const name of await inbox()) await rm(join(pair.directory, 'target-state', 'inbox', name));
  await goesOn();
});
