/** What a bad disk, a power cut or a hasty hand does to the files of a site while its worker runs. */
import { mkdir, open, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FaultPoint } from '../../../activities/fault-points.js';
import type { Pair, Side } from '../../integration/pair.js';
import type { Fault } from '../contract.js';

/** Where a wagon surely lies in the store, and what is read of it next is another thing each time. */
const WAGON_POINTS: Readonly<Record<Side, readonly FaultPoint[]>> = {
  source: ['spool-named', 'first-byte-sent', 'committed'],
  target: ['inbox-named', 'wagon-opening', 'committed'],
};

const STORE = { source: 'spool', target: 'inbox' } as const;
const storeOf = (pair: Pair, side: Side): string => join(pair.directory, `${side}-state`, STORE[side]);

/** Paths below a folder whose names end so, sorted; none when it is missing. */
async function filesIn(folder: string, ending: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name));
}

/** The oldest wagon of the chain, which is the next to be shipped, applied or confirmed; or one that stands outside of it. */
async function nextWagon(pair: Pair, side: Side, folder: 'chain' | 'range' = 'chain'): Promise<string> {
  const [wagon] = await filesIn(join(storeOf(pair, side), pair.name, folder), '.wagon');
  if (wagon === undefined) throw new Error(`no wagon lies in the ${STORE[side]} at this point`);
  return wagon;
}

async function cutInHalf(path: string): Promise<void> {
  await truncate(path, Math.floor((await stat(path)).size / 2));
}
/** One bit, at so large a part of the file. */
async function flipBit(path: string, where: number): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    const at = Math.floor((await handle.stat()).size * where);
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ 0x10;
    await handle.write(byte, 0, 1, at);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const damage = (name: string, act: (pair: Pair) => Promise<void>, more: Partial<Fault> = {}): Fault => ({
  name,
  group: 'files',
  expected: 'goes on',
  async inflict(pair) {
    await act(pair);
    return async () => undefined;
  },
  ...more,
});

const wagonFaults = (side: Side): readonly Fault[] => {
  const store = STORE[side];
  const points = WAGON_POINTS[side];
  const toWagon = (name: string, act: (path: string) => Promise<void>): Fault =>
    damage(name, async (pair) => await act(await nextWagon(pair, side)), { points });
  return [
    toWagon(`a wagon of the ${store} cut in half`, cutInHalf),
    toWagon(`a bit flipped in the body of a wagon of the ${store}`, async (path) => await flipBit(path, 0.8)),
    toWagon(`a bit flipped in the header of a wagon of the ${store}`, async (path) => await flipBit(path, 0.01)),
    toWagon(`a wagon of the ${store} removed`, async (path) => await rm(path)),
    // A worker may lay another file there meanwhile: then once more.
    damage(`the ${store} deleted`, async (pair) => await rm(storeOf(pair, side), { recursive: true, force: true, maxRetries: 9 })),
    damage(`the receipts in the ${store} damaged`, async (pair) => {
      for (const ending of ['.received', '.applied', '.refused'])
        for (const file of await filesIn(join(storeOf(pair, side), pair.name, 'chain'), ending)) await flipBit(file, 0.3);
    }),
  ];
};

const NOT_JSON = '{"half';
async function overwrite(...path: readonly string[]): Promise<void> {
  const file = join(...path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, NOT_JSON);
}

export const FILES_FAULTS: readonly Fault[] = [
  ...wagonFaults('source'),
  ...wagonFaults('target'),
  damage('a bit flipped in a copied range in the inbox', async (pair) => await flipBit(await nextWagon(pair, 'target', 'range'), 0.8), {
    points: ['range-shipped'],
  }),
  damage('the notes of the source’s wagons damaged', async (pair) => {
    for (const file of await filesIn(join(pair.directory, 'source-state', 'notes', pair.name), '.json')) await overwrite(file);
  }),
  damage('the file of the target’s dead letter damaged', async (pair) => {
    await overwrite(pair.directory, 'target-state', 'dead-letters', `${pair.name}.json`);
  }),
  damage(
    'the file of the stream’s mode damaged',
    async (pair) => await overwrite(pair.directory, 'target-state', 'modes', `${pair.name}.json`),
    {
      expected: {
        code: 'state-damaged',
        told: 'srdf suspend, then srdf resume',
        operator: async (pair) => {
          await pair.must('suspend', pair.name);
          await pair.must('resume', pair.name);
        },
      },
    },
  ),
];
