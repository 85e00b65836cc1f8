import { createHash, createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CipherSuite, ExportOnly, HkdfSha256 } from '@hpke/core';
import { XWing } from '@hpke/hybridkem-x-wing';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import sodium from 'libsodium-wrappers';
import { beforeAll, describe, expect, it } from 'vitest';
import { openSigningKey, SIGNATURE_BYTES, verifyComposite, verifySignature } from '../../activities/wagon/composite-signature.js';
import { decapsulate, encapsulate, exporterSecret, exportKey, hpkeReady, recipientPublicKey } from '../../activities/wagon/hpke.js';
import { nativeMlDsa } from '../../activities/wagon/native-ml-dsa.js';
import { nativeStream, openStream, sealedLength, sealStream, wasmStream } from '../../activities/wagon/secretstream.js';

beforeAll(() => hpkeReady());
const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const opened = (secret: Uint8Array | null): Uint8Array => {
  if (secret === null) throw new Error('refused');
  return secret;
};
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('X-Wing', () => {
  // draft-connolly-cfrg-xwing-kem, appendix "Test vectors", the first; the long values by their SHA-256.
  const seed = hex('7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26');
  const coins = hex(
    '3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e235b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2',
  );
  const shared = 'd2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384';

  it("gives the draft's public key, ciphertext and secret", () => {
    const publicKey = recipientPublicKey(seed);
    expect(sha256(publicKey)).toBe('2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb');
    const { ciphertext, sharedSecret } = sodium.crypto_kem_xwing_enc_deterministic(publicKey, coins);
    expect(Buffer.from(sharedSecret).toString('hex')).toBe(shared);
    expect(Buffer.from(sodium.crypto_kem_xwing_dec(ciphertext, seed)).toString('hex')).toBe(shared);
  });
});

describe('HPKE base mode with KEM 0x647a, export only', () => {
  const suite = new CipherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: new ExportOnly() });
  const info = Buffer.from('srdf/wagon/v1 and a header hash', 'ascii');
  const arrayBuffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

  it('opens what another implementation encapsulates, and the other way round', async () => {
    const seed = new Uint8Array(randomBytes(32));
    const publicKey = await suite.kem.deserializePublicKey(arrayBuffer(recipientPublicKey(seed)));
    const sender = await suite.createSenderContext({ recipientPublicKey: publicKey, info: arrayBuffer(info) });
    const theirs = new Uint8Array(await sender.export(arrayBuffer(Buffer.from('body')), 32));
    const ours = exportKey(opened(decapsulate(new Uint8Array(sender.enc), seed, info)), 'body');
    expect(Buffer.from(ours).toString('hex')).toBe(Buffer.from(theirs).toString('hex'));

    const sent = encapsulate(recipientPublicKey(seed), info);
    const privateKey = await suite.kem.deserializePrivateKey(arrayBuffer(seed));
    const recipient = await suite.createRecipientContext({
      recipientKey: privateKey,
      enc: arrayBuffer(sent.ciphertext),
      info: arrayBuffer(info),
    });
    const exported = new Uint8Array(await recipient.export(arrayBuffer(Buffer.from('body')), 32));
    expect(Buffer.from(exportKey(sent.exporterSecret, 'body')).toString('hex')).toBe(Buffer.from(exported).toString('hex'));
  });

  it('gives another key for another header, another use and another private key', () => {
    const seed = new Uint8Array(32).fill(1);
    const { ciphertext, exporterSecret: sent } = encapsulate(recipientPublicKey(seed), info);
    const keys = [
      exportKey(sent, 'body'),
      exportKey(sent, 'other'),
      exportKey(opened(decapsulate(ciphertext, seed, Buffer.from('another header'))), 'body'),
      exportKey(opened(decapsulate(ciphertext, new Uint8Array(32).fill(2), info)), 'body'),
      exportKey(exporterSecret(new Uint8Array(32), info), 'body'),
    ];
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(keys.length);
    expect(exportKey(opened(decapsulate(ciphertext, seed, info)), 'body')).toEqual(keys[0]);
  });
});

describe('the composite signature id-MLDSA65-Ed25519-SHA512', () => {
  const vector: Record<'m' | 'ctx' | 'pk' | 'sk' | 's' | 'sWithContext', string> = JSON.parse(
    readFileSync(new URL('./vectors/composite-mldsa65-ed25519-sha512.json', import.meta.url), 'utf8'),
  );
  const bytes = (name: keyof typeof vector) => new Uint8Array(Buffer.from(vector[name], 'base64'));

  it("verifies the draft's test vector, with and without a context", () => {
    expect(verifyComposite(bytes('pk'), bytes('m'), bytes('s'), new Uint8Array(0))).toBe(true);
    expect(verifyComposite(bytes('pk'), bytes('m'), bytes('sWithContext'), bytes('ctx'))).toBe(true);
    expect(verifyComposite(bytes('pk'), bytes('m'), bytes('s'), bytes('ctx'))).toBe(false);
    expect(verifyComposite(bytes('pk'), bytes('m'), bytes('sWithContext'), new Uint8Array(0))).toBe(false);
  });

  it("derives the draft's public key from its private key", () => {
    expect(Buffer.from(openSigningKey(bytes('sk')).publicKey).equals(bytes('pk'))).toBe(true);
  });

  it('signs so that each half verifies on its own, with other code, over the representative of the draft', () => {
    const key = openSigningKey(bytes('sk'));
    const message = Buffer.from('a wagon');
    const signature = key.sign(message, 'srdf/wagon/v1');
    const context = Buffer.from('srdf/wagon/v1');
    const label = Buffer.from('COMPSIG-MLDSA65-Ed25519-SHA512');
    const representative = Buffer.concat([
      Buffer.from('436f6d706f73697465416c676f726974686d5369676e61747572657332303235', 'hex'),
      label,
      Uint8Array.of(context.length),
      context,
      createHash('sha512').update(message).digest(),
    ]);
    expect(ml_dsa65.verify(signature.subarray(0, 3309), representative, key.publicKey.subarray(0, 1952), { context: label })).toBe(true);
    const ed25519 = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key.publicKey.subarray(1952)).toString('base64url') },
      format: 'jwk',
    });
    expect(verify(null, representative, ed25519, signature.subarray(3309))).toBe(true);
  });

  it('refuses when either half is another, zeroed or of another use', () => {
    const key = openSigningKey(new Uint8Array(64).fill(3));
    const other = openSigningKey(new Uint8Array(64).fill(4));
    const message = Buffer.from('a wagon');
    const good = key.sign(message, 'srdf/wagon/v1');
    const with_ = (change: (signature: Uint8Array) => void) => {
      const signature = good.slice();
      change(signature);
      return verifySignature(key.publicKey, message, signature, 'srdf/wagon/v1');
    };
    expect(with_(() => undefined)).toBe(true);
    expect(with_((it) => it.fill(0, 0, 3309))).toBe(false);
    expect(with_((it) => it.fill(0, 3309))).toBe(false);
    const foreign = other.sign(message, 'srdf/wagon/v1');
    expect(with_((it) => it.set(foreign.subarray(0, 3309), 0))).toBe(false);
    expect(with_((it) => it.set(foreign.subarray(3309), 3309))).toBe(false);
    for (const context of ['srdf/receipt/v1', 'srdf/keybundle/v1', 'srdf/journal/v1'] as const) {
      expect(verifySignature(key.publicKey, message, good, context)).toBe(false);
    }
    expect(verifySignature(key.publicKey, message, good.subarray(1), 'srdf/wagon/v1')).toBe(false);
    expect(verifySignature(new Uint8Array(1984), message, good, 'srdf/wagon/v1')).toBe(false);
    expect(good.length).toBe(SIGNATURE_BYTES);
  });

  it("uses Node's own ML-DSA exactly where Node has it", () => {
    let has = true;
    try {
      generateKeyPairSync('ml-dsa-65' as 'ed25519');
    } catch {
      has = false;
    }
    expect(nativeMlDsa() !== null).toBe(has);
  });
});

describe('the secret stream', () => {
  const key = new Uint8Array(32).fill(9);
  const header = Buffer.from('header');
  const native = nativeStream();

  it.skipIf(native === null)('has the same bytes in its native and its WebAssembly form', () => {
    if (native === null) return;
    const plain = new Uint8Array(randomBytes(600_000));
    for (const [seal, open] of [
      [native, wasmStream],
      [wasmStream, native],
    ] as const) {
      const sealed = new Uint8Array(sealedLength(plain.length));
      sealStream(seal, key, header, plain, sealed);
      expect(Buffer.from(openStream(open, key, header, sealed, plain.length) ?? []).equals(plain)).toBe(true);
    }
  });

  it.each([{ stream: native ?? wasmStream }, { stream: wasmStream }])(
    'opens only whole, in order, to its end, under its header: $stream.name',
    ({ stream }) => {
      const chunk = 256 * 1024;
      const plain = new Uint8Array(randomBytes(3 * chunk));
      const sealed = new Uint8Array(sealedLength(plain.length));
      sealStream(stream, key, header, plain, sealed);
      const cut = chunk + 17;
      const part = (index: number) => sealed.subarray(24 + index * cut, 24 + (index + 1) * cut);
      const opens = (bytes: Uint8Array, length: number, as = header) => openStream(stream, key, as, bytes, length) !== null;
      const start = sealed.subarray(0, 24);
      expect(opens(sealed, plain.length)).toBe(true);
      expect(opens(sealed, plain.length, Buffer.from('Header'))).toBe(false);
      expect(opens(Buffer.concat([start, part(0), part(2)]), 2 * chunk)).toBe(false); // dropped
      expect(opens(Buffer.concat([start, part(0), part(1)]), 2 * chunk)).toBe(false); // cut off before the end
      expect(opens(Buffer.concat([start, part(0), part(0), part(1), part(2)]), 4 * chunk)).toBe(false); // doubled
      expect(opens(Buffer.concat([start, part(1), part(0), part(2)]), 3 * chunk)).toBe(false); // reordered
      expect(opens(Buffer.concat([sealed, part(2)]), 4 * chunk)).toBe(false); // something after the end
      expect(opens(sealed.subarray(0, -1), plain.length)).toBe(false);
    },
  );

  it('carries an empty body as one empty final chunk', () => {
    const sealed = new Uint8Array(sealedLength(0));
    sealStream(wasmStream, key, header, new Uint8Array(0), sealed);
    expect(sealed.length).toBe(24 + 17);
    expect(openStream(wasmStream, key, header, sealed, 0)).toEqual(new Uint8Array(0));
  });
});
