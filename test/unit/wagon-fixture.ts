/** Two sites with real key rings in a temporary folder, and bodies of every kind, for the wagon's tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rowImages } from '../../activities/engines/row-images.js';
import { type Epoch, NO_WAGON, type Position, type Sequence, type SiteName, type StreamName } from '../../activities/vocabulary.js';
import type { ChangesBody, WagonBody } from '../../activities/wagon/body.js';
import type { HeaderFields, WagonExpectation } from '../../activities/wagon/contract.js';
import { generateSiteKeys, type KeyRing, loadKeyRing, readBundle, trustBundle } from '../../activities/wagon/key-ring.js';
import { SrdfError } from '../../temporal/error-catalogue.js';

export const PARIS = 'paris' as SiteName;
export const FRANKFURT = 'frankfurt' as SiteName;
export const SHOP = 'shop' as StreamName;

export interface TwoSites {
  readonly directory: string;
  readonly source: KeyRing;
  readonly target: KeyRing;
  remove(): Promise<void>;
}

export async function twoSites(): Promise<TwoSites> {
  const directory = await mkdtemp(join(tmpdir(), 'srdf-wagon-'));
  const paris = join(directory, 'paris');
  const frankfurt = join(directory, 'frankfurt');
  await generateSiteKeys(paris, { site: PARIS, role: 'source' });
  await generateSiteKeys(frankfurt, { site: FRANKFURT, role: 'target' });
  await trustBundle(paris, await readBundle(frankfurt));
  await trustBundle(frankfurt, await readBundle(paris));
  return {
    directory,
    source: await loadKeyRing(paris),
    target: await loadKeyRing(frankfurt),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

export function position(text: string): Position {
  return text as Position;
}

export function headerFields(over: Partial<HeaderFields> = {}): HeaderFields {
  return {
    kind: 'changes',
    stream: SHOP,
    epoch: 1 as Epoch,
    sequence: 1 as Sequence,
    previousHash: NO_WAGON,
    sourceSite: PARIS,
    targetSite: FRANKFURT,
    createdAt: 1_700_000_000_000,
    positionFrom: position('server=1;file=bin.000001;offset=4;gtid='),
    positionTo: position('server=1;file=bin.000001;offset=400;gtid=0-1-7'),
    train: { index: 0, last: true },
    ...over,
  };
}

export const EXPECTED: WagonExpectation = { stream: SHOP, sourceSite: PARIS, targetSite: FRANKFURT, epoch: 1 as Epoch };

/** Row images of the given contents, one after the other. */
export function images(...rows: readonly Uint8Array[]) {
  const offsets = new Int32Array(rows.length + 1);
  rows.forEach((row, index) => {
    offsets[index + 1] = (offsets[index] ?? 0) + row.length;
  });
  return rowImages(new Uint8Array(Buffer.concat(rows)), offsets);
}

export function changesBody(rows: readonly Uint8Array[] = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]): ChangesBody {
  return {
    kind: 'changes',
    rowFormat: 'binlog',
    tables: [
      { database: 'shop', table: 'orders', bytes: Uint8Array.of(9, 8, 7) },
      { database: 'shop', table: 'lines 漢.字', bytes: new Uint8Array(300).fill(5) },
    ],
    ordered: [
      { table: 0, operation: 'update', rows: images(Uint8Array.of(1), Uint8Array.of(2, 2)), foreignKeyChecks: true, uniqueChecks: false },
      { table: 1, operation: 'delete', rows: images(Uint8Array.of(3, 3, 3)), foreignKeyChecks: false, uniqueChecks: true },
    ],
    net: [{ table: 1, deletes: images(Uint8Array.of(7)), updates: images(Uint8Array.of(8), new Uint8Array(0)), inserts: images(...rows) }],
    counts: { transactions: 3, captured: 20, carried: 4 + rows.length, logBytes: 12_345 },
    committed: { first: 1_699_999_999_000, last: 1_700_000_000_000 },
  };
}

export const BODIES: readonly WagonBody[] = [
  changesBody(),
  {
    kind: 'changes',
    rowFormat: 'binlog',
    tables: [],
    ordered: [],
    net: [],
    counts: { transactions: 0, captured: 0, carried: 0, logBytes: 2 ** 40 },
    committed: { first: 0, last: 0 },
  },
  {
    kind: 'ddl',
    statement: {
      sql: new Uint8Array(Buffer.from('ALTER TABLE bücher ADD x INT', 'latin1')),
      defaultDatabase: 'shop',
      session: {
        sqlMode: 2n ** 63n + 5n,
        characterSetClient: 8,
        collationConnection: 8,
        collationServer: 45,
        databaseCollation: null,
        timeZone: '+02:00',
        lcTimeNames: 0,
        autoIncrementIncrement: 1,
        autoIncrementOffset: 1,
        flags2: 0,
        defaultCollationForUtf8mb4: 255,
        explicitDefaultsForTimestamp: true,
        timestamp: 1_700_000_000.123456,
      },
      classification: { verb: 'alter', object: 'table', names: [{ database: 'shop', table: 'bücher' }] },
    },
    committed: { first: 1, last: 1 },
    logBytes: 210,
  },
  {
    kind: 'schema',
    stage: 'at-promotion',
    baseline: position('p0'),
    objects: [
      {
        object: 'trigger',
        database: 'shop',
        table: 'stock_bi',
        statements: ['CREATE TRIGGER stock_bi …'],
        session: { sql_mode: '', character_set_client: 'utf8mb4' },
        on: { database: 'shop', table: 'stock' },
      },
      { object: 'database', database: 'shop', table: '', statements: [], session: {} },
    ],
  },
  {
    kind: 'range',
    database: 'shop',
    table: 'orders',
    columns: [
      { name: 'id', encoding: 'number' },
      { name: 'note', encoding: 'bytes' },
    ],
    values: Uint8Array.of(1, 0, 0, 0, 0x37, 0xff, 0xff, 0xff, 0xff),
    rows: 1,
    asOf: position('p1'),
    part: 2,
    last: false,
  },
];

/** The code of the typed error that `run` throws; fails the test for any other error, or none. */
export async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof SrdfError) return error.code;
    throw error;
  }
  throw new Error('it was accepted');
}
