/** Requests made to be read in two ways, and lengths, ranges and addresses that lie: by a client that holds the right certificate. */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Closing, type Ends, makeWagon, openEnds, rawPut, rawRequest } from '../integration/transport-fixture.js';
import { speak } from './raw-connection.js';

const closing = new Closing();
let ends: Ends;
let tls: { key: string; cert: string };
beforeAll(async () => {
  ends = await openEnds(closing, { limits: { headersMilliseconds: 1_000, slowWindowMilliseconds: 500, minimumBytesPerSecond: 100 } });
  tls = { key: ends.source.key, cert: ends.source.certificate };
});
afterAll(() => closing.all());

/** What lies in the inbox's folders, by path: nothing is to be added by an attack. */
const files = async (): Promise<string[]> =>
  (await readdir(join(ends.folder, 'inbox'), { recursive: true, withFileTypes: true }))
    .filter((it) => it.isFile())
    .map((it) => join(it.parentPath, it.name))
    .sort();
let before: string[] = [];
let next = 1;
/** After each: nothing has changed, and the next honest wagon is taken. */
afterEach(async () => {
  // An answer of the HTTP parser may come while the request before it still ends.
  await expect.poll(files).toEqual(before);
  const wagon = makeWagon(next++);
  expect((await rawPut(ends, wagon)).status).toBe(201);
  expect(
    createHash('sha256')
      .update(await ends.inbox.read(wagon.address))
      .digest('hex'),
  ).toBe(wagon.ref.hash);
  before = await files();
});

const hidden = makeWagon(900, 200);
const head = (wagon = hidden, over: Readonly<Record<string, string>> = {}): string => {
  const headers: Record<string, string> = {
    Host: 'x',
    'Srdf-Hash': wagon.ref.hash,
    'Srdf-Length': String(wagon.bytes.length),
    'Srdf-Offset': '0',
    'Content-Length': String(wagon.bytes.length),
    ...over,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `PUT /v1/streams/shop/changes/1/${wagon.address.sequence} HTTP/1.1\r\n${lines.join('')}`;
};
const statuses = (heard: string): number[] =>
  [...heard.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((it) => Number(it[1])).filter((it) => it !== 100);

describe('a request hidden in another', () => {
  const inner = Buffer.concat([Buffer.from(`${head()}\r\n`), hidden.bytes]);
  const behind = (front: string): Buffer => Buffer.concat([Buffer.from(front), inner]);
  const get = (headers: string): string => `GET /v1/health HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;

  test.each<[string, Buffer]>([
    ['as the body of a question', behind(get(`Content-Length: ${inner.length}\r\n`))],
    ['behind a length and a transfer encoding', behind(get('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n'))],
    ['behind two lengths', behind(get(`Content-Length: 0\r\nContent-Length: ${inner.length}\r\n`))],
    ['behind a list of lengths', behind(get(`Content-Length: 0, ${inner.length}\r\n`))],
    ['behind a length with a sign', behind(get(`Content-Length: +${inner.length}\r\n`))],
    ['behind a negative length', behind(get('Content-Length: -1\r\n'))],
    ['behind a length beyond 64 bits', behind(get(`Content-Length: ${'9'.repeat(40)}\r\n`))],
    ['behind a folded header', behind(get(`X: y\r\n Content-Length: ${inner.length}\r\n`))],
    ['behind a header name with a blank', behind(get(`Content-Length : ${inner.length}\r\n`))],
    ['behind a header with a bare line feed', behind(get(`X: y\nContent-Length: ${inner.length}\r\n`))],
    ['behind a header with NUL', behind(get('X: \0\r\n'))],
    ['behind an unknown transfer encoding', behind(get('Transfer-Encoding: xchunked\r\n'))],
    ['behind chunks that are coded twice', behind(get('Transfer-Encoding: chunked, identity\r\n'))],
    ['behind a chunk whose size is none', behind(`${get('Transfer-Encoding: chunked\r\n')}zz\r\n`)],
    ['behind a chunk larger than 64 bits', behind(`${get('Transfer-Encoding: chunked\r\n')}${'f'.repeat(20)}\r\n`)],
    ['behind a line feed alone', behind('GET /v1/health HTTP/1.1\nHost: x\n\n')],
    ['behind a protocol that does not exist', behind('GET /v1/health HTTP/9.9\r\nHost: x\r\n\r\n')],
  ])('%s is not carried out', async (_what, text) => {
    const heard = await speak(ends.receiver.port, tls, text);
    expect(statuses(heard)).not.toContain(201);
    expect(await ends.inbox.received(hidden.address)).toBe(0);
    expect((await rawRequest(ends.receiver.port, { ...tls, method: 'GET', path: '/v1/health' })).status).toBe(200);
  });

  test('behind a wagon shorter than it says: the rest is not a request', async () => {
    const front = makeWagon(901, 100);
    const heard = await speak(
      ends.receiver.port,
      tls,
      Buffer.concat([
        Buffer.from(`${head(front, { 'Content-Length': String(front.bytes.length + inner.length) })}\r\n`),
        front.bytes,
        inner,
      ]),
    );
    expect(statuses(heard)).toEqual([400]);
  });

  test('by CONNECT, an upgrade or an expectation', async () => {
    for (const text of [
      'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
      'GET http://127.0.0.1:22/v1/health HTTP/1.1\r\nHost: x\r\n\r\n',
      `${head(hidden, { Expect: '200-ok' })}\r\n`,
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ]) {
      const heard = await speak(ends.receiver.port, tls, text);
      expect(statuses(heard)).not.toContain(201);
      expect(statuses(heard)).not.toContain(101);
    }
  });
});

describe('a wagon announced with', () => {
  test.each<[string, Record<string, string>]>([
    ['two hashes', { 'Srdf-Hash': `${hidden.ref.hash}\r\nSrdf-Hash: ${'0'.repeat(64)}` }],
    ['two sizes', { 'Srdf-Length': `${hidden.bytes.length}\r\nSrdf-Length: 5` }],
    ['two offsets', { 'Srdf-Offset': '0\r\nSrdf-Offset: 1' }],
    ['a size that is an octal, a float, beyond 53 bits', { 'Srdf-Length': '9007199254740993' }],
    ['a size beyond what is taken, and one byte', { 'Srdf-Length': String(2 ** 52), 'Content-Length': '1' }],
    ['a negative offset', { 'Srdf-Offset': '-1' }],
    ['an offset whose end is beyond 53 bits', { 'Srdf-Offset': '9007199254740991' }],
    ['an offset at its very end', { 'Srdf-Offset': String(hidden.bytes.length), 'Content-Length': '0' }],
    ['no body', { 'Content-Length': '0' }],
    ['a content range', { 'Content-Range': 'bytes 0-9/10', 'Srdf-Offset': '10', 'Content-Length': '1' }],
  ])('%s', async (_what, headers) => {
    const [status] = statuses(
      await speak(ends.receiver.port, tls, Buffer.concat([Buffer.from(`${head(hidden, headers)}\r\n`), hidden.bytes])),
    );
    expect([400, 409, 413]).toContain(status);
    expect(await ends.inbox.received(hidden.address)).toBe(0);
  });
});

describe('an address', () => {
  test.each([
    '/v1/streams/shop/changes/1/%2e%2e/%2e%2e/etc',
    '/v1/streams/%2e%2e/changes/1/900',
    '/v1/streams/shop%00/changes/1/900',
    '/v1/streams/shop/changes%2f1/900',
    '/v1/streams/shop/../../../../etc/passwd',
    '/v1/streams/shop\\..\\changes/1/900',
    '/v1/streams/shop/range/1/../../chain/1/900',
    '/v1/streams/shop/changes/1/99999999999999999999',
    '/v1/streams/shop/changes/+1/900',
    '/v1/streams/shop/changes/1/９',
    '/v1/streams/shop/changes/1/900;x',
    '/v1/streams/shop/changes/1/900#x',
    `/v1/streams/${'a'.repeat(4_000)}/changes/1/900`,
    '/v1/streams/shop/Changes/1/900',
    '/v1/streams/shop/changes/1/',
    'file:///v1/streams/shop/changes/1/900',
    'https://else.example/v1/streams/shop/changes/1/900',
  ])('of tricks is none: %#', async (path) => {
    const text = head().replace('/v1/streams/shop/changes/1/900', path);
    const [status] = statuses(await speak(ends.receiver.port, tls, Buffer.concat([Buffer.from(`${text}\r\n`), hidden.bytes])));
    expect([400, 404]).toContain(status);
  });

  test.each([
    '/v1/streams/crm/changes/1/900',
    '/v1/streams/shop/changes/2/900',
    '/v1/streams/shop/changes/1/901',
    '/v1/streams/shop/ddl/1/900',
    '/v1/streams/shop/range/1/900',
  ])("that isn't the one in the wagon's header: %s", async (path) => {
    const answer = await rawPut(ends, hidden, { path });
    expect([403, 404]).toContain(answer.status);
    expect(JSON.parse(answer.body)).toMatchObject({ code: expect.stringMatching(/^(wagon-destination|receiver-refused)$/) });
  });
});
