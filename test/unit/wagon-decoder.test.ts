import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKSUM_BYTES, decodeBody, encodeBody } from '../../activities/wagon/encoding.js';
import { parseHeader } from '../../activities/wagon/header.js';
import { decodeBundle } from '../../activities/wagon/key-bundle.js';
import { createReceiptVerifier } from '../../activities/wagon/receipt.js';
import { SrdfError } from '../../temporal/error-catalogue.js';
import { BODIES, codeOf, type TwoSites, twoSites } from './wagon-fixture.js';

/** mulberry32: the same bytes every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Changes a few bytes, makes numbers huge, cuts off, repeats, or makes it all noise. */
function damage(bytes: Uint8Array, random: () => number, from: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  const at = () => from + Math.floor(random() * Math.max(1, copy.length - from));
  switch (Math.floor(random() * 5)) {
    case 0:
      for (let times = 1 + Math.floor(random() * 4); times > 0; times--) copy[at()] = Math.floor(random() * 256);
      return copy;
    case 1:
      copy.fill(0xff, at(), at());
      return copy;
    case 2:
      return copy.subarray(0, at());
    case 3:
      return new Uint8Array(Buffer.concat([copy, copy.subarray(at())]));
    default:
      for (let index = from + 2; index < copy.length; index++) copy[index] = Math.floor(random() * 256);
      return copy;
  }
}

let sites: TwoSites;
beforeAll(async () => {
  sites = await twoSites();
});
afterAll(() => sites.remove());

describe('the decoders', () => {
  it.each(BODIES.map((body, index) => ({ index, kind: body.kind, body })))(
    'take damaged bodies only as bodies again, or refuse them by name ($index $kind)',
    ({ body, index }) => {
      const encoded = encodeBody(body);
      const random = generator(index + 1);
      let refused = 0;
      for (let run = 0; run < 4000; run++) {
        const damaged = damage(encoded, random, CHECKSUM_BYTES);
        try {
          const decoded = decodeBody(damaged);
          // One encoding: what is accepted is exactly what these contents encode to.
          expect(Buffer.from(encodeBody(decoded)).subarray(CHECKSUM_BYTES).equals(damaged.subarray(CHECKSUM_BYTES))).toBe(true);
        } catch (error) {
          if (!(error instanceof SrdfError)) throw error;
          expect(error.code).toBe('wagon-malformed');
          refused++;
        }
      }
      expect(refused).toBeGreaterThan(1000);
    },
  );

  it('refuse noise by name: headers, receipts, bundles, bodies', async () => {
    const random = generator(99);
    const verifier = createReceiptVerifier(sites.target.bundle);
    const starts = {
      SRDFWAGN: (it: Uint8Array) => parseHeader(it),
      SRDFRCPT: (it: Uint8Array) => verifier.verify(it),
      SRDFKEYS: (it: Uint8Array) => decodeBundle(it),
    };
    for (const [magic, read] of Object.entries(starts)) {
      for (let run = 0; run < 2000; run++) {
        const noise = Uint8Array.from({ length: Math.floor(random() * 600) }, () => Math.floor(random() * (run % 2 === 0 ? 256 : 3)));
        noise.set(Buffer.from(magic).subarray(0, noise.length), 0);
        if (noise.length > 12) noise.set([1, 0, 1, 0], 8);
        await codeOf(() => read(noise));
      }
    }
    expect(await codeOf(() => decodeBody(new Uint8Array(0)))).toBe('wagon-malformed');
  });

  it('refuse a declared length before they allocate for it', async () => {
    const encoded = encodeBody(BODIES[1] ?? BODIES[0] ?? raise());
    // rowFormat's length, then the number of tables, of runs and of net effects stand behind six 8-byte counts.
    for (const at of [0, 10, 14, 18]) {
      const huge = new Uint8Array(encoded);
      huge.fill(0xff, CHECKSUM_BYTES + 2 + 48 + at, CHECKSUM_BYTES + 2 + 48 + at + 4);
      const before = process.memoryUsage().arrayBuffers;
      expect(await codeOf(() => decodeBody(huge))).toBe('wagon-malformed');
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
    }
  });
});

function raise(): never {
  throw new RangeError('no body');
}
