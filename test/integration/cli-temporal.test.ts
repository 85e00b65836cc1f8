/** Commands against a real Temporal server whose sites are silent, or that isn't there: what an operator sees when things are down. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand } from '../../client/program.js';
import { exitCodeOf } from '../../client/rendering/exit-codes.js';
import { type DevServer, startDevServer } from '../../temporal/dev-server.js';
import { freePort } from '../servers/database-server.js';

let folder: string;
let temporal: DevServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'srdf-cli-'));
  temporal = await startDevServer({ directory: join(folder, 'temporal') });
  await writeFile(join(folder, 'payload.key'), 'ab'.repeat(32), { mode: 0o600 });
});
afterAll(async () => {
  await temporal?.kill();
  await rm(folder, { recursive: true, force: true });
});

async function srdf(address: string, ...argv: string[]): Promise<{ exit: number; out: string; err: string }> {
  const config = join(folder, 'srdf.yaml');
  await writeFile(
    config,
    `pair: shop
temporal: {address: '${address}', payloadKey: {file: payload.key}}
source: {name: paris, state: s, keys: k}
target: {name: frankfurt, state: t, keys: k, receiver: {url: 'https://127.0.0.1:1'}}
streams: [{name: shop, engine: mariadb, databases: [shop], source: {host: a, user: u}, target: {host: b, user: u}}]
`,
  );
  let out = '';
  let err = '';
  const exit = await runCommand([...argv, '-c', config], {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    live: false,
    columns: 100,
    environment: {},
    signal: new AbortController().signal,
  });
  return { exit, out, err };
}

it('status without any worker says which site is silent and what to start', async () => {
  const { exit, out } = await srdf(temporal.address, 'status', 'shop', '--json');
  expect(exit).toBe(0);
  const { streams } = JSON.parse(out) as {
    streams: { phase: string; next: string; unreachable: { site: string; why: { code: string } }[] }[];
  };
  expect(streams[0]).toMatchObject({
    phase: 'unknown',
    unreachable: [{ site: 'source' }, { site: 'target', why: { code: 'worker-silent' } }],
  });
  const { out: text } = await srdf(temporal.address, 'status');
  expect(text).toContain('srdf worker target');
});

it.each([['suspend'], ['resume']])('%s of a stream that is not established says how to establish it', async (command) => {
  const { exit, err } = await srdf(temporal.address, command, 'shop');
  expect(exit).toBe(exitCodeOf('ledger-missing'));
  expect(err).toContain('srdf establish shop');
});

it('a decision where no dead letter waits says so', async () => {
  const { exit, err } = await srdf(temporal.address, 'dead-letters', 'retry', 'shop');
  expect(exit).toBe(exitCodeOf('wagon-missing'));
  expect(err).toContain('no wagon waits');
});

it('dead-letters list does not take silence for an empty list', async () => {
  expect((await srdf(temporal.address, 'dead-letters', 'list')).exit).toBe(exitCodeOf('worker-silent'));
});

it('no Temporal at the address: says where it was sought and what to do', async () => {
  const { exit, err } = await srdf(`127.0.0.1:${await freePort()}`, 'status');
  expect(exit).toBe(exitCodeOf('temporal-unreachable'));
  expect(err).toMatch(/tried .*127\.0\.0\.1:.*\n.*found .*\n.*do .*Temporal server/s);
});
