/**
 * The receiver over a real TLS socket, asked by somebody who holds the source's certificate: whatever he sends, he is answered in HTTP
 * or cut off, the receiver meets no error of its own, and nothing but honest wagons is stored. Input: what is sent after the handshake.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { generateTlsCertificate, type TlsIdentity } from '../../../activities/transport/certificates.js';
import { openInbox } from '../../../activities/transport/inbox.js';
import { type Receiver, startReceiver } from '../../../activities/transport/receiver.js';
import type { WagonHash } from '../../../activities/vocabulary.js';
import { parseHeader } from '../../../activities/wagon/header.js';
import { verifyWagon } from '../../../activities/wagon/open-wagon.js';
import { type FuzzTarget, require, Violation } from '../contract.js';
import { corpusFiles } from '../corpus.js';
import { EXPECTED, NOW, openingKeys } from '../known-keys.js';
import { mutateBytes, mutateText } from '../mutate-bytes.js';

const hashOf = (bytes: Uint8Array): WagonHash => createHash('sha256').update(bytes).digest('hex') as WagonHash;
const wagons = corpusFiles('wagon').map((file) => file.bytes);
const honest = new Set<string>(wagons.map(hashOf));
/** Longer than any of the receiver's own limits here. */
const PATIENCE_MILLISECONDS = 10_000;

const pathOf = (wagon: Uint8Array): string => {
  const { stream, kind, epoch, sequence } = parseHeader(wagon).header;
  return `/v1/streams/${stream}/${kind}/${epoch}/${sequence}`;
};
const announced = (wagon: Uint8Array): string => `Srdf-Hash: ${hashOf(wagon)}\r\nSrdf-Length: ${wagon.length}\r\n`;
const ask = (method: string, path: string, headers = ''): string => `${method} ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
const upload = (wagon: Buffer, from = 0, to = wagon.length): Buffer =>
  Buffer.concat([
    Buffer.from(ask('PUT', pathOf(wagon), `${announced(wagon)}Srdf-Offset: ${from}\r\nContent-Length: ${to - from}\r\n`)),
    wagon.subarray(from, to),
  ]);
const WORDS = [
  '\r\n',
  '\r\n\r\n',
  ' ',
  '/',
  '..',
  '%2e%2e%2f',
  '%00',
  '//',
  '?',
  '#',
  '-1',
  '0',
  '00',
  '1e3',
  '99999999999999999999',
  '9007199254740991',
  'PUT',
  'GET',
  'HEAD',
  'POST',
  'CONNECT',
  'HTTP/1.0',
  'HTTP/2.0',
  'Transfer-Encoding: chunked\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\n',
  'Expect: 100-continue\r\n',
  'Connection: upgrade\r\nUpgrade: h2c\r\n',
  'Srdf-Offset: 1\r\n',
  'Srdf-Length: 1\r\n',
  'Srdf-Hash: 00\r\n',
  'offset',
  'receipts/applied',
  'receipts/received',
  'foreign-keys',
  'changes',
  'ddl',
  'range',
  'schema',
  'shop',
  '__proto__',
  '\0',
  '\xff',
] as const;

interface Running {
  readonly receiver: Receiver;
  readonly source: TlsIdentity;
  readonly folder: string;
  readonly failures: string[];
  readonly taken: string[];
}
let running: Promise<Running> | null = null;

async function start(): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'srdf-fuzz-receiver-'));
  const source = await generateTlsCertificate({ site: 'paris', days: 30 });
  const target = await generateTlsCertificate({ site: 'frankfurt', days: 30 });
  const failures: string[] = [];
  const taken: string[] = [];
  const receiver = await startReceiver({
    tls: { ...target, peerCertificate: source.certificate },
    listen: '127.0.0.1:0',
    inbox: await openInbox({ directory: join(folder, 'inbox'), maxBytes: 2 ** 26, readHeader: parseHeader }),
    verify: async (sealed) => {
      const verified = verifyWagon(sealed, EXPECTED, openingKeys, NOW);
      taken.push(verified.hash);
      return verified;
    },
    issueReceipt: (at, hash) => Buffer.from(`${at.kind} ${at.sequence} ${hash}`),
    foreignKeys: async () => [],
    knowsStream: (stream) => stream === EXPECTED.stream,
    log: {
      info: () => undefined,
      warn: () => undefined,
      error: (facts: unknown, message?: string) => {
        const { err, alarm } = facts as { readonly err?: Error; readonly alarm?: boolean };
        if (alarm !== true) failures.push(`${message}: ${err?.stack ?? JSON.stringify(facts)}`);
      },
    },
    limits: { wagonBytes: 2 ** 24, headersMilliseconds: 1_000, slowWindowMilliseconds: 500 },
  });
  return { receiver, source, folder, failures, taken };
}

function send(it: Running, input: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect({
      host: '127.0.0.1',
      port: it.receiver.port,
      key: it.source.key,
      cert: it.source.certificate,
      rejectUnauthorized: false,
    });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Violation(`the receiver neither ends nor cuts the connection; it said ${JSON.stringify(heard.slice(0, 200))}`));
    }, PATIENCE_MILLISECONDS);
    socket.once('secureConnect', () => socket.end(input));
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1');
    });
    // Cut off in the middle of what it sends: the receiver's right.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(heard);
    });
  });
}

export const receiver: FuzzTarget = {
  name: 'receiver',
  refusals: new Set(),
  corpus: () => {
    const [first = Buffer.alloc(0), ...others] = wagons;
    const path = pathOf(first);
    return [
      ...[first, ...others].map((wagon) => upload(wagon)),
      Buffer.concat([upload(first, 0, 1_000), upload(first, 1_000)]),
      ...[
        ask('GET', `${path}/offset`, announced(first)),
        ask('HEAD', `${path}/offset`, announced(first)),
        ask('GET', `${path}/receipts/received`),
        ask('GET', '/v1/streams/shop/foreign-keys'),
        ask('GET', '/v1/health'),
      ].map((it) => Buffer.from(it)),
    ];
  },
  mutate: (input, random) => {
    const headers = Buffer.from(input).indexOf('\r\n\r\n') + 4;
    if (random.chance(4)) return Buffer.concat([input.subarray(0, headers), mutateBytes(input.subarray(headers), random)]);
    return Buffer.concat([mutateText(input.subarray(0, headers), WORDS, random), input.subarray(headers)]);
  },
  run: async (input) => {
    running ??= start();
    const it = await running;
    const answer = await send(it, input);
    const failures = it.failures.splice(0);
    require(failures.length === 0, () => failures.join('\n'));
    require(answer === '' || /^HTTP\/1\.1 \d{3} /.test(answer), () => `the answer ${JSON.stringify(answer.slice(0, 200))}`);
    const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
    require(!statuses.includes(500), () => answer.slice(0, 1_000));
    for (const hash of it.taken.splice(0)) require(honest.has(hash), () => `a wagon that nobody made was taken: ${hash}`);
  },
  close: async () => {
    const it = await running;
    running = null;
    if (it === null) return;
    await it.receiver.close();
    await rm(it.folder, { recursive: true, force: true });
  },
};
