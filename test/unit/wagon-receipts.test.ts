import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Epoch, Sequence, SiteName, WagonHash } from '../../activities/vocabulary.js';
import type { ReceiptFields } from '../../activities/wagon/contract.js';
import { encodeBody } from '../../activities/wagon/encoding.js';
import { keyId } from '../../activities/wagon/key-bundle.js';
import { trustedPeer } from '../../activities/wagon/key-ring.js';
import { createReceiptIssuer, createReceiptVerifier, NO_RECEIPT, receiptHash } from '../../activities/wagon/receipt.js';
import { sealWagon } from '../../activities/wagon/seal-wagon.js';
import { changesBody, codeOf, FRANKFURT, headerFields, position, SHOP, type TwoSites, twoSites } from './wagon-fixture.js';

let sites: TwoSites;
beforeAll(async () => {
  sites = await twoSites();
});
afterAll(() => sites.remove());

const FIELDS: Omit<ReceiptFields, 'signerKeyId' | 'issuedAt' | 'targetSite'> = {
  stream: SHOP,
  kind: 'changes',
  epoch: 1 as Epoch,
  sequence: 7 as Sequence,
  wagonHash: 'ab'.repeat(32) as WagonHash,
  status: 'applied',
  position: position('server=1;file=bin.000001;offset=400;gtid=0-1-7'),
  reason: '',
  previousReceipt: NO_RECEIPT,
};
const verifier = () => createReceiptVerifier(trustedPeer(sites.source, FRANKFURT));

describe('a receipt', () => {
  it('tells the source what the target signed, and can be chained', () => {
    const issuer = createReceiptIssuer(sites.target, () => 1_700_000_000_000);
    const first = issuer.issue(FIELDS);
    const expected = { ...FIELDS, targetSite: FRANKFURT, signerKeyId: sites.target.signingKeyId, issuedAt: 1_700_000_000_000 };
    expect(verifier().verify(first)).toEqual(expected);
    const refused = { ...FIELDS, status: 'refused', position: null, reason: 'wagon-gap', previousReceipt: receiptHash(first) } as const;
    expect(verifier().verify(issuer.issue(refused))).toMatchObject(refused);
  });

  it('is refused whatever byte is flipped (all of the fields, sampled signature), cut off or longer', async () => {
    const receipt = createReceiptIssuer(sites.target).issue(FIELDS);
    const codes = new Set<string>();
    for (let at = 0; at < receipt.length; at += at < receipt.length - 3373 ? 1 : 97) {
      const flipped = receipt.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      codes.add(await codeOf(() => verifier().verify(flipped)));
    }
    expect([...codes].sort()).toEqual(['receipt-malformed', 'receipt-signature', 'receipt-signer']);
    for (const length of [0, 8, 12, 100, receipt.length - 1])
      expect(await codeOf(() => verifier().verify(receipt.subarray(0, length)))).toBe('receipt-malformed');
    expect(await codeOf(() => verifier().verify(Buffer.concat([receipt, Uint8Array.of(0)])))).toBe('receipt-malformed');
  });

  it('is refused with a zeroed half of its signature', async () => {
    for (const [from, to] of [
      [-3373, -64],
      [-64, undefined],
    ] as const) {
      const receipt = createReceiptIssuer(sites.target).issue(FIELDS);
      receipt.subarray(from, to).fill(0);
      expect(await codeOf(() => verifier().verify(receipt))).toBe('receipt-signature');
    }
  });

  it('is refused from an unknown signer, from a source, of another site, or once the bundle has expired', async () => {
    const bundle = trustedPeer(sites.source, FRANKFURT);
    const receipt = createReceiptIssuer(sites.target).issue(FIELDS);
    expect(await codeOf(() => createReceiptVerifier(sites.source.bundle).verify(receipt))).toBe('receipt-signer');
    expect(await codeOf(() => createReceiptVerifier({ ...bundle, site: 'berlin' as SiteName }).verify(receipt))).toBe('receipt-signer');
    expect(await codeOf(() => createReceiptVerifier({ ...bundle, role: 'source' }).verify(receipt))).toBe('receipt-role');
    expect(await codeOf(() => createReceiptVerifier(bundle, () => bundle.notAfter + 1).verify(receipt))).toBe('key-bundle-expired');
    expect(await codeOf(() => createReceiptIssuer(sites.source))).toBe('key-bundle-refused');
  });

  it('is not a wagon, nor a wagon a receipt', async () => {
    const { recipientPublicKey } = trustedPeer(sites.source, FRANKFURT);
    if (recipientPublicKey === null) throw new Error('a target without a recipient key');
    const keys = {
      signer: sites.source.signing,
      signerKeyId: sites.source.signingKeyId,
      recipientPublicKey,
      recipientKeyId: keyId(recipientPublicKey),
    };
    const wagon = sealWagon(headerFields(), encodeBody(changesBody()), keys).bytes;
    expect(await codeOf(() => verifier().verify(wagon))).toBe('receipt-malformed');
  });
});
