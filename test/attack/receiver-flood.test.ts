/** A thousand connections of strangers, and as many lines they would have the receiver write: the pinned peer is served all the same. */
import type { Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { generateTlsCertificate } from '../../activities/transport/certificates.js';
import { beginPut, Closing, makeWagon, openEnds, rawPut, rawRequest } from '../integration/transport-fixture.js';
import { holdOpen, speak } from './raw-connection.js';

const closing = new Closing();
afterEach(() => closing.all());
const signal = new AbortController().signal;

const flood = async (port: number, connections: number): Promise<Socket[]> => {
  const held: Socket[] = [];
  closing.add(() => {
    for (const socket of held) socket.destroy();
  });
  for (let at = 0; at < connections; at += 100)
    held.push(...(await Promise.all(Array.from({ length: Math.min(100, connections - at) }, () => holdOpen(port)))));
  return held;
};

test('1,000 connections that never say a word, from the same address: a wagon is shipped meanwhile, and few of them are held', async () => {
  const ends = await openEnds(closing);
  const held = await flood(ends.receiver.port, 1_000);
  await expect.poll(() => held.filter((it) => !it.destroyed).length, { timeout: 30_000 }).toBeLessThanOrEqual(256);
  const wagon = makeWagon(1, 300_000);
  await ends.spool.put(wagon.address, wagon.bytes);
  const { bytesSent } = await ends.sender.ship(wagon.ref, { signal });
  expect(bytesSent).toBe(wagon.bytes.length);
  expect((await ends.inbox.usage()).wagons).toBe(1);
  expect(ends.said.filter((it) => it.includes('too many connections')).length).toBeLessThanOrEqual(30);
});

test('strangers of one address give way before those of another', async () => {
  const ends = await openEnds(closing, { limits: { strangers: 10 } });
  const [alone] = await Promise.all([holdOpen(ends.receiver.port, '127.0.0.2')]);
  const crowd = await flood(ends.receiver.port, 30);
  await expect.poll(() => crowd.filter((it) => !it.destroyed).length).toBe(9);
  expect(alone.destroyed).toBe(false);
  alone.destroy();
});

test("the peer's own connections are not taken by strangers, nor the strangers' places by the peer", async () => {
  const ends = await openEnds(closing, { limits: { strangers: 5, connections: 1 } });
  const wagon = makeWagon(1, 50_000);
  const first = await beginPut(ends, wagon, 10_000);
  await flood(ends.receiver.port, 50);
  await expect(rawPut(ends, makeWagon(2))).rejects.toThrow();
  expect((await first.finish()).status).toBe(201);
});

test('strangers that knock 300 times fill no log: the rest is counted, and what the peer does is said all the same', async () => {
  const ends = await openEnds(closing, { limits: { logLines: 10, logWindowMilliseconds: 2_000 } });
  const { key, certificate: cert } = await generateTlsCertificate({ site: 'paris', days: 1 });
  const lines = (text: string) => ends.said.filter((it) => it.includes(text));
  let knocks = 0;
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => speak(ends.receiver.port, { key, cert }, 'GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n')),
    );
    for (const it of answers) if (it.includes('403 Forbidden')) knocks++;
  }
  expect(knocks).toBe(300);
  const wagon = makeWagon(1);
  await rawPut(ends, { ...wagon, bytes: Buffer.alloc(wagon.bytes.length) });
  expect(lines('wagon-checksum').length).toBe(1);
  // In the end each knock is either a line of its own or counted in one.
  const accounted = () => lines('connection refused').reduce((sum, it) => sum + Number(/"suppressed":(\d+)/.exec(it)?.[1] ?? 1), 0);
  await expect.poll(accounted, { timeout: 10_000 }).toBe(300);
  expect(lines('connection refused').length).toBeLessThan(100);
});

test('an expired one, one of another pair, and none: none of them costs memory', async () => {
  const ends = await openEnds(closing);
  const other = await generateTlsCertificate({ site: 'paris', days: 30 });
  const knock = async (rounds: number) => {
    for (let round = 0; round < rounds; round++)
      await Promise.all(
        Array.from({ length: 50 }, (_, at) =>
          rawRequest(ends.receiver.port, {
            method: 'GET',
            path: '/v1/health',
            ...(at % 2 === 0 ? {} : { key: other.key, cert: other.certificate }),
          }).then((it) => expect(it.status).toBe(403)),
        ),
      );
  };
  await knock(2);
  global.gc?.();
  const before = process.memoryUsage().rss;
  await knock(8);
  expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(100);
  expect((await rawPut(ends, makeWagon(1))).status).toBe(201);
});
