import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { engineOf, loadConfig, parseConfig, resolveSecret, selectionOf, streamOf } from '../../config/load.js';
import { type ErrorCode, SrdfError } from '../../temporal/error-catalogue.js';

const VALID = `pair: shop
source: {name: paris, state: state/source, keys: keys/paris}
target:
  name: frankfurt
  state: /var/lib/srdf
  keys: keys/frankfurt
  receiver: {url: 'https://standby.example:7443'}
streams:
  - name: orders
    engine: mariadb
    databases: [shop, crm]
    include: [shop.orders]
    exclude: [crm.sessions]
    every: 5s
    wagon: {bytes: 2MiB}
    source: {host: db1.example, user: srdf, password: {env: SRDF_SOURCE_PASSWORD}}
    target: {socket: /run/mysqld/mysqld.sock, user: srdf, password: {file: secrets/target}}
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'srdf-config-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function refusal(action: () => unknown): Promise<SrdfError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof SrdfError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}
async function expectRefused(action: () => unknown, code: ErrorCode): Promise<SrdfError> {
  const error = await refusal(action);
  expect(error.code).toBe(code);
  return error;
}

describe('loadConfig', () => {
  it('fills in the defaults, reads units and resolves relative paths against the file', async () => {
    await writeFile(join(folder, 'srdf.yaml'), VALID);
    const config = await loadConfig(join(folder, 'srdf.yaml'));
    expect(config.source).toEqual({
      name: 'paris',
      state: join(folder, 'state/source'),
      keys: join(folder, 'keys/paris'),
      maxBytes: 20 * 2 ** 30,
    });
    expect(config.target.state).toBe('/var/lib/srdf');
    expect(config.target.receiver).toEqual({ listen: '0.0.0.0:7443', url: 'https://standby.example:7443' });
    const [stream] = config.streams;
    expect(stream).toMatchObject({ every: 5_000, wagon: { changes: 20_000, bytes: 2 * 2 ** 20 }, source: { port: 3306 } });
    expect(stream?.target.password).toEqual({ file: join(folder, 'secrets/target') });
  });

  it('says how to get a config where there is none', async () => {
    const error = await expectRefused(() => loadConfig(join(folder, 'absent.yaml')), 'config-invalid');
    expect(error.facts.tried).toContain('absent.yaml');
    expect(error.facts.action).toContain('srdf init');
  });
});

describe('a wrong config is refused, naming entry, line, what was found and what is allowed', () => {
  const cases: readonly (readonly [what: string, from: string, to: string, says: readonly string[]])[] = [
    ['an unknown engine', 'engine: mariadb', 'engine: marathon', ['line 10, streams[0].engine: found "marathon"', 'mariadb or mysql']],
    ['a duration without unit', 'every: 5s', 'every: 30', ['line 14, streams[0].every: found 30', 'such as 30s']],
    ['a duration of another kind', 'every: 5s', 'every: soon', ['found "soon"', 'such as 30s']],
    [
      'a misspelt entry',
      'user: srdf, password: {env',
      'user: srdf, pasword: {env',
      ['line 16, streams[0].source.pasword: there is no such entry'],
    ],
    ['a missing entry', 'pair: shop\n', '', ['pair: it is missing', 'lower-case letters']],
    ['a host and a socket', 'socket: /run', 'host: db2.example, socket: /run', ['line 17, streams[0].target', 'either host or socket']],
    [
      'a URL that is none',
      "url: 'https://standby.example:7443'",
      'url: standby',
      ['line 7, target.receiver.url: found "standby"', 'https://'],
    ],
    ['no database', 'databases: [shop, crm]', 'databases: []', ['line 11, streams[0].databases', 'at least one']],
    [
      'the bookkeeping database',
      'databases: [shop, crm]',
      'databases: [shop, crm, srdf]',
      ['streams[0].databases[2]: found "srdf"', 'never replicated'],
    ],
    [
      'a table of another database',
      'include: [shop.orders]',
      'include: [other.orders]',
      ['line 12, streams[0].include[0]: found "other.orders"', 'shop, crm'],
    ],
    [
      'a table without database',
      'include: [shop.orders]',
      'include: [orders]',
      ['streams[0].include[0]: found "orders"', 'database.table'],
    ],
    ['one site twice', 'name: frankfurt', 'name: paris', ['line 4, target.name: found "paris"', 'another name']],
    ['the target is the source', 'socket: /run/mysqld/mysqld.sock', 'host: db1.example', ['line 17, streams[0].target', 'another server']],
    ['an entry twice', 'pair: shop\n', 'pair: shop\npair: shop\n', ['YAML', 'line 2']],
    ['YAML that is none', 'databases: [shop, crm]', 'databases: [shop, crm', ['YAML', 'line 1']],
  ];
  it.each(cases)('%s', async (_what, from, to, says) => {
    expect(VALID).toContain(from);
    const error = await expectRefused(() => parseConfig(VALID.replace(from, to)), 'config-invalid');
    for (const text of says) expect(error.message).toContain(text);
  });

  it('names all wrong entries at once', async () => {
    const error = await refusal(() => parseConfig(VALID.replace('mariadb', 'x').replace('5s', 'y')));
    expect(error.message).toMatch(/2 entries.*engine.*every/s);
  });

  it('never shows a secret that was written inline', async () => {
    const error = await expectRefused(() => parseConfig(VALID.replace('{env: SRDF_SOURCE_PASSWORD}', 'hunter2')), 'config-invalid');
    expect(error.message).toContain('streams[0].source.password: found a text; wanted a reference');
    expect(error.message).not.toContain('hunter2');
  });
});

describe('engines', () => {
  it.each(['oracle', 'postgres'])('%s is refused by name when a stream is opened', async (engine) => {
    const config = parseConfig(VALID.replace('mariadb', engine));
    const error = await expectRefused(() => engineOf(streamOf(config, 'orders')), 'engine-unsupported');
    expect(error.facts.found).toContain(engine);
  });
  it('nor where the file is no YAML, or has keys that are no names', async () => {
    for (const broken of ["password: {env: 'hunter2}", '{password: hunter2}: 1', '{password: hunter2']) {
      const error = await expectRefused(() => parseConfig(VALID.replace('pair: shop', broken)), 'config-invalid');
      expect(error.message).toContain('at line');
      expect(error.message).not.toContain('hunter2');
    }
  });

  it('names the streams there are when one is asked for that is not there', async () => {
    const error = await expectRefused(() => streamOf(parseConfig(VALID), 'invoices'), 'config-invalid');
    expect(error.message).toContain('orders');
  });
  it('splits table names for the engines', () => {
    expect(selectionOf(streamOf(parseConfig(VALID), 'orders'))).toEqual({
      databases: ['shop', 'crm'],
      include: [{ database: 'shop', table: 'orders' }],
      exclude: [{ database: 'crm', table: 'sessions' }],
    });
  });
});

describe('resolveSecret', () => {
  it('reads a file of its owner alone, without its last line break', async () => {
    const file = join(folder, 'secret');
    await writeFile(file, 'two words \n', { mode: 0o600 });
    expect(await resolveSecret({ file })).toBe('two words ');
  });
  it.each([0o640, 0o604, 0o620])('refuses a file of mode %o', async (mode) => {
    const file = join(folder, 'secret');
    await writeFile(file, 'geheim');
    await chmod(file, mode);
    const error = await expectRefused(() => resolveSecret({ file }), 'secret-permissions');
    expect(error.facts.action).toBe(`chmod 600 ${file}`);
    expect(error.message).not.toContain('geheim');
  });
  it('misses a file that is not there, an empty one, and a variable that is not set', async () => {
    await expectRefused(() => resolveSecret({ file: join(folder, 'absent') }), 'secret-missing');
    await writeFile(join(folder, 'empty'), '\n', { mode: 0o600 });
    await expectRefused(() => resolveSecret({ file: join(folder, 'empty') }), 'secret-missing');
    await expectRefused(() => resolveSecret({ env: 'SRDF_TEST_NOT_SET' }), 'secret-missing');
  });
  it('reads a variable, and gives nothing where no secret is named', async () => {
    process.env.SRDF_TEST_SECRET = 'geheim';
    try {
      expect(await resolveSecret({ env: 'SRDF_TEST_SECRET' })).toBe('geheim');
      expect(await resolveSecret(undefined)).toBeUndefined();
    } finally {
      delete process.env.SRDF_TEST_SECRET;
    }
  });
});
