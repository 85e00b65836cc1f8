/** A process killed while it writes: nothing half is ever seen, and nothing it had finished is missing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { openInbox } from '../../activities/transport/inbox.js';
import { openSpool } from '../../activities/transport/spool.js';
import { parseHeader } from '../../activities/wagon/header.js';
import { address, Closing, STREAM } from './transport-fixture.js';

const closing = new Closing();
afterEach(() => closing.all());

const built = (path: string) => JSON.stringify(pathToFileURL(resolve(import.meta.dirname, '../../dist', path)).href);
const WAGON_BYTES = 400_000;

/** Puts wagon after wagon; says `writing n` in the middle of each, waits for a line when told to, says `stored n hash` after each. */
const program = (folder: string, waitAt: number) => `
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { openSpool } from ${built('activities/transport/spool.js')};
import { openInbox } from ${built('activities/transport/inbox.js')};
import { encodeHeader, parseHeader } from ${built('activities/wagon/header.js')};
const zero = '0'.repeat(64);
const wagon = (sequence) => Buffer.concat([encodeHeader({ kind: 'changes', stream: 'shop', epoch: 1, sequence, previousHash: zero,
  recipientKeyId: '00'.repeat(16), signerKeyId: '00'.repeat(16), sourceSite: 'paris', targetSite: 'frankfurt', createdAt: 1,
  positionFrom: 'a', positionTo: 'b', train: { index: 0, last: true }, compressedBytes: 1, plainBytes: 1 }), randomBytes(${WAGON_BYTES})]);
const options = { directory: ${JSON.stringify(folder)}, maxBytes: 2 ** 30, readHeader: parseHeader };
async function* pieces(bytes, sequence) {
  const half = bytes.length >> 1;
  yield bytes.subarray(0, half);
  console.log('writing ' + sequence);
  if (sequence === ${waitAt}) await once(process.stdin, 'data');
  yield bytes.subarray(half);
}
`;
const spoolProgram = (folder: string, waitAt: number, last: number) => `${program(folder, waitAt)}
const spool = await openSpool(options);
for (let sequence = 1; sequence <= ${last}; sequence++) {
  const { hash } = await spool.put({ stream: 'shop', kind: 'changes', epoch: 1, sequence }, pieces(wagon(sequence), sequence));
  console.log('stored ' + sequence + ' ' + hash);
}
process.exit(0);
`;
const inboxProgram = (folder: string) => `${program(folder, 0)}
const inbox = await openInbox(options);
const bytes = wagon(1);
const upload = await inbox.beginUpload({ stream: 'shop', kind: 'changes', epoch: 1, sequence: 1 },
  { hash: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length });
await upload.write(bytes.subarray(0, 150000));
console.log('written ' + bytes.length);
await once(process.stdin, 'data');
`;

interface Writer {
  readonly process: ChildProcess;
  readonly lines: string[];
  saidLine(start: string): Promise<void>;
  kill(): Promise<void>;
}
function start(source: string): Writer {
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  closing.add(kill);
  return {
    process: child,
    lines,
    kill,
    saidLine: (begin) => expect.poll(() => lines.some((it) => it.startsWith(begin)), { timeout: 20_000, interval: 5 }).toBe(true),
  };
}

const open = (directory: string) => openSpool({ directory, maxBytes: 2 ** 30, readHeader: parseHeader });
async function temporaries(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).filter((it) => it.endsWith('.tmp'));
}

test('kill -9 in the middle of a wagon: those before are whole, that one does not exist, its leftover is removed', async () => {
  const folder = join(await closing.folder(), 'spool');
  const writer = start(spoolProgram(folder, 3, 10));
  await writer.saidLine('writing 3');
  await writer.kill();
  expect(await temporaries(folder)).toHaveLength(1);
  const spool = await open(folder);
  expect(await temporaries(folder)).toEqual([]);
  const refs = await spool.list(STREAM, 'chain');
  expect(refs.map((it) => `stored ${it.sequence} ${it.hash}`)).toEqual(writer.lines.filter((it) => it.startsWith('stored')));
  expect(refs).toHaveLength(2);
  const bytes = refs.reduce((sum, it) => sum + it.bytes + 80, 0);
  expect(await spool.usage()).toMatchObject({ wagons: 2, bytes });
});

test('kill -9 at any moment: every file that is seen is whole, and what was said to be stored is there', async () => {
  const folder = join(await closing.folder(), 'spool');
  let stored = 0;
  for (let round = 1; round <= 8; round++) {
    const writer = start(spoolProgram(folder, 0, 100_000));
    await writer.saidLine(`writing ${stored + round}`);
    await writer.kill();
    const spool = await open(folder);
    const refs = await spool.list(STREAM, 'chain');
    for (const ref of refs) {
      expect(
        createHash('sha256')
          .update(await spool.read(ref))
          .digest('hex'),
      ).toBe(ref.hash);
    }
    const present = new Set(refs.map((it) => `stored ${it.sequence} ${it.hash}`));
    expect(writer.lines.filter((it) => it.startsWith('stored') && !present.has(it))).toEqual([]);
    expect(await temporaries(folder)).toEqual([]);
    stored = refs.length;
  }
  expect(stored).toBeGreaterThan(0);
});

test('another process opening the spool leaves a living writer alone', async () => {
  const folder = join(await closing.folder(), 'spool');
  const writer = start(spoolProgram(folder, 1, 1));
  await writer.saidLine('writing 1');
  const spool = await open(folder);
  expect(await spool.list(STREAM, 'chain')).toEqual([]);
  writer.process.stdin?.write('go on\n');
  await writer.saidLine('stored 1');
  expect(await spool.list(STREAM, 'chain')).toHaveLength(1);
  expect(await spool.usage()).toMatchObject({ wagons: 1 });
});

test('kill -9 of a receiving process: no wagon is seen, and what had arrived goes on', async () => {
  const folder = join(await closing.folder(), 'inbox');
  const writer = start(inboxProgram(folder));
  await writer.saidLine('written');
  await writer.kill();
  const inbox = await openInbox({ directory: folder, maxBytes: 2 ** 30, readHeader: parseHeader });
  expect(await inbox.list(STREAM, 'chain')).toEqual([]);
  expect(await inbox.received(address(1))).toBe(150_000);
  const declared = Number(writer.lines[0]?.split(' ')[1]);
  expect(await inbox.usage()).toMatchObject({ wagons: 0, bytes: declared + 80 });
});
