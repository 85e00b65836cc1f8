import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { endingKeys, tellKeyEnd } from '../../activities/wagon/key-lifetime.js';
import { generateSiteKeys, type KeyRing, loadKeyRing, readBundle, trustBundle } from '../../activities/wagon/key-ring.js';
import { renderKeyEnds } from '../../client/rendering/keys.js';
import { endingKeysHere } from '../../client/site-keys.js';
import { parseConfig } from '../../config/load.js';
import { warnOfEndingKeys } from '../../workers/key-warnings.js';
import { FRANKFURT, PARIS } from './wagon-fixture.js';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const made = Date.parse('2026-01-01T12:00:00Z');
const end = made + 760 * DAY;
let folder: string;
let ring: KeyRing;

/** Paris's keys are made ten days after Frankfurt's, and end so much later. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'srdf-lifetime-'));
  const now = made + 10 * DAY;
  await generateSiteKeys(join(folder, 'frankfurt'), { site: FRANKFURT, role: 'target', now: made });
  await generateSiteKeys(join(folder, 'paris'), { site: PARIS, role: 'source', now });
  await trustBundle(join(folder, 'paris'), await readBundle(join(folder, 'frankfurt')), now);
  await trustBundle(join(folder, 'frankfurt'), await readBundle(join(folder, 'paris')), now);
  ring = await loadKeyRing(join(folder, 'paris'), now);
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true });
});

const ending = (now: number) => endingKeys(ring, now).map((it) => [it.site, it.held, it.daysLeft]);

describe('the end of keys', () => {
  it('is told from 60 days before, of the own and of the trusted ones, the first to end first', () => {
    expect(ending(end - 61 * DAY)).toEqual([]);
    expect(ending(end - 60 * DAY)).toEqual([['frankfurt', 'trusted', 60]]);
    expect(ending(end - HOUR)).toEqual([
      ['frankfurt', 'trusted', 0],
      ['paris', 'own', 10],
    ]);
    expect(ending(end + HOUR)[0]).toEqual(['frankfurt', 'trusted', -1]);
  });

  it('is told in days, and as what it is once it has come', () => {
    const told = (now: number) => endingKeys(ring, now).map(tellKeyEnd)[0];
    expect(told(end - 12 * DAY)).toBe('the keys of frankfurt end in 12 days, on 2028-01-31');
    expect(told(end - DAY)).toBe('the keys of frankfurt end in 1 day, on 2028-01-31');
    expect(told(end - HOUR)).toBe('the keys of frankfurt end within a day, on 2028-01-31');
    expect(told(end + HOUR)).toBe('the keys of frankfurt have ended, on 2028-01-31: the stream stands');
  });
});

describe('a worker', () => {
  it('warns at its start and once a day, with what to do, until it ends', async () => {
    vi.useFakeTimers({ now: end - 62 * DAY });
    const warn = vi.fn();
    const warnings = warnOfEndingKeys(ring, { warn });
    expect(warn).not.toHaveBeenCalled();
    vi.advanceTimersByTime(3 * DAY);
    expect(warn.mock.calls.map(([facts]) => (facts as { daysLeft: number }).daysLeft)).toEqual([60, 59]);
    expect(warn).toHaveBeenLastCalledWith(
      { keysOf: 'frankfurt', daysLeft: 59, notAfter: new Date(end).toISOString(), action: expect.stringContaining('srdf keys --help') },
      'the keys of frankfurt end in 59 days, on 2028-01-31',
    );
    await warnings.close();
    vi.advanceTimersByTime(3 * DAY);
    expect(warn).toHaveBeenCalledTimes(2);
    await warnOfEndingKeys(ring, { warn }).close();
    expect(warn).toHaveBeenCalledTimes(3);
  });
});

describe('srdf status', () => {
  const config = (paris: string, frankfurt: string) =>
    parseConfig(`
pair: main
source: { name: paris, state: /nowhere, keys: ${paris} }
target: { name: frankfurt, state: /nowhere, keys: ${frankfurt}, receiver: { url: "https://127.0.0.1:7443" } }
streams: [{ name: shop, engine: mariadb, databases: [shop], source: { host: a, user: u }, target: { host: b, user: u } }]
`);

  it('tells it of the key rings on this machine, each site once, with the step that helps', async () => {
    const here = config(join(folder, 'paris'), join(folder, 'frankfurt'));
    expect(renderKeyEnds(await endingKeysHere(here, end - 61 * DAY))).toBe('');
    expect(renderKeyEnds(await endingKeysHere(here, end - 5 * DAY))).toMatch(
      /^\nkeys: the keys of frankfurt end in 5 days, .*\nkeys: the keys of paris end in 15 days, .*\n {2}do +Renew .*srdf keys --help.*\n$/,
    );
  });

  it('has nothing to say of a ring that is on another machine', async () => {
    const there = join(folder, 'elsewhere');
    expect(await endingKeysHere(config(there, there), end)).toEqual([]);
    expect((await endingKeysHere(config(there, join(folder, 'frankfurt')), end + DAY)).map((it) => it.site)).toEqual([
      'frankfurt',
      'paris',
    ]);
  });
});
