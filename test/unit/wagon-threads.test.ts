import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WagonKeys, WagonTask } from '../../activities/wagon/wagon-tasks.js';
import { startWagonThreads } from '../../activities/wagon/wagon-threads.js';
import { EXPECTED } from './wagon-fixture.js';

let folder: string;
let entry: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'srdf-threads-'));
  entry = join(folder, 'thread.mjs');
  // A real thread that answers one byte and dies of the byte 9: what a crash in native code looks like from outside.
  await writeFile(
    entry,
    `import { parentPort } from 'node:worker_threads';
     parentPort.on('message', ({ id, task }) => {
       if (task.bytes[0] === 9) throw new Error('the thread fell over');
       parentPort.postMessage({ id, answer: { task: 'open', bytes: task.bytes } });
     });`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const KEYS: WagonKeys = { role: 'opener', signers: [], recipientSeed: new Uint8Array(32), recipientKeyId: '' };
const task = (byte: number): WagonTask => ({ task: 'open', bytes: Uint8Array.of(byte), expectation: EXPECTED, now: 0 });

describe('a wagon thread that dies', () => {
  it('fails what it was asked, and the next task gets another thread, again and again', async () => {
    const threads = startWagonThreads(KEYS, 1, entry);
    for (let round = 0; round < 3; round++) {
      expect(await threads.run(task(1))).toMatchObject({ bytes: Uint8Array.of(1) });
      const answers = await Promise.allSettled([threads.run(task(9)), threads.run(task(2))]);
      expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      // At once, while the dead thread's last events are still to come.
      expect(await threads.run(task(3))).toMatchObject({ bytes: Uint8Array.of(3) });
    }
    await threads.close();
    await expect(threads.run(task(1))).rejects.toThrow('closed');
  });
});
