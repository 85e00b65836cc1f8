/** What a peer without the right certificate, or with bad intentions, meets. */
import { connect as connectTcp } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { createCertificate, generateTlsCertificate, pinCertificate, type TlsIdentity } from '../../activities/transport/certificates.js';
import { startReceiver } from '../../activities/transport/receiver.js';
import { createSender } from '../../activities/transport/sender.js';
import {
  beginPut,
  Closing,
  type Ends,
  errorOf,
  makeWagon,
  openEnds,
  rawPut,
  rawRequest,
  receiverOptions,
  STREAM,
} from './transport-fixture.js';

const closing = new Closing();
afterEach(() => closing.all());
const signal = new AbortController().signal;

function senderWith(ends: Ends, source: TlsIdentity, peerCertificate = ends.target.certificate) {
  const sender = createSender({
    url: `https://127.0.0.1:${ends.receiver.port}`,
    tls: { ...source, peerCertificate },
    spool: ends.spool,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  closing.add(() => sender.close());
  return sender;
}

/** Sends bytes over TLS and gives back all that comes until the receiver closes. */
function overTls(port: number, options: ConnectionOptions, ...parts: readonly Buffer[]): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () => {
      for (const part of parts) socket.write(part);
    });
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1');
    });
    socket.on('error', (error) => {
      heard += `[${error.message}]`;
    });
    socket.on('close', () => resolve(heard));
  });
}

async function nothingStored(ends: Ends): Promise<void> {
  expect(ends.verified).toEqual([]);
  expect(await ends.inbox.usage()).toMatchObject({ wagons: 0 });
}

describe('certificates', () => {
  test('are for exactly one site, usable at both ends, and pinned by their bytes', async () => {
    const { certificate } = await generateTlsCertificate({ site: 'paris', days: 30 });
    const { X509Certificate } = await import('node:crypto');
    const parsed = new X509Certificate(certificate);
    expect(parsed.subject).toBe('CN=paris');
    expect(parsed.subjectAltName).toBe('DNS:paris');
    expect(parsed.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(parsed.ca).toBe(false);
    const pin = pinCertificate(certificate);
    expect(pin(parsed.raw, new Date())).toBeNull();
    expect(pin(undefined, new Date())?.found).toContain('no certificate');
    expect(pin(parsed.raw, new Date(Date.now() + 31 * 86_400_000))).toMatchObject({
      found: expect.stringContaining('expired'),
      early: false,
    });
    expect(pin(parsed.raw, new Date(Date.now() - 86_400_000))).toMatchObject({
      found: expect.stringContaining('valid only from'),
      early: true,
    });
    const again = await generateTlsCertificate({ site: 'paris', days: 30 });
    expect(pin(new X509Certificate(again.certificate).raw, new Date())?.found).toContain('another certificate');
    await expect(generateTlsCertificate({ site: '../paris', days: 30 })).rejects.toMatchObject({ code: 'config-invalid' });
    expect(() => pinCertificate('no certificate')).toThrow(/not an X.509 certificate/);
  });

  test("another source's certificate with the same name: receiver-refused, said on both sides", async () => {
    const ends = await openEnds(closing);
    const wagon = makeWagon(1, 300_000);
    await ends.spool.put(wagon.address, wagon.bytes);
    const stranger = await generateTlsCertificate({ site: 'paris', days: 30 });
    const error = await errorOf(senderWith(ends, stranger).ship(wagon.ref, { signal }));
    expect(error).toMatchObject({ code: 'receiver-refused', retryable: false });
    expect(error.message).toContain('another certificate');
    expect(ends.said.some((it) => it.includes('another certificate'))).toBe(true);
    await nothingStored(ends);
  });

  test('no certificate at all', async () => {
    const ends = await openEnds(closing);
    const answer = await rawRequest(ends.receiver.port, { method: 'GET', path: '/v1/health' });
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'receiver-refused', found: 'no certificate was presented' });
  });

  test('an expired one, and one not yet valid, though they are the pinned ones', async () => {
    const day = 86_400_000;
    for (const [from, to, status, words] of [
      [-20, -1, 403, 'expired'],
      [1, 20, 503, 'valid only from'],
    ] as const) {
      const source = await createCertificate('paris', new Date(Date.now() + from * day), new Date(Date.now() + to * day));
      const ends = await openEnds(closing, { source });
      const answer = await rawRequest(ends.receiver.port, { method: 'GET', path: '/v1/health', key: source.key, cert: source.certificate });
      expect(answer.status).toBe(status);
      expect(answer.body).toContain(words);
    }
  });

  test('one not yet valid is waited for, at either end: a clock that was set wrong ends nothing', async () => {
    const day = 86_400_000;
    const early = (site: string) => createCertificate(site, new Date(Date.now() + day), new Date(Date.now() + 20 * day));
    const ends = await openEnds(closing, { source: await early('paris') });
    const atTarget = await errorOf(ends.sender.foreignKeys(STREAM, signal));
    expect(atTarget).toMatchObject({ code: 'receiver-unreachable', retryable: true });
    expect(atTarget.facts.action).toContain('the clock of the target');
    const frankfurt = await early('frankfurt');
    const receiver = await startReceiver(receiverOptions(ends.inbox, frankfurt, ends.source));
    closing.add(() => receiver.close());
    const atSource = await errorOf(senderWith({ ...ends, receiver }, ends.source, frankfurt.certificate).foreignKeys(STREAM, signal));
    expect(atSource).toMatchObject({ code: 'receiver-unreachable', retryable: true });
    expect(atSource.facts.action).toContain('the clock of the source');
  });

  test('a receiver that is not the pinned one gets nothing: not a byte of a request', async () => {
    const ends = await openEnds(closing);
    const impostor = await generateTlsCertificate({ site: 'frankfurt', days: 30 });
    const error = await errorOf(senderWith(ends, ends.source, impostor.certificate).foreignKeys(STREAM, signal));
    expect(error).toMatchObject({ code: 'receiver-refused', retryable: false });
    expect(error.facts.action).toContain('fingerprints');
    expect(ends.said.filter((it) => it.includes('foreign'))).toEqual([]);
  });

  test('an expired receiver is refused by the sender', async () => {
    const ends = await openEnds(closing);
    const expired = await createCertificate('frankfurt', new Date(Date.now() - 86_400_000), new Date(Date.now() - 1_000));
    const receiver = await startReceiver(receiverOptions(ends.inbox, expired, ends.source));
    closing.add(() => receiver.close());
    const error = await errorOf(senderWith({ ...ends, receiver }, ends.source, expired.certificate).foreignKeys(STREAM, signal));
    expect(error).toMatchObject({ code: 'receiver-refused' });
    expect(error.message).toContain('expired');
  });

  test('TLS 1.2 is refused', async () => {
    const ends = await openEnds(closing);
    const { key, certificate: cert } = ends.source;
    expect(await overTls(ends.receiver.port, { key, cert, maxVersion: 'TLSv1.2' })).toMatch(/protocol version/);
    const spoken = await rawRequest(ends.receiver.port, { method: 'GET', path: '/v1/health', key, cert });
    expect(spoken.status).toBe(200);
  });
});

describe('requests', () => {
  test.each([
    '/v1/streams/..%2f..%2fetc/changes/1/1',
    '/v1/streams/../../etc/changes/1/1',
    '/v1/streams/shop/changes/1/../1',
    '/v1/streams/shop/arriving/1/1',
    '/v1/streams/shop/changes/01/1',
    '/v1/streams/shop/changes/0/1',
    '/v1/streams/shop/changes/1/-1',
    '/v1/streams/shop/changes/1/1e3',
    '/v1/streams/shop/changes/1/0x10',
    '/v1/streams/shop/changes/1/9007199254740993',
    '/v1/streams/shop/changes/1/1%00',
    '/v1/streams/Shop/changes/1/1',
    '/v1/streams/shop/changes/1/1?x=1',
    '/v1/streams/shop/changes/1/1/',
    '//v1/streams/shop/changes/1/1',
    '/v1/streams/unknown/changes/1/1',
    '/v2/streams/shop/changes/1/1',
    '*',
  ])('nothing is stored at %s', async (path) => {
    const ends = await openEnds(closing);
    const answer = await rawPut(ends, makeWagon(1), { path });
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'receiver-refused' });
    await nothingStored(ends);
  });

  test.each<[string, number, Record<string, string>]>([
    ['no hash', 400, { 'Srdf-Hash': '' }],
    ['a hash in capitals', 400, { 'Srdf-Hash': 'A'.repeat(64) }],
    ['a length that is no number', 400, { 'Srdf-Length': '1e3' }],
    ['a negative length', 400, { 'Srdf-Length': '-1' }],
    ['an empty wagon', 400, { 'Srdf-Length': '0' }],
    ['a length beyond the limit', 413, { 'Srdf-Length': String(2 ** 40) }],
    ['a body beyond the declared size', 400, { 'Srdf-Length': '100' }],
    ['an offset that the receiver does not have', 400, { 'Srdf-Offset': '100' }],
    ['an offset that is no number', 400, { 'Srdf-Offset': '0.5' }],
  ])('%s: %i', async (_what, status, headers) => {
    const ends = await openEnds(closing);
    const answer = await rawPut(ends, makeWagon(1), { headers });
    expect(answer.status).toBe(status);
    expect(Object.keys(JSON.parse(answer.body) as object).sort()).toEqual(['action', 'code', 'found']);
    await nothingStored(ends);
  });

  test('the wrong offset: told the right one', async () => {
    const ends = await openEnds(closing);
    const answer = await rawPut(ends, makeWagon(1), { offset: 50 });
    expect(answer.status).toBe(409);
    expect(answer.headers['srdf-offset']).toBe('0');
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'wrong-offset' });
  });

  test('a body without a length: 411', async () => {
    const ends = await openEnds(closing);
    const wagon = makeWagon(1);
    const answer = await rawRequest(ends.receiver.port, {
      key: ends.source.key,
      cert: ends.source.certificate,
      method: 'PUT',
      path: '/v1/streams/shop/changes/1/1',
      headers: {
        'Srdf-Hash': wagon.ref.hash,
        'Srdf-Length': String(wagon.bytes.length),
        'Srdf-Offset': '0',
        'Transfer-Encoding': 'chunked',
      },
      body: wagon.bytes,
    });
    expect(answer.status).toBe(411);
    await nothingStored(ends);
  });

  test('bytes that do not have the hash announced: wagon-checksum, nothing kept', async () => {
    const ends = await openEnds(closing);
    const wagon = makeWagon(1);
    const answer = await rawPut(ends, { ...wagon, bytes: Buffer.alloc(wagon.bytes.length) });
    expect(answer.status).toBe(422);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'wagon-checksum' });
    expect(await ends.inbox.usage()).toMatchObject({ wagons: 0, bytes: 0 });
  });

  test('garbage whose hash is right: refused by the verifier as malformed', async () => {
    const ends = await openEnds(closing);
    const { createHash, randomBytes } = await import('node:crypto');
    const bytes = randomBytes(5_000);
    const hash = createHash('sha256').update(bytes).digest('hex');
    const answer = await rawPut(ends, { ...makeWagon(1), bytes }, { headers: { 'Srdf-Hash': hash } });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'wagon-malformed' });
    expect(await ends.inbox.usage()).toMatchObject({ wagons: 0, bytes: 0 });
  });

  test('garbage instead of HTTP, and headers without end, close the connection and harm nobody else', async () => {
    const ends = await openEnds(closing);
    const tls = { key: ends.source.key, cert: ends.source.certificate };
    const { randomBytes } = await import('node:crypto');
    expect(await overTls(ends.receiver.port, tls, randomBytes(2_000))).toMatch(/400 Bad Request/);
    const endless = Buffer.from(`GET /v1/health HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`);
    expect(await overTls(ends.receiver.port, tls, endless)).toMatch(/431/);
    await new Promise<void>((resolve) => {
      const socket = connectTcp(ends.receiver.port, '127.0.0.1', () => socket.write(randomBytes(500)));
      socket.on('error', () => undefined);
      socket.resume();
      socket.on('close', () => resolve());
    });
    expect((await rawPut(ends, makeWagon(1))).status).toBe(201);
  });

  test('headers that never come to an end are given up', async () => {
    const ends = await openEnds(closing, { limits: { headersMilliseconds: 300 } });
    const tls = { key: ends.source.key, cert: ends.source.certificate };
    expect(await overTls(ends.receiver.port, tls, Buffer.from('GET /v1/health HTTP/1.1\r\nHost:'))).toMatch(/408/);
  });

  test('a body that comes too slowly is given up; what came is kept', async () => {
    const ends = await openEnds(closing, { limits: { slowWindowMilliseconds: 300, minimumBytesPerSecond: 4 } });
    const wagon = makeWagon(1, 50_000);
    const answer = await rawPut(ends, wagon, { onRequest: (request) => request.write(wagon.bytes.subarray(0, 10_000)) });
    expect(answer.status).toBe(408);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'receiver-busy' });
    expect((await rawPut(ends, wagon, { offset: 10_000 })).status).toBe(201);
  });

  test('more connections than allowed are closed; those there go on', async () => {
    const ends = await openEnds(closing, { limits: { connections: 1 } });
    const wagon = makeWagon(1, 50_000);
    const first = await beginPut(ends, wagon, 10_000);
    await expect(rawPut(ends, makeWagon(2))).rejects.toThrow();
    expect((await first.finish()).status).toBe(201);
  });

  test('methods and receipts that do not exist', async () => {
    const ends = await openEnds(closing);
    const tls = { key: ends.source.key, cert: ends.source.certificate };
    const path = '/v1/streams/shop/changes/1/1';
    expect((await rawRequest(ends.receiver.port, { ...tls, method: 'DELETE', path })).status).toBe(405);
    expect((await rawRequest(ends.receiver.port, { ...tls, method: 'GET', path: `${path}/receipts/applied` })).status).toBe(404);
    expect((await rawRequest(ends.receiver.port, { ...tls, method: 'GET', path: `${path}/receipts/wagon` })).status).toBe(404);
  });

  test('a listening address that is taken or is none: config-invalid', async () => {
    const ends = await openEnds(closing);
    for (const listen of [`127.0.0.1:${ends.receiver.port}`, 'nowhere', '127.0.0.1:99999']) {
      expect(await errorOf(startReceiver({ ...receiverOptions(ends.inbox, ends.target, ends.source), listen }))).toMatchObject({
        code: 'config-invalid',
      });
    }
  });
});
