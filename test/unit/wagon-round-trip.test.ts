import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RowImages } from '../../activities/engines/changes.js';
import { imageAt } from '../../activities/engines/row-images.js';
import { NO_WAGON } from '../../activities/vocabulary.js';
import type { WagonBody } from '../../activities/wagon/body.js';
import type { WagonOpener, WagonSealer } from '../../activities/wagon/contract.js';
import { parseHeader } from '../../activities/wagon/header.js';
import { trustedPeer } from '../../activities/wagon/key-ring.js';
import { createOpener } from '../../activities/wagon/opener.js';
import { createSealer } from '../../activities/wagon/sealer.js';
import { BODIES, changesBody, EXPECTED, FRANKFURT, headerFields, PARIS, type TwoSites, twoSites } from './wagon-fixture.js';

let sites: TwoSites;
beforeAll(async () => {
  sites = await twoSites();
});
afterAll(() => sites.remove());

/** Row images as lists of bytes, since two runs may share one block. */
function readable(body: WagonBody): unknown {
  return JSON.parse(
    JSON.stringify(body, (_, value) => {
      if (value !== null && typeof value === 'object' && value.offsets instanceof Int32Array) {
        const rows = value as RowImages;
        return Array.from({ length: rows.images }, (_, i) => Buffer.from(imageAt(rows, i)).toString('hex'));
      }
      if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
      return typeof value === 'bigint' ? `${value}n` : value;
    }),
  );
}

describe.each([
  { where: 'in threads', threads: 1 },
  { where: 'in the calling thread', threads: 0 },
])('a wagon sealed and opened $where', ({ threads }) => {
  let sealer: WagonSealer;
  let opener: WagonOpener;
  beforeAll(() => {
    const { source, target } = sites;
    sealer = createSealer({ ring: source, sourceSite: PARIS, targetSite: FRANKFURT, recipient: trustedPeer(source, FRANKFURT), threads });
    opener = createOpener({ ring: target, source: trustedPeer(target, PARIS), threads });
  });
  afterAll(async () => {
    await sealer.close();
    await opener.close();
  });

  it.each(BODIES.map((body, index) => ({ index, kind: body.kind, body })))(
    'gives the same body again ($index $kind)',
    async ({ kind, body }) => {
      const { bytes, hash } = await sealer.seal(headerFields({ kind }), body);
      const opened = await opener.open(bytes.slice(), EXPECTED);
      expect(readable(opened.body)).toEqual(readable(body));
      expect(opened.hash).toBe(hash);
      expect(hash).toBe(createHash('sha256').update(bytes).digest('hex'));
      expect(opened.header).toMatchObject(headerFields({ kind }));
      expect(await opener.verify(bytes.slice(), EXPECTED)).toEqual({ header: opened.header, hash });
      expect(parseHeader(bytes)).toMatchObject({ header: opened.header, sealedBytes: bytes.length });
    },
  );

  it('gives megabytes over many chunks again, from a view inside a larger buffer', async () => {
    const block = new Uint8Array(3_000_000);
    let seed = 1;
    for (let i = 0; i < block.length; i++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      block[i] = seed >>> 24;
    }
    const body = changesBody([block.subarray(10, 1_500_000), block.subarray(1_500_000)]);
    const { bytes } = await sealer.seal(headerFields(), body);
    const around = Buffer.concat([Buffer.alloc(100), bytes, Buffer.alloc(100)]);
    const opened = await opener.open(around.subarray(100, 100 + bytes.length), EXPECTED);
    expect(readable(opened.body)).toEqual(readable(body));
  });

  it('never gives the same bytes twice for the same body, and its source cannot open it', async () => {
    const one = await sealer.seal(headerFields(), changesBody());
    const two = await sealer.seal(headerFields(), changesBody());
    expect(one.hash).not.toBe(two.hash);
    expect(one.hash).not.toBe(NO_WAGON);
    expect(() => createOpener({ ring: sites.source, source: sites.source.bundle, threads })).toThrow(/without a recipient key/);
  });

  it('is finished before the sealer closes, and none is begun afterwards', async () => {
    const { source } = sites;
    const closing = createSealer({
      ring: source,
      sourceSite: PARIS,
      targetSite: FRANKFURT,
      recipient: trustedPeer(source, FRANKFURT),
      threads,
    });
    const underWay = [closing.seal(headerFields(), changesBody()), closing.seal(headerFields(), changesBody())];
    await closing.close();
    for (const { bytes } of await Promise.all(underWay)) expect((await opener.verify(bytes, EXPECTED)).header.stream).toBe('shop');
    await expect(closing.seal(headerFields(), changesBody())).rejects.toThrow('closed');
  });
});
