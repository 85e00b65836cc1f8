/** A site's key ring: a folder of files that only their owner may read. */

import { randomBytes } from 'node:crypto';
import { access, chmod, lstat, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SrdfError } from '../../temporal/error-catalogue.js';
import { generateTlsCertificate } from '../transport/certificates.js';
import type { SiteName } from '../vocabulary.js';
import { generateSigningSeed, openSigningKey, SIGNING_SEED_BYTES, type SigningKey } from './composite-signature.js';
import { hpkeReady, KEM_SEED_BYTES, recipientPublicKey } from './hpke.js';
import {
  bundleError,
  checkSuccession,
  checkValidity,
  decodeBundle,
  encodeBundle,
  type KeyBundle,
  keyId,
  type SiteRole,
} from './key-bundle.js';

export { fingerprint, type KeyBundle, type SiteRole } from './key-bundle.js';

/** Two years and a month: renewed once in two years with some time to spare. */
const VALIDITY_DAYS = 760;
const MILLISECONDS_PER_DAY = 86_400_000;
const SIGNING_KEY = 'signing.key';
const RECIPIENT_KEY = 'recipient.key';
const TLS_KEY = 'tls.key';
const TLS_CERTIFICATE = 'tls.crt';
const OWN_BUNDLE = 'site.bundle';
const TRUSTED = 'trusted';
const SIGNING_TITLE = 'srdf-signing-key-1';
const RECIPIENT_TITLE = 'srdf-recipient-key-1';

export interface KeyRing {
  readonly directory: string;
  readonly bundle: KeyBundle;
  readonly signing: SigningKey;
  readonly signingKeyId: string;
  /** What a thread needs to sign; never leaves the process. */
  readonly signingSeed: Uint8Array;
  /** A target's private key; a source has none and can't read back what it sent. */
  readonly recipient: { readonly seed: Uint8Array; readonly keyId: string } | null;
  /** Both PEM. */
  readonly tls: { readonly key: string; readonly certificate: string };
  /** Verified, and valid at the time of loading unless loaded at whatever age; by site. */
  readonly trusted: ReadonlyMap<SiteName, KeyBundle>;
}

export interface GenerateOptions {
  readonly site: SiteName;
  readonly role: SiteRole;
  /** ms since 1970; default: the clock. */
  readonly now?: number;
}

/** Makes all keys of a site. Refuses (`key-exists`) when any file of a ring is there already. Returns the bundle to hand to the peer. */
export async function generateSiteKeys(directory: string, options: GenerateOptions): Promise<KeyBundle> {
  await hpkeReady();
  const now = options.now ?? Date.now();
  const existing = await firstExisting(directory, [SIGNING_KEY, RECIPIENT_KEY, TLS_KEY, TLS_CERTIFICATE, OWN_BUNDLE]);
  if (existing !== null) {
    throw new SrdfError('key-exists', {
      tried: `generating the keys of ${options.site} in ${directory}`,
      found: `${existing} is there already, and a lost key can't be made again`,
      action: 'Name another folder, or, to renew the keys, move the old one away in the order that `srdf keys --help` gives',
    });
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  await mkdir(join(directory, TRUSTED), { recursive: true, mode: 0o700 });
  const seed = generateSigningSeed();
  const signing = openSigningKey(seed);
  const recipientSeed = options.role === 'target' ? new Uint8Array(randomBytes(KEM_SEED_BYTES)) : null;
  const tls = await generateTlsCertificate({ site: options.site, days: VALIDITY_DAYS });
  const bundle: KeyBundle = {
    site: options.site,
    role: options.role,
    version: 1,
    notBefore: now,
    notAfter: now + VALIDITY_DAYS * MILLISECONDS_PER_DAY,
    signingPublicKey: signing.publicKey,
    recipientPublicKey: recipientSeed === null ? null : recipientPublicKey(recipientSeed),
    tlsCertificate: tls.certificate,
  };
  await writeNew(join(directory, SIGNING_KEY), keyText(SIGNING_TITLE, seed));
  if (recipientSeed !== null) await writeNew(join(directory, RECIPIENT_KEY), keyText(RECIPIENT_TITLE, recipientSeed));
  await writeNew(join(directory, TLS_KEY), tls.key);
  await writeNew(join(directory, TLS_CERTIFICATE), tls.certificate);
  // Last: a ring without its bundle is visibly unfinished.
  await writeNew(join(directory, OWN_BUNDLE), encodeBundle(bundle, signing));
  return bundle;
}

/**
 * Throws `key-missing`, `key-permissions`, or what is wrong with a bundle. `now`: ms since 1970; `null` takes keys of whatever age, to show
 * them: nobody can be told that keys have ended by refusing to look at them.
 */
export async function loadKeyRing(directory: string, now: number | null = Date.now()): Promise<KeyRing> {
  await hpkeReady();
  await checkPrivate(directory, 'directory');
  const seed = parseKey(await readPrivate(directory, SIGNING_KEY), SIGNING_TITLE, SIGNING_SEED_BYTES, directory);
  const signing = openSigningKey(seed);
  const bundle = decodeBundle(await readPrivate(directory, OWN_BUNDLE));
  if (now !== null) checkValidity(bundle, now);
  const key = (await readPrivate(directory, TLS_KEY)).toString('utf8');
  const certificate = (await readPrivate(directory, TLS_CERTIFICATE)).toString('utf8');
  let recipient: KeyRing['recipient'] = null;
  if (bundle.recipientPublicKey !== null) {
    const recipientSeed = parseKey(await readPrivate(directory, RECIPIENT_KEY), RECIPIENT_TITLE, KEM_SEED_BYTES, directory);
    recipient = { seed: recipientSeed, keyId: keyId(recipientPublicKey(recipientSeed)) };
  }
  const belongTogether =
    keyId(signing.publicKey) === keyId(bundle.signingPublicKey) &&
    certificate === bundle.tlsCertificate &&
    (recipient === null || bundle.recipientPublicKey === null || recipient.keyId === keyId(bundle.recipientPublicKey));
  if (!belongTogether) {
    throw bundleError(
      'key-bundle-refused',
      `the keys in ${directory} are not those of its ${OWN_BUNDLE}`,
      'Restore the folder from one backup, whole',
    );
  }
  const trusted = new Map<SiteName, KeyBundle>();
  for (const name of (await readdir(join(directory, TRUSTED)).catch(() => [])).filter((it) => it.endsWith('.bundle'))) {
    const peer = decodeBundle(await readPrivate(join(directory, TRUSTED), name));
    if (name !== `${peer.site}.bundle`)
      throw bundleError(
        'key-bundle-refused',
        `${name} holds the bundle of ${peer.site}`,
        'Remove the file and trust the bundle again with `srdf keys trust`',
      );
    if (now !== null) checkValidity(peer, now);
    trusted.set(peer.site, peer);
  }
  return {
    directory,
    bundle,
    signing,
    signingKeyId: keyId(signing.publicKey),
    signingSeed: seed,
    recipient,
    tls: { key, certificate },
    trusted,
  };
}

/** A site's own bundle as bytes, to hand over. */
export async function readBundle(directory: string): Promise<Uint8Array> {
  const bytes = await readPrivate(directory, OWN_BUNDLE);
  decodeBundle(bytes);
  return bytes;
}

/**
 * Checks a peer's bundle and keeps it; nothing is written before all checks have passed. The same bundle again changes nothing.
 * The caller shows `fingerprint(bundle)` and has it compared by voice.
 */
export async function trustBundle(directory: string, bytes: Uint8Array, now: number = Date.now()): Promise<KeyBundle> {
  const bundle = decodeBundle(bytes);
  checkValidity(bundle, now);
  const own = decodeBundle(await readPrivate(directory, OWN_BUNDLE));
  if (own.site === bundle.site || own.role === bundle.role) {
    const found = `this is ${own.site} (${own.role}), the bundle is of ${bundle.site} (${bundle.role})`;
    throw bundleError('key-bundle-refused', found, "Trust the other site's bundle: a source trusts a target, a target a source");
  }
  const folder = join(directory, TRUSTED);
  const path = join(folder, `${bundle.site}.bundle`);
  if (await exists(path)) {
    const present = await readPrivate(folder, `${bundle.site}.bundle`);
    if (present.equals(bytes)) return bundle;
    checkSuccession(decodeBundle(present), bundle);
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeNew(temporary, bytes);
    await rename(temporary, path);
    await syncFolder(folder);
  } finally {
    await rm(temporary, { force: true });
  }
  return bundle;
}

/** The bundle of a site that must be trusted: `key-missing` when it isn't. */
export function trustedPeer(ring: KeyRing, site: SiteName): KeyBundle {
  const bundle = ring.trusted.get(site);
  if (bundle !== undefined) return bundle;
  throw new SrdfError('key-missing', {
    tried: `looking for the keys of ${site} in ${ring.directory}`,
    found: `no bundle of ${site} is trusted`,
    action: `Copy ${site}'s site.bundle here and run \`srdf keys trust\`; compare the fingerprint by voice`,
  });
}

function keyText(title: string, key: Uint8Array): string {
  return `${title} ${Buffer.from(key).toString('base64')}\n`;
}
function parseKey(file: Buffer, title: string, bytes: number, directory: string): Uint8Array {
  const [found, text = '', rest] = file.toString('latin1').trimEnd().split(' ');
  const key = Buffer.from(text, 'base64');
  if (found === title && rest === undefined && key.length === bytes && key.toString('base64') === text) return new Uint8Array(key);
  throw new SrdfError('key-missing', {
    tried: `reading a private key in ${directory}`,
    found: `the file is no ${title}`,
    action: 'Restore it from your backup of the key ring',
  });
}

async function readPrivate(directory: string, name: string): Promise<Buffer> {
  await checkPrivate(join(directory, name), 'file');
  return readFile(join(directory, name));
}

async function checkPrivate(path: string, kind: 'file' | 'directory'): Promise<void> {
  const found = await lstat(path).catch((cause: unknown) => {
    throw new SrdfError('key-missing', {
      tried: `reading the key ring at ${path}`,
      found: cause instanceof Error && 'code' in cause ? `it can't be read (${String(cause.code)})` : "it can't be read",
      action: 'Make the keys with `srdf keys generate`, or restore the key ring from your backup',
      cause,
    });
  });
  const right = kind === 'file' ? found.isFile() : found.isDirectory();
  const mode = found.mode & 0o777;
  const owner = process.getuid?.() ?? found.uid;
  if (right && (mode & 0o077) === 0 && (found.uid === owner || owner === 0)) return;
  throw new SrdfError('key-permissions', {
    tried: `reading the key ring at ${path}`,
    found: right ? `others may read it (mode ${mode.toString(8)}, owner ${found.uid})` : `it is no ${kind}`,
    action: `chmod ${kind === 'file' ? '600' : '700'} ${path}, owned by the user that runs SRDF; if others may have read it, make new keys`,
  });
}

async function firstExisting(directory: string, names: readonly string[]): Promise<string | null> {
  for (const name of names) if (await exists(join(directory, name))) return join(directory, name);
  return null;
}
async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Whole, synced, 0600, never over another file. */
async function writeNew(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
