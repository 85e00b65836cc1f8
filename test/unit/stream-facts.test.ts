/** Facts beside spool and inbox, when a disk has damaged them: what can be done without is done without, the rest is asked for. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readFact, writeFact } from '../../activities/cycle/stream-files.js';
import { forgetNotes, readNote, totalsByState, writeNote } from '../../activities/cycle/wagon-notes.js';
import type { WagonState } from '../../activities/transport/contract.js';
import type { Epoch, Sequence, StreamName } from '../../activities/vocabulary.js';
import { toErrorReport } from '../../temporal/failures.js';

const wagon = { stream: 'shop' as StreamName, epoch: 1 as Epoch, sequence: 7 as Sequence };
const note = { transactions: 1, captured: 2, carried: 2, logBytes: 3, rawBytes: 4, wireBytes: 5, committed: null };
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'srdf-facts-'));
});
afterEach(async () => await rm(directory, { recursive: true, force: true }));

const overwrite = async (text: string, ...path: readonly string[]): Promise<void> => {
  const file = join(directory, ...path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
};

it.each(['', '{"half', '\0\0\0\0'])('a damaged fact is told as such, never taken for another: %j', async (text) => {
  await overwrite(text, 'modes', 'shop.json');
  await expect(readFact(directory, 'modes', 'shop.json')).rejects.toMatchObject({ code: 'state-damaged' });
});
it('a damaged note is a lost note', async () => {
  await writeNote(directory, wagon, note);
  expect(await readNote(directory, wagon)).toEqual(note);
  await overwrite('{"half', 'notes', 'shop', '1-7.json');
  expect(await readNote(directory, wagon)).toBeNull();
});
it('a wagon that is confirmed is looked at once, however often it is asked what its stream holds', async () => {
  const states: (WagonState | null)[] = [];
  const asked: number[] = [];
  const spool = {
    wagonState: async ({ sequence }: { sequence: number }) => {
      asked.push(sequence);
      return states[sequence - 1] ?? null;
    },
  };
  const confirmed = async () => (await totalsByState(directory, wagon.stream, spool, null)).confirmed.wagons;
  const writeNotes = async () => {
    for (const sequence of [1, 2, 3]) await writeNote(directory, { ...wagon, sequence: sequence as Sequence }, note);
  };
  await writeNotes();
  states.push('confirmed', 'confirmed', 'applied');
  expect(await confirmed()).toBe(2);
  expect(await confirmed()).toBe(2);
  expect(asked).toEqual([1, 2, 3, 3]);
  states[2] = 'confirmed';
  expect(await confirmed()).toBe(3);
  // The same numbers in another life of the stream.
  await forgetNotes(directory, wagon.stream);
  expect(await confirmed()).toBe(0);
  await writeNotes();
  states[2] = 'captured';
  expect(await confirmed()).toBe(2);
});
it('what can’t be written leaves nothing behind', async () => {
  await mkdir(join(directory, 'modes', 'shop.json'), { recursive: true });
  await expect(writeFact({ mode: 'active' }, directory, 'modes', 'shop.json')).rejects.toThrow();
  expect(await readdir(join(directory, 'modes'))).toEqual(['shop.json']);
});
it('a full disk is called so, wherever it shows', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  expect(toErrorReport(full).code).toBe('disk-full');
});
