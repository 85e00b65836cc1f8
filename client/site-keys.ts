/** A site's key ring under the operator's hand. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SiteName } from '../activities/vocabulary.js';
import { decodeBundle } from '../activities/wagon/key-bundle.js';
import { daysLeft, endingKeys, type KeyEnd } from '../activities/wagon/key-lifetime.js';
import { fingerprint, generateSiteKeys, type KeyBundle, loadKeyRing, type SiteRole, trustBundle } from '../activities/wagon/key-ring.js';
import { loadConfig } from '../config/load.js';
import type { SrdfConfig } from '../config/schema.js';
import { SrdfError } from '../temporal/error-catalogue.js';

export interface ShownBundle {
  readonly site: string;
  readonly role: SiteRole;
  readonly version: number;
  readonly validUntil: string;
  /** Whole days; below 0 once they have ended. */
  readonly daysLeft: number;
  readonly fingerprint: string;
}
export interface ShownKeys {
  readonly own: ShownBundle;
  readonly trusted: readonly ShownBundle[];
  /** Of all these, what ends soon or has ended. */
  readonly ending: readonly KeyEnd[];
}

const shown = (it: KeyBundle): ShownBundle => ({
  site: it.site,
  role: it.role,
  version: it.version,
  validUntil: new Date(it.notAfter).toISOString(),
  daysLeft: daysLeft(it, Date.now()),
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
  const ring = await loadKeyRing((await loadConfig(configPath))[side].keys, null);
  return { own: shown(ring.bundle), trusted: [...ring.trusted.values()].map(shown), ending: endingKeys(ring, Date.now()) };
}

/**
 * What ends soon, or has ended, of the key rings that this user can read on this machine. One that isn't here, or can't be read, is left out:
 * it is the other site's, or its own worker says at its start what is wrong with it.
 */
export async function endingKeysHere(config: SrdfConfig, now: number): Promise<readonly KeyEnd[]> {
  const found = new Map<string, KeyEnd>();
  for (const side of ['source', 'target'] as const) {
    const ring = await loadKeyRing(config[side].keys, null).catch(() => null);
    // With both rings on one machine each site's keys are met twice.
    for (const end of ring === null ? [] : endingKeys(ring, now)) found.set(`${end.site} ${end.notAfter}`, end);
  }
  return [...found.values()].sort((a, b) => a.notAfter - b.notAfter);
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
