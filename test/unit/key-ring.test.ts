import { chmod, copyFile, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SiteName } from '../../activities/vocabulary.js';
import { openSigningKey } from '../../activities/wagon/composite-signature.js';
import { decodeBundle, encodeBundle } from '../../activities/wagon/key-bundle.js';
import {
  fingerprint,
  generateSiteKeys,
  type KeyRing,
  loadKeyRing,
  readBundle,
  trustBundle,
  trustedPeer,
} from '../../activities/wagon/key-ring.js';
import { codeOf, FRANKFURT, PARIS } from './wagon-fixture.js';

let folder: string;
let paris: string;
let frankfurt: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'srdf-keys-'));
  paris = join(folder, 'paris');
  frankfurt = join(folder, 'frankfurt');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const both = async () => {
  await generateSiteKeys(paris, { site: PARIS, role: 'source' });
  await generateSiteKeys(frankfurt, { site: FRANKFURT, role: 'target' });
};
/** Frankfurt's next bundle, as a renewal would make it. */
const renewed = (ring: KeyRing, over: Partial<KeyRing['bundle']> = {}) =>
  encodeBundle({ ...ring.bundle, version: 2, ...over }, ring.signing);

describe('generating keys', () => {
  it('makes files that only their owner may read, a recipient key at the target alone', async () => {
    await both();
    expect((await readdir(paris)).sort()).toEqual(['signing.key', 'site.bundle', 'tls.crt', 'tls.key', 'trusted']);
    expect((await readdir(frankfurt)).sort()).toEqual(['recipient.key', 'signing.key', 'site.bundle', 'tls.crt', 'tls.key', 'trusted']);
    for (const directory of [paris, frankfurt]) {
      expect((await stat(directory)).mode & 0o777).toBe(0o700);
      for (const name of await readdir(directory)) expect((await stat(join(directory, name))).mode & 0o077).toBe(0);
    }
    const ring = await loadKeyRing(frankfurt);
    expect(ring.tls.certificate).toContain('BEGIN CERTIFICATE');
    expect(ring.recipient).not.toBeNull();
    expect((await loadKeyRing(paris)).recipient).toBeNull();
  });

  it('never overwrites a ring, whole or in part', async () => {
    await both();
    const before = await readFile(join(paris, 'signing.key'));
    expect(await codeOf(() => generateSiteKeys(paris, { site: PARIS, role: 'source' }))).toBe('key-exists');
    await rm(join(paris, 'site.bundle'));
    expect(await codeOf(() => generateSiteKeys(paris, { site: PARIS, role: 'source' }))).toBe('key-exists');
    expect(await readFile(join(paris, 'signing.key'))).toEqual(before);
  });
});

describe('loading a ring', () => {
  it.each(['signing.key', 'recipient.key', 'tls.key', 'site.bundle'])(
    'refuses %s when others may read it, and when it is missing',
    async (name) => {
      await both();
      await chmod(join(frankfurt, name), 0o640);
      expect(await codeOf(() => loadKeyRing(frankfurt))).toBe('key-permissions');
      await rm(join(frankfurt, name));
      expect(await codeOf(() => loadKeyRing(frankfurt))).toBe('key-missing');
    },
  );

  it('refuses a folder that others may enter, and one that is not there', async () => {
    await both();
    await chmod(paris, 0o755);
    expect(await codeOf(() => loadKeyRing(paris))).toBe('key-permissions');
    expect(await codeOf(() => loadKeyRing(join(folder, 'nowhere')))).toBe('key-missing');
  });

  it('refuses keys of another ring, a key that is none, and its own bundle once expired', async () => {
    await both();
    const { notAfter } = (await loadKeyRing(paris)).bundle;
    expect(await codeOf(() => loadKeyRing(paris, notAfter + 1))).toBe('key-bundle-expired');
    // To be shown they are loaded all the same.
    expect((await loadKeyRing(paris, null)).bundle.notAfter).toBe(notAfter);
    await copyFile(join(frankfurt, 'signing.key'), join(paris, 'signing.key'));
    expect(await codeOf(() => loadKeyRing(paris))).toBe('key-bundle-refused');
    await writeFile(join(paris, 'signing.key'), 'srdf-signing-key-1 AAAA\n');
    expect(await codeOf(() => loadKeyRing(paris))).toBe('key-missing');
  });
});

describe('trusting a bundle', () => {
  it('lets each site find the other, with the same fingerprint at both', async () => {
    await both();
    const shown = await trustBundle(paris, await readBundle(frankfurt));
    const own = (await loadKeyRing(frankfurt)).bundle;
    expect(fingerprint(shown)).toBe(fingerprint(own));
    expect(fingerprint(own)).toMatch(/^([0-9a-f]{4} ){9}[0-9a-f]{4}$/);
    expect(fingerprint(own)).not.toBe(fingerprint((await loadKeyRing(paris)).bundle));
    expect(trustedPeer(await loadKeyRing(paris), FRANKFURT)).toEqual(own);
    expect((await stat(join(paris, 'trusted', 'frankfurt.bundle'))).mode & 0o777).toBe(0o600);
    expect(await codeOf(async () => trustedPeer(await loadKeyRing(paris), 'berlin' as SiteName))).toBe('key-missing');
    // Again: nothing changes.
    expect(await trustBundle(paris, await readBundle(frankfurt))).toEqual(own);
  });

  it('refuses any flipped byte and any other length, and keeps nothing', async () => {
    await both();
    const bundle = new Uint8Array(await readBundle(frankfurt));
    const codes = new Set<string>();
    for (let at = 0; at < bundle.length; at += at < 60 ? 1 : 61) {
      const flipped = bundle.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      codes.add(await codeOf(() => trustBundle(paris, flipped)));
    }
    expect([...codes].sort()).toEqual(['key-bundle-malformed', 'key-bundle-signature']);
    for (const length of [0, 10, 2000, bundle.length - 1])
      expect(await codeOf(() => trustBundle(paris, bundle.subarray(0, length)))).toBe('key-bundle-malformed');
    expect(await codeOf(() => trustBundle(paris, Buffer.concat([bundle, bundle])))).toBe('key-bundle-malformed');
    expect(await readdir(join(paris, 'trusted'))).toEqual([]);
  });

  it('refuses one that has expired or does not begin yet', async () => {
    await both();
    const { notAfter, notBefore } = (await loadKeyRing(frankfurt)).bundle;
    const bytes = await readBundle(frankfurt);
    expect(await codeOf(() => trustBundle(paris, bytes, notAfter + 1))).toBe('key-bundle-expired');
    expect(await codeOf(() => trustBundle(paris, bytes, notBefore - 2 * 3_600_000))).toBe('key-bundle-early');
    await trustBundle(paris, bytes);
    expect(await codeOf(() => loadKeyRing(paris, notAfter + 1))).toBe('key-bundle-expired');
  });

  it('takes a newer version and never an older one again, nor the same version with other content', async () => {
    await both();
    const ring = await loadKeyRing(frankfurt);
    await trustBundle(paris, await readBundle(frankfurt));
    expect(await codeOf(() => trustBundle(paris, renewed(ring, { version: 1, notAfter: ring.bundle.notAfter + 1 })))).toBe(
      'key-bundle-rollback',
    );
    await trustBundle(paris, renewed(ring));
    expect(await codeOf(async () => trustBundle(paris, await readBundle(frankfurt)))).toBe('key-bundle-rollback');
    expect(trustedPeer(await loadKeyRing(paris), FRANKFURT).version).toBe(2);
  });

  it('refuses other keys for a site that is trusted already, another role, and its own bundle', async () => {
    await both();
    const ring = await loadKeyRing(frankfurt);
    await trustBundle(paris, await readBundle(frankfurt));
    const stranger = openSigningKey(new Uint8Array(64).fill(5));
    const forged = encodeBundle({ ...ring.bundle, version: 3, signingPublicKey: stranger.publicKey }, stranger);
    expect(await codeOf(() => trustBundle(paris, forged))).toBe('key-bundle-refused');
    expect(await codeOf(() => trustBundle(paris, encodeBundle({ ...ring.bundle, version: 3 }, stranger)))).toBe('key-bundle-signature');
    expect(await codeOf(async () => trustBundle(paris, await readBundle(paris)))).toBe('key-bundle-refused');
    expect(trustedPeer(await loadKeyRing(paris), FRANKFURT).version).toBe(1);
  });

  it('tells keys made anew, which count from 1 again, as another identity; the operator takes the old one away by hand', async () => {
    await both();
    const former = await loadKeyRing(frankfurt);
    await trustBundle(paris, renewed(former, { version: 7 }));
    await rename(frankfurt, `${frankfurt}.old`);
    await generateSiteKeys(frankfurt, { site: FRANKFURT, role: 'target' });
    const anew = await readBundle(frankfurt);
    await expect(trustBundle(paris, anew)).rejects.toMatchObject({
      code: 'key-bundle-refused',
      facts: { action: expect.stringMatching(/Compare fingerprints by voice.*remove trusted\/frankfurt\.bundle/) },
    });
    expect(trustedPeer(await loadKeyRing(paris), FRANKFURT).version).toBe(7);
    await rm(join(paris, 'trusted/frankfurt.bundle'));
    await trustBundle(paris, anew);
    // Whoever has kept a bundle of the former keys gets nowhere with it, however high its version.
    expect(await codeOf(() => trustBundle(paris, renewed(former, { version: 9 })))).toBe('key-bundle-refused');
    expect(trustedPeer(await loadKeyRing(paris), FRANKFURT)).toEqual((await loadKeyRing(frankfurt)).bundle);
  });

  it('refuses a role whose keys do not fit it', async () => {
    await both();
    const ring = await loadKeyRing(paris);
    expect(await codeOf(() => decodeBundle(encodeBundle({ ...ring.bundle, role: 'target' }, ring.signing)))).toBe('key-bundle-malformed');
  });
});
