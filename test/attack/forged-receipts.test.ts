/** Receipts that aren't the target's word on this very wagon: the source keeps the wagon, says what is wrong, and goes on with the true one. */
import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Epoch, StreamName, WagonHash } from '../../activities/vocabulary.js';
import { openSigningKey, SIGNATURE_BYTES } from '../../activities/wagon/composite-signature.js';
import type { ReceiptFields } from '../../activities/wagon/contract.js';
import { keyId } from '../../activities/wagon/key-bundle.js';
import { createReceiptIssuer, createReceiptVerifier } from '../../activities/wagon/receipt.js';
import { signedDigest } from '../../activities/wagon/transcript.js';
import { type AttackedPair, startAttackedPair } from './attacked-pair.js';
import type { Answer, Asked } from './man-in-the-middle.js';

/** The ML-DSA-65 half of a composite signature (FIPS 204); the rest is Ed25519's. */
const ML_DSA_BYTES = 3309;

let attacked: AttackedPair;
/** An old true receipt, and one for each status of the wagon that is shipped now. */
const kept: Buffer[] = [];
let rows = 2;
beforeAll(async () => {
  attacked = await startAttackedPair();
  attacked.middle.forge = ({ path }, { status, body }) => {
    if (status === 200 && path.endsWith('/receipts/applied')) kept.push(body);
    return null;
  };
  await attacked.pair.source.sql(`INSERT INTO shop.item VALUES (${++rows}, 'kept')`);
  await attacked.pair.waitConfirmed();
  expect(kept.length).toBeGreaterThan(0);
}, 240_000);
afterAll(async () => await attacked?.remove());
/** Sealed wagons that the source keeps. */
const spooled = async (): Promise<number> =>
  (await readdir(join(attacked.pair.directory, 'source-state', 'spool'), { recursive: true })).filter((it) => it.endsWith('.wagon')).length;
beforeEach(async () => {
  expect(await spooled()).toBe(0);
  await attacked.pair.source.sql(`INSERT INTO shop.item VALUES (${++rows}, 'x')`);
});
/** The honest receipt is accepted after all, and nothing was lost or doubled meanwhile. */
afterEach(async () => {
  attacked.middle.forge = () => null;
  await attacked.pair.waitConfirmed();
  expect((await attacked.pair.compareBySql()).differences).toEqual([]);
  expect(await spooled()).toBe(0);
});

type Forge = (honest: Buffer) => Uint8Array;
const stranger = openSigningKey(new Uint8Array(randomBytes(64)));
const copy = (honest: Buffer, change: (it: Buffer) => void): Buffer => {
  const it = Buffer.from(honest);
  change(it);
  return it;
};
/** Signed anew, under the name that is in it. */
const signedBy =
  (
    signer: { sign(message: Uint8Array, context: 'srdf/receipt/v1' | 'srdf/wagon/v1'): Uint8Array },
    as?: string,
    context: 'srdf/receipt/v1' | 'srdf/wagon/v1' = 'srdf/receipt/v1',
  ): Forge =>
  (honest) =>
    copy(honest, (it) => {
      if (as !== undefined) it.set(Buffer.from(as, 'hex'), it.indexOf(Buffer.from(attacked.keys.target.signingKeyId, 'hex')));
      const signatureAt = it.length - SIGNATURE_BYTES;
      it.set(signer.sign(signedDigest(it.subarray(0, signatureAt)), context), signatureAt);
    });
/** What the target itself would sign, were it asked for another thing. */
const says =
  (change: Partial<ReceiptFields>): Forge =>
  (honest) => {
    const { signerKeyId: _, issuedAt: __, targetSite: ___, ...fields } = createReceiptVerifier(attacked.keys.target.bundle).verify(honest);
    return createReceiptIssuer(attacked.keys.target).issue({ ...fields, ...change });
  };
const flipped =
  (part: (honest: Buffer) => number): Forge =>
  (honest) =>
    copy(honest, (it) => it.writeUInt8(it.readUInt8(part(it)) ^ 1, part(it)));

type Case = [string, string, Forge];
const cases: Case[] = [
  ['signed by a stranger', 'receipt-signer', (it) => signedBy(stranger, keyId(stranger.publicKey))(it)],
  ["signed by a stranger in the target's name", 'receipt-signature', (it) => signedBy(stranger)(it)],
  ['signed by the source itself', 'receipt-signer', (it) => signedBy(attacked.keys.source.signing, attacked.keys.source.signingKeyId)(it)],
  [
    "signed by the target's key, as if it were a wagon",
    'receipt-signature',
    (it) => signedBy(attacked.keys.target.signing, undefined, 'srdf/wagon/v1')(it),
  ],
  [
    'with the post-quantum half of its signature zeroed',
    'receipt-signature',
    (it) => copy(it, (r) => r.fill(0, r.length - SIGNATURE_BYTES, r.length - SIGNATURE_BYTES + ML_DSA_BYTES)),
  ],
  [
    'with the classical half of its signature zeroed',
    'receipt-signature',
    (it) => copy(it, (r) => r.fill(0, r.length - SIGNATURE_BYTES + ML_DSA_BYTES)),
  ],
  [
    'with the halves of its signature from two receipts',
    'receipt-signature',
    (it) => copy(it, (r) => r.set((kept[0] ?? r).subarray(-SIGNATURE_BYTES, -SIGNATURE_BYTES + ML_DSA_BYTES), r.length - SIGNATURE_BYTES)),
  ],
  ['of another suite', 'receipt-malformed', flipped(() => 10)],
  ['of another version', 'receipt-malformed', flipped(() => 8)],
  [
    'with a bit flipped in the hash it speaks of',
    'receipt-signature',
    flipped((it) => it.indexOf(Buffer.from(attacked.keys.target.signingKeyId, 'hex')) - 64),
  ],
  ['cut off', 'receipt-malformed', (it) => it.subarray(0, -1)],
  ['with a byte behind it', 'receipt-malformed', (it) => Buffer.concat([it, Buffer.of(0)])],
  ['empty', 'receipt-malformed', () => Buffer.alloc(0)],
  ['a true one of an earlier wagon', 'receipt-mismatch', (it) => kept[0] ?? it],
  ['a true one for other bytes', 'receipt-mismatch', says({ wagonHash: createHash('sha256').update('other').digest('hex') as WagonHash })],
  ['a true one of another stream', 'receipt-mismatch', says({ stream: 'crm' as StreamName })],
  ['a true one of another epoch', 'receipt-mismatch', says({ epoch: 2 as Epoch })],
  ['a true one that the wagon was refused', 'receipt-mismatch', says({ status: 'refused', reason: 'wagon-scope' })],
];

type Where = (asked: Asked, honest: Answer) => boolean;
/** The source refuses it, says why, and keeps the wagon. */
async function refuses([what, code, forge]: Case, where: Where): Promise<void> {
  attacked.middle.forge = (asked, honest) => (where(asked, honest) ? { ...honest, body: Buffer.from(forge(honest.body)) } : null);
  const { outcome, error } = await attacked.pair.attempt();
  expect(error, what).toMatchObject({ code });
  expect(outcome, what).not.toBe('replicated');
  expect(error?.action, what).not.toBe('');
  expect(await spooled(), what).toBe(1);
}

it('for what was sent: the wagon is not taken for received', async () => {
  const ofArrival = cases.filter((_, at) => at % 3 === 0);
  for (const it of [...ofArrival, ['a wagon', 'receipt-malformed', () => attacked.middle.passed[0]?.bytes ?? Buffer.of(1)] as Case]) {
    await refuses(it, ({ method }, { status }) => method === 'PUT' && status <= 201);
    // It has arrived all the same: the next cycle finds it at the target and needs no word on its arrival.
    attacked.middle.forge = () => null;
    expect(await attacked.pair.cycle()).toMatchObject({ outcome: 'replicated' });
    await attacked.pair.source.sql(`INSERT INTO shop.item VALUES (${++rows}, 'x')`);
  }
});

it('that would let the source forget a wagon: it stays', async () => {
  for (const it of [...cases, ['only of its arrival', 'receipt-mismatch', says({ status: 'received', position: null })] as Case])
    await refuses(it, ({ path }, { status }) => status === 200 && path.endsWith('/receipts/applied'));
});

it('that an operator has left the wagon out, forged where there is no other: it stays', async () => {
  const discarded = says({ status: 'refused', reason: 'discarded' });
  const missing = Buffer.from(JSON.stringify({ code: 'wagon-missing', found: 'none', action: 'none' }));
  for (const [code, forge] of [
    ['receipt-signature', (it) => copy(Buffer.from(discarded(it)), (r) => r.fill(0, r.length - 64))],
    ['receipt-mismatch', discarded],
  ] as [string, Forge][]) {
    attacked.middle.forge = ({ path }, honest) => {
      if (path.endsWith('/receipts/applied')) return { ...honest, status: 404, body: missing };
      return path.endsWith('/receipts/refused') ? { ...honest, status: 200, body: Buffer.from(forge(kept[0] ?? Buffer.of())) } : null;
    };
    expect((await attacked.pair.attempt()).error).toMatchObject({ code });
    expect(await spooled()).toBe(1);
  }
});
