/** A site's key ring under the operator's hand. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SiteName } from '../activities/vocabulary.js';
import { decodeBundle } from '../activities/wagon/key-bundle.js';
import { fingerprint, generateSiteKeys, type KeyBundle, loadKeyRing, type SiteRole, trustBundle } from '../activities/wagon/key-ring.js';
import { loadConfig } from '../config/load.js';
import { SrdfError } from '../temporal/error-catalogue.js';

export interface ShownBundle {
  readonly site: string;
  readonly role: SiteRole;
  readonly version: number;
  readonly validUntil: string;
  readonly fingerprint: string;
}
export interface ShownKeys {
  readonly own: ShownBundle;
  readonly trusted: readonly ShownBundle[];
}

const shown = (it: KeyBundle): ShownBundle => ({
  site: it.site,
  role: it.role,
  version: it.version,
  validUntil: new Date(it.notAfter).toISOString(),
  fingerprint: fingerprint(it),
});

export async function generateKeys(
  configPath: string,
  side: SiteRole,
): Promise<ShownBundle & { readonly folder: string; readonly bundle: string }> {
  const site = (await loadConfig(configPath))[side];
  const bundle = await generateSiteKeys(site.keys, { site: site.name as SiteName, role: side });
  return { ...shown(bundle), folder: site.keys, bundle: join(site.keys, 'site.bundle') };
}

export async function showKeys(configPath: string, side: SiteRole): Promise<ShownKeys> {
  const ring = await loadKeyRing((await loadConfig(configPath))[side].keys);
  return { own: shown(ring.bundle), trusted: [...ring.trusted.values()].map(shown) };
}

/**
 * Trusts the bundle in `file` when its fingerprint is the given one. Throws `key-bundle-refused`, having changed nothing, when it is
 * another, when none is given, or when the bundle is of a site that the config doesn't name as the peer.
 */
export async function trustKeys(configPath: string, side: SiteRole, file: string, given: string | undefined): Promise<ShownBundle> {
  const config = await loadConfig(configPath);
  const tried = `trusting the bundle ${file}`;
  const refused = (found: string, action: string, cause?: unknown) => new SrdfError('key-bundle-refused', { tried, found, action, cause });
  const bytes = await readFile(file).catch((cause: Error) => {
    throw refused(cause.message, "Name the other site's site.bundle");
  });
  const bundle = decodeBundle(bytes);
  const peer = side === 'source' ? config.target : config.source;
  if (bundle.site !== peer.name) {
    throw refused(
      `it is of ${bundle.site}, and the config's ${side === 'source' ? 'target' : 'source'} is ${peer.name}`,
      'Name the right bundle, or correct the config',
    );
  }
  const found = fingerprint(bundle);
  if (given === undefined) {
    throw refused(
      `it is of ${bundle.site}, its fingerprint is ${found}, and none was given to compare it with. Nothing is trusted yet`,
      `Have the other site read its own out by voice (srdf keys show), then: srdf keys trust ${side} ${file} --fingerprint '${found}'`,
    );
  }
  if (plain(given) !== plain(found)) {
    throw refused(
      `its fingerprint is ${found}, not ${given}`,
      'Do not trust it: fetch the bundle again and compare by voice. If they still differ, somebody has changed it on its way',
    );
  }
  return shown(await trustBundle(config[side].keys, bytes));
}

/** Case and separators don't count: people read it out. */
const plain = (text: string): string => text.toLowerCase().replace(/[^0-9a-z]/g, '');
