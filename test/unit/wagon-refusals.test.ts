import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import zstd from 'zstd-napi/binding.js';
import type { Epoch, SiteName, StreamName, WagonHash } from '../../activities/vocabulary.js';
import { openSigningKey, SIGNATURE_BYTES, type SigningKey } from '../../activities/wagon/composite-signature.js';
import type { HeaderFields, WagonExpectation, WagonOpener } from '../../activities/wagon/contract.js';
import { encodeBody, putChecksum } from '../../activities/wagon/encoding.js';
import { parseHeader } from '../../activities/wagon/header.js';
import { KEM_CIPHERTEXT_BYTES } from '../../activities/wagon/hpke.js';
import { keyId } from '../../activities/wagon/key-bundle.js';
import { generateSiteKeys, loadKeyRing, readBundle, trustBundle, trustedPeer } from '../../activities/wagon/key-ring.js';
import { createOpener } from '../../activities/wagon/opener.js';
import { createReceiptIssuer, NO_RECEIPT } from '../../activities/wagon/receipt.js';
import { type SealingKeys, sealCompressed, sealWagon, signInPlace } from '../../activities/wagon/seal-wagon.js';
import { CHUNK_BYTES, CHUNK_OVERHEAD_BYTES, STREAM_HEADER_BYTES } from '../../activities/wagon/secretstream.js';
import { BODIES, changesBody, codeOf, EXPECTED, FRANKFURT, headerFields, PARIS, SHOP, type TwoSites, twoSites } from './wagon-fixture.js';

let sites: TwoSites;
let opener: WagonOpener;
let keys: SealingKeys;
let stranger: SigningKey;
beforeAll(async () => {
  sites = await twoSites();
  const { recipientPublicKey } = trustedPeer(sites.source, FRANKFURT);
  if (recipientPublicKey === null) throw new Error('a target without a recipient key');
  keys = {
    signer: sites.source.signing,
    signerKeyId: sites.source.signingKeyId,
    recipientPublicKey,
    recipientKeyId: keyId(recipientPublicKey),
  };
  opener = createOpener({ ring: sites.target, source: trustedPeer(sites.target, PARIS), threads: 0 });
  stranger = openSigningKey(new Uint8Array(randomBytes(64)));
});
afterAll(async () => {
  await opener.close();
  await sites.remove();
});

const seal = (header: Partial<HeaderFields> = {}, over: Partial<SealingKeys> = {}, body = changesBody()) =>
  sealWagon(headerFields({ kind: body.kind, ...header }), encodeBody(body), { ...keys, ...over }).bytes;
const opening = (wagon: Uint8Array, expectation: WagonExpectation = EXPECTED) => codeOf(() => opener.open(wagon, expectation));
/** Changed, and signed again by the honest source: what only its own defect or theft of its key could bring. */
const resigned = (wagon: Uint8Array, change: (wagon: Uint8Array) => void) => {
  const copy = wagon.slice();
  change(copy);
  signInPlace(copy, keys.signer);
  return copy;
};

describe('an untouched wagon', () => {
  it('is accepted, so that every refusal below is about what was done to it', async () => {
    expect((await opener.open(seal(), EXPECTED)).body.kind).toBe('changes');
  });
});

describe('a wagon changed on its way is refused', () => {
  it('whatever byte of its header is flipped', async () => {
    const wagon = seal();
    const { headerBytes } = parseHeader(wagon);
    const codes = new Map<string, number>();
    for (let at = 0; at < headerBytes; at++) {
      const flipped = wagon.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      const code = await opening(flipped);
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    expect([...codes.keys()].sort()).toEqual(['wagon-malformed', 'wagon-signature', 'wagon-signer', 'wagon-suite', 'wagon-too-large']);
  });

  it('whatever byte of its key, body or signature is flipped (sampled)', async () => {
    const wagon = seal({}, {}, changesBody([new Uint8Array(randomBytes(50_000))]));
    const { headerBytes } = parseHeader(wagon);
    for (let sample = 0; sample < 40; sample++) {
      const at = headerBytes + Math.floor(((wagon.length - headerBytes) * sample) / 40);
      const flipped = wagon.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      expect(await opening(flipped)).toBe('wagon-signature');
    }
  });

  it('when cut off anywhere, or longer', async () => {
    const wagon = seal();
    for (const length of [0, 7, 15, 16, 100, 400, wagon.length - SIGNATURE_BYTES, wagon.length - 1]) {
      expect(await opening(wagon.subarray(0, length))).toBe('wagon-malformed');
    }
    expect(await opening(Buffer.concat([wagon, Uint8Array.of(0)]))).toBe('wagon-malformed');
  });

  it('when either half of its signature is zeroed', async () => {
    for (const [from, to] of [
      [0, 3309],
      [3309, SIGNATURE_BYTES],
    ] as const) {
      const wagon = seal();
      wagon.fill(0, wagon.length - SIGNATURE_BYTES + from, wagon.length - SIGNATURE_BYTES + to);
      expect(await opening(wagon)).toBe('wagon-signature');
    }
  });

  it('when its suite or format is another, even signed', async () => {
    for (const at of [8, 10]) expect(await opening(resigned(seal(), (it) => it.fill(2, at, at + 1)))).toBe('wagon-suite');
  });
});

describe('a wagon wrongly sealed and yet signed is refused', () => {
  it('when its key, a half of it or its body is zeroed', async () => {
    const wagon = seal();
    const { headerBytes } = parseHeader(wagon);
    const body = headerBytes + KEM_CIPHERTEXT_BYTES;
    // The X25519 half is the last 32 bytes of the X-Wing ciphertext.
    for (const [from, to] of [
      [headerBytes, body],
      [headerBytes, body - 32],
      [body - 32, body],
      [body, body + STREAM_HEADER_BYTES],
      [body + STREAM_HEADER_BYTES, body + STREAM_HEADER_BYTES + 20],
    ] as const) {
      expect(await opening(resigned(wagon, (it) => it.fill(0, from, to)))).toBe('wagon-sealed-body');
    }
  });

  it('when it carries the body of another wagon', async () => {
    const one = seal();
    const two = seal();
    const { headerBytes } = parseHeader(one);
    expect(
      await opening(resigned(one, (it) => it.set(two.subarray(headerBytes + KEM_CIPHERTEXT_BYTES), headerBytes + KEM_CIPHERTEXT_BYTES))),
    ).toBe('wagon-sealed-body');
    // With its key too: that key is bound to the other header.
    const other = seal({ sequence: 2 as HeaderFields['sequence'] });
    expect(await opening(resigned(one, (it) => it.set(other.subarray(headerBytes), headerBytes)))).toBe('wagon-sealed-body');
  });

  it('when chunks are exchanged or doubled', async () => {
    const wagon = seal({}, {}, changesBody([new Uint8Array(randomBytes(3 * CHUNK_BYTES))]));
    const first = parseHeader(wagon).headerBytes + KEM_CIPHERTEXT_BYTES + STREAM_HEADER_BYTES;
    const size = CHUNK_BYTES + CHUNK_OVERHEAD_BYTES;
    const chunk = (index: number) => wagon.slice(first + index * size, first + (index + 1) * size);
    const exchanged = resigned(wagon, (it) => {
      it.set(chunk(1), first);
      it.set(chunk(0), first + size);
    });
    expect(await opening(exchanged)).toBe('wagon-sealed-body');
    expect(await opening(resigned(wagon, (it) => it.set(chunk(0), first + size)))).toBe('wagon-sealed-body');
  });

  it('when a chunk is dropped, a chunk follows the last, or a length in the header is another', async () => {
    const wagon = seal({}, {}, changesBody([new Uint8Array(randomBytes(3 * CHUNK_BYTES))]));
    const { headerBytes, header } = parseHeader(wagon);
    const first = headerBytes + KEM_CIPHERTEXT_BYTES + STREAM_HEADER_BYTES;
    const size = CHUNK_BYTES + CHUNK_OVERHEAD_BYTES;
    // compressedBytes stands at byte 52: made to agree, since another length is malformed already.
    const withLength = (parts: readonly Uint8Array[], compressedBytes: number) =>
      resigned(new Uint8Array(Buffer.concat(parts)), (it) => new DataView(it.buffer).setBigUint64(52, BigInt(compressedBytes), true));
    expect(new DataView(wagon.buffer, wagon.byteOffset).getBigUint64(52, true)).toBe(BigInt(header.compressedBytes));
    const dropped = withLength([wagon.subarray(0, first + size), wagon.subarray(first + 2 * size)], header.compressedBytes - CHUNK_BYTES);
    expect(await opening(dropped)).toBe('wagon-sealed-body');
    const after = withLength(
      [wagon.subarray(0, -SIGNATURE_BYTES), wagon.subarray(first, first + size), wagon.subarray(-SIGNATURE_BYTES)],
      header.compressedBytes + CHUNK_BYTES,
    );
    expect(await opening(after)).toBe('wagon-sealed-body');
  });

  it('when it decompresses to more than declared, or is no zstd, or less', async () => {
    const plain = new Uint8Array(64 * 2 ** 20);
    const bomb = new Uint8Array(zstd.compressBound(plain.length));
    const compressed = bomb.subarray(0, zstd.compress(bomb, plain, 1));
    expect(compressed.length).toBeLessThan(100_000);
    const wagon = (bytes: Uint8Array, plainBytes: number) => sealCompressed(headerFields(), bytes, plainBytes, keys).bytes;
    expect(await opening(wagon(compressed, 1000))).toBe('wagon-too-large');
    expect(await opening(wagon(compressed, plain.length + 1))).toBe('wagon-sealed-body');
    expect(await opening(wagon(new Uint8Array(randomBytes(1000)), 1000))).toBe('wagon-sealed-body');
    // Two frames, of which the first alone is as long as declared.
    expect(await opening(wagon(Buffer.concat([compressed, compressed]), plain.length))).toBe('wagon-too-large');
    expect(await codeOf(() => wagon(compressed, 257 * 2 ** 20))).toBe('wagon-too-large');
  });

  it('when the checksum inside is not that of the body, or the kind outside not that of the body inside', async () => {
    const encoded = encodeBody(changesBody());
    putChecksum(encoded);
    encoded[40] = (encoded[40] ?? 0) ^ 1;
    const into = new Uint8Array(zstd.compressBound(encoded.length));
    const compressed = into.subarray(0, zstd.compress(into, encoded, 1));
    expect(await opening(sealCompressed(headerFields(), compressed, encoded.length, keys).bytes)).toBe('wagon-checksum');
    expect(await opening(sealWagon(headerFields({ kind: 'ddl' }), encodeBody(changesBody()), keys).bytes)).toBe('wagon-malformed');
  });
});

describe('a wagon of the wrong hand or for another place is refused', () => {
  it('of an unknown signer, and of one who gives the name of a known key', async () => {
    expect(await opening(seal({}, { signer: stranger, signerKeyId: keyId(stranger.publicKey) }))).toBe('wagon-signer');
    expect(await opening(seal({}, { signer: stranger }))).toBe('wagon-signature');
  });
  it("signed by the target's own key, which is for receipts", async () => {
    expect(await opening(seal({}, { signer: sites.target.signing, signerKeyId: sites.target.signingKeyId }))).toBe('wagon-role');
  });
  it('of a source site that the signing key is not of', async () => {
    expect(await opening(seal({ sourceSite: 'lyon' as SiteName }))).toBe('wagon-signer');
  });
  it('for another stream, target or source', async () => {
    expect(await opening(seal(), { ...EXPECTED, stream: 'crm' as StreamName })).toBe('wagon-destination');
    expect(await opening(seal({ targetSite: 'berlin' as SiteName }))).toBe('wagon-destination');
    expect(await opening(seal(), { ...EXPECTED, sourceSite: 'lyon' as SiteName })).toBe('wagon-destination');
  });
  it('from before a promotion', async () => {
    expect(await opening(seal(), { ...EXPECTED, epoch: 2 as Epoch })).toBe('wagon-epoch');
    expect((await opener.verify(seal({ epoch: 3 as Epoch }), { ...EXPECTED, epoch: 2 as Epoch })).header.epoch).toBe(3);
  });
  it('sealed for a key that is not held here any more', async () => {
    const directory = `${sites.directory}/frankfurt-before`;
    await generateSiteKeys(directory, { site: FRANKFURT, role: 'target' });
    const { recipient, bundle } = await loadKeyRing(directory);
    if (recipient === null || bundle.recipientPublicKey === null) throw new Error('a target without a recipient key');
    const retired = { recipientPublicKey: bundle.recipientPublicKey, recipientKeyId: recipient.keyId };
    expect(await opening(seal({}, retired))).toBe('wagon-recipient');
    // It says it is for our key and isn't: only the sealed body can tell.
    expect(await opening(seal({}, { recipientPublicKey: bundle.recipientPublicKey }))).toBe('wagon-sealed-body');
  });
  it('once the bundle of its source has expired', async () => {
    const source = trustedPeer(sites.target, PARIS);
    const late = createOpener({ ring: sites.target, source, threads: 0, now: () => source.notAfter + 1 });
    expect(await codeOf(() => late.open(seal(), EXPECTED))).toBe('key-bundle-expired');
  });
  it('when it is a receipt or a key bundle', async () => {
    const receipt = createReceiptIssuer(sites.target).issue({
      stream: SHOP,
      kind: 'changes',
      epoch: 1 as Epoch,
      sequence: 1 as HeaderFields['sequence'],
      wagonHash: 'ab'.repeat(32) as WagonHash,
      status: 'applied',
      position: null,
      reason: '',
      previousReceipt: NO_RECEIPT,
    });
    expect(await opening(receipt)).toBe('wagon-malformed');
    expect(await opening(await readBundle(`${sites.directory}/paris`))).toBe('wagon-malformed');
  });
  it('with a signature of its own key made for a receipt', async () => {
    const wagon = seal();
    const asReceipt: SigningKey = { publicKey: keys.signer.publicKey, sign: (message) => keys.signer.sign(message, 'srdf/receipt/v1') };
    signInPlace(wagon, asReceipt);
    expect(await opening(wagon)).toBe('wagon-signature');
  });
  it('and the source cannot be made to seal for a site whose bundle it does not trust', async () => {
    expect(await codeOf(() => trustedPeer(sites.source, 'berlin' as SiteName))).toBe('key-missing');
    await expect(trustBundle(`${sites.directory}/paris`, await readBundle(`${sites.directory}/paris`))).rejects.toMatchObject({
      code: 'key-bundle-refused',
    });
  });
});

describe('a header is refused', () => {
  const fields: [string, Partial<HeaderFields>][] = [
    ['in a train that moves the position before its last wagon', { train: { index: 0, last: false } }],
    ['of a statement in a train', { kind: 'ddl', train: { index: 1, last: true } }],
    ['of a range in the chain', { kind: 'range', previousHash: 'ab'.repeat(32) as WagonHash }],
    ['with epoch 0', { epoch: 0 as Epoch }],
    ['with sequence 0', { sequence: 0 as HeaderFields['sequence'] }],
    ['with a name that is none', { stream: '../shop' as StreamName }],
  ];
  it.each(fields)('%s', async (_, over) => {
    expect(await codeOf(() => seal(over))).toBe('wagon-malformed');
  });
  it('of any body kind it is not', async () => {
    for (const body of BODIES)
      expect((await opener.open(sealWagon(headerFields({ kind: body.kind }), encodeBody(body), keys).bytes, EXPECTED)).body.kind).toBe(
        body.kind,
      );
  });
});
