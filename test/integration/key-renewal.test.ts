/**
 * Keys come to their end while wagons lie in spool and inbox, and are renewed as `srdf keys --help` says: the stream goes on, and every row is
 * applied once. Real keys, files and HTTPS; log and ledger are written by hand.
 */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CutResult } from '../../activities/contracts.js';
import type { StreamName } from '../../activities/vocabulary.js';
import { runCommand } from '../../client/program.js';
import { codeOf } from '../unit/wagon-fixture.js';
import { ScriptedSource, ScriptedTarget } from './scripted-engines.js';
import { exchangedKeys, openPair, type ScriptedPair } from './scripted-pair.js';

const stream = 'shop' as StreamName;
const DAY = 86_400_000;
/** Their 760 days are over since yesterday; the certificates, made by the machine's clock, are not the ones to stop anything. */
const madeAt = Date.now() - 761 * DAY;
const whileTheyWorked = () => madeAt + DAY;

let directory: string;
let source: ScriptedSource;
let target: ScriptedTarget;
let pair: ScriptedPair;
let now: () => number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'srdf-renewal-'));
  await writeFile(
    join(directory, 'srdf.yaml'),
    `
pair: main
temporal: { address: "127.0.0.1:7233" }
source: { name: paris, state: paris, keys: paris-keys }
target: { name: frankfurt, state: frankfurt, keys: frankfurt-keys, receiver: { url: "https://127.0.0.1:7443" } }
streams: [{ name: shop, engine: mariadb, databases: [shop], source: { host: a, user: u }, target: { host: b, user: u } }]
`,
  );
  await exchangedKeys(directory, madeAt);
  source = new ScriptedSource();
  target = new ScriptedTarget();
  now = whileTheyWorked;
  pair = await openPair(directory, source, target, () => now());
});
afterEach(async () => {
  await pair.close();
  await rm(directory, { recursive: true, force: true });
});

async function srdf(...argv: string[]): Promise<string> {
  let said = '';
  const told = (text: string) => {
    said += text;
  };
  const terminal = { out: told, err: told, live: false, columns: 1_000, environment: {}, signal: new AbortController().signal };
  expect(await runCommand([...argv, '-c', join(directory, 'srdf.yaml')], terminal), said).toBe(0);
  return said.trim();
}
const away = (name: string) => rename(join(directory, name), join(directory, `${name}.old`));
/** Steps 3 and 4 of the help, at both sites, without what is in spool and inbox. */
async function newKeys(): Promise<void> {
  await away('paris-keys');
  await away('frankfurt-keys');
  await srdf('keys', 'generate', 'source');
  await srdf('keys', 'generate', 'target');
  for (const [side, other, bundle] of [
    ['target', 'source', 'paris-keys/site.bundle'],
    ['source', 'target', 'frankfurt-keys/site.bundle'],
  ] as const)
    await srdf('keys', 'trust', side, join(directory, bundle), '--fingerprint', await srdf('keys', 'show', other, '--fingerprint'));
}
async function restarted(): Promise<void> {
  now = Date.now;
  pair = await openPair(directory, source, target, now);
}

const cut = async (): Promise<CutResult> => {
  const { epoch, sequence, wagonHash, position } = (await pair.readLedger({ stream })).ledger;
  if (position === null) throw new Error('no position');
  return await pair.cutWagons({ stream, after: { epoch, sequence, wagonHash, position }, maxWagons: 100, boundaries: [] });
};
/** One cycle, as the workflow runs it. */
async function cycle(): Promise<void> {
  const { inbox } = await pair.readLedger({ stream });
  if (inbox.length > 0) await pair.applyWagons({ stream, wagons: inbox });
  const { unconfirmed, wagons } = await cut();
  if (unconfirmed.length > 0) await pair.confirmWagons({ stream, wagons: unconfirmed });
  if (wagons.length === 0) return;
  await pair.shipWagons({ stream, wagons });
  await pair.applyWagons({ stream, wagons });
  await pair.confirmWagons({ stream, wagons });
}
/** Of every wagon a state: confirmed, applied, received, only cut. Then the keys end. */
async function overtakenByTheEnd(): Promise<void> {
  source.transactions.push(4, 4);
  await cycle();
  source.transactions.push(4, 11, 4, 4);
  const { wagons } = await cut();
  await pair.shipWagons({ stream, wagons: wagons.slice(0, 5) });
  await pair.applyWagons({ stream, wagons: wagons.slice(0, 1) });
  now = Date.now;
}
const everythingOnce = () => source.transactions.flatMap((rows, at) => Array.from({ length: rows }, () => at));
async function expectItGoesOn(): Promise<void> {
  await cycle();
  source.transactions.push(2, 2);
  await cycle();
  expect(target.rows).toEqual(everythingOnce());
  expect(await pair.spool.list(stream, 'chain')).toEqual([]);
  expect(await pair.inbox.list(stream, 'chain')).toEqual([]);
}

it('stops everything at their end, changes nothing, and says where the way on is written', async () => {
  await overtakenByTheEnd();
  const before = [...target.rows];
  source.transactions.push(1);
  const { inbox } = await pair.readLedger({ stream });
  const ended = { code: 'key-bundle-expired', facts: { action: expect.stringContaining('srdf keys --help') } };
  await expect(pair.applyWagons({ stream, wagons: inbox })).rejects.toMatchObject(ended);
  const { wagons } = await cut();
  await expect(pair.shipWagons({ stream, wagons: wagons.slice(-1) })).rejects.toMatchObject(ended);
  await expect(openPair(directory, source, target)).rejects.toMatchObject(ended);
  expect([target.rows, (await pair.readLedger({ stream })).deadLetter]).toEqual([before, null]);
  expect(await srdf('keys', 'show', 'source')).toMatch(/keys: the keys of \w+ have ended.*\n +do .*srdf keys --help/s);
});

it('goes on with new keys, once what the old ones sealed has been moved away', async () => {
  await overtakenByTheEnd();
  await pair.close();
  await away('paris/spool');
  await away('frankfurt/inbox');
  await newKeys();
  await restarted();
  await expectItGoesOn();
});

it('renewed without moving spool and inbox: all of it is refused with the way on, and nothing is lost by doing it late', async () => {
  await overtakenByTheEnd();
  await pair.close();
  await newKeys();
  await restarted();
  const { inbox } = await pair.readLedger({ stream });
  const ofBefore = { code: 'wagon-signer', facts: { action: expect.stringContaining('spool and inbox included') } };
  await expect(pair.applyWagons({ stream, wagons: inbox })).rejects.toMatchObject(ofBefore);
  const { wagons, unconfirmed } = await cut();
  await expect(pair.shipWagons({ stream, wagons: wagons.slice(-1) })).rejects.toMatchObject(ofBefore);
  expect(await codeOf(() => pair.confirmWagons({ stream, wagons: unconfirmed }))).toBe('receipt-signer');
  const dead = (await pair.readLedger({ stream })).deadLetter;
  if (dead === null) throw new Error('no dead letter');

  await pair.close();
  await away('paris/spool');
  await away('frankfurt/inbox');
  await restarted();
  expect(await pair.releaseDeadLetter({ stream, sequence: dead.sequence, hash: dead.hash })).toEqual({ released: true });
  await expectItGoesOn();
});
