/** What an operator can get wrong, through the real workers: a clear error that says what to do, and nothing changed on either side. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { CycleResult } from '../../workflows/cycle-result.js';
import { createAccount } from '../servers/accounts.js';
import { Pair } from './pair.js';

interface Config {
  streams: { target: { port: number; host: string; user: string; password: { env: string } } }[];
  source: { maxBytes?: string };
}

let pair: Pair;
let good: string;
beforeAll(async () => {
  pair = await Pair.start({ kind: 'mariadb' });
  good = await readFile(pair.configFile, 'utf8');
  await pair.source.sql(
    "CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY, name VARCHAR(200)); INSERT INTO shop.item VALUES (1, 'a')",
  );
});
afterEach(async () => await configured(() => {}));
afterAll(async () => await pair?.remove());

/** Both workers, started again with another config. */
async function configured(change: (config: Config) => void): Promise<void> {
  const config = parse(good) as Config;
  change(config);
  if ((await readFile(pair.configFile, 'utf8')) === stringify(config)) return;
  await writeFile(pair.configFile, stringify(config));
  await Promise.all([pair.killWorker('source'), pair.killWorker('target')]);
  await pair.startWorkers();
}
const everything = async (server: Pair['source']): Promise<string> => {
  const databases = (await server.sql('SHOW DATABASES')).map((row) => String(row.Database));
  return await server.dump(databases.filter((it) => !['information_schema', 'performance_schema', 'mysql', 'sys'].includes(it)));
};
const refused = async (code: string, ...parameters: string[]): Promise<{ found: string; action: string }> => {
  const { exitCode, stdout, stderr } = await pair.srdf(...parameters, '--json');
  expect(exitCode, stdout + stderr).not.toBe(0);
  const { error } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { error: { code: string; found: string; action: string } };
  expect(error.code, stdout).toBe(code);
  return error;
};

it('a target that holds something already', async () => {
  await pair.target.sql('CREATE DATABASE shop; CREATE TABLE shop.precious (id INT PRIMARY KEY); INSERT INTO shop.precious VALUES (7)');
  const before = [await everything(pair.source), await everything(pair.target)];
  const { found, action } = await refused('target-not-empty', 'establish', 'shop');
  expect(found).toContain('shop');
  expect(action).toMatch(/mariadb-dump --single-transaction .*DROP DATABASE/);
  expect([await everything(pair.source), await everything(pair.target)]).toEqual(before);
  await pair.target.sql('DROP DATABASE shop');
});

it('a source that is its own target, under another name', async () => {
  const { user, password } = await createAccount(pair.source, 'target', ['shop']);
  await writeFile(join(pair.directory, 'other.password'), password, { mode: 0o600 });
  await configured((config) => {
    for (const stream of config.streams)
      stream.target = { host: 'localhost', port: pair.source.port, user, password: { file: 'other.password' } as never };
  });
  const before = await everything(pair.source);
  const { found } = await refused('same-server', 'establish', 'shop');
  expect(found).toContain('same server');
  expect(await everything(pair.source)).toBe(before);
});

it('a config that names what is not there', async () => {
  const broken = good.replace(/every: .*/, 'every: often');
  await writeFile(pair.configFile, broken);
  const { found } = await refused('config-invalid', 'establish', 'shop');
  expect(found).toContain('30s');
  await writeFile(pair.configFile, good);
});

it('keys that the other site does not trust', async () => {
  await pair.establish();
  await pair.waitConfirmed();
  const target = await everything(pair.target);
  const keys = join(pair.directory, 'source-keys');
  await rename(keys, `${keys}.kept`);
  await pair.must('keys', 'generate', 'source');
  await pair.must(
    'keys',
    'trust',
    'source',
    join(pair.directory, 'target-keys', 'site.bundle'),
    '--fingerprint',
    (await pair.must('keys', 'show', 'target', '--fingerprint')).trim(),
  );
  await pair.killWorker('source');
  await pair.startWorker('source');
  await pair.source.sql("INSERT INTO shop.item VALUES (2, 'forged')");
  const { outcome, error } = JSON.parse((await pair.srdf('cycle', 'shop', '--json')).stdout) as CycleResult;
  expect(outcome).not.toBe('replicated');
  expect(error?.found).toMatch(/certificate/);
  expect(error?.action).toContain('srdf keys trust');
  expect(await everything(pair.target)).toBe(target);

  await rename(keys, `${keys}.untrusted`);
  await rename(`${keys}.kept`, keys);
  await pair.killWorker('source');
  await pair.startWorker('source');
});

it('a spool that is full', async () => {
  await configured((config) => {
    config.source.maxBytes = '16KiB';
  });
  await pair.source.sql('INSERT INTO shop.item SELECT 100 + seq, SHA2(seq, 512) FROM seq_1_to_2000', 'shop');
  const before = await pair.target.sql('SELECT epoch, sequence, wagon_hash FROM srdf.ledger');
  const { outcome, error } = JSON.parse((await pair.srdf('cycle', 'shop', '--json')).stdout) as CycleResult;
  expect(outcome).not.toBe('replicated');
  expect(error).toMatchObject({ code: 'spool-full' });
  expect(error?.action).toContain('maxBytes');
  expect(await pair.target.sql('SELECT epoch, sequence, wagon_hash FROM srdf.ledger')).toEqual(before);

  await configured(() => {});
  await pair.waitConfirmed();
  expect((await pair.compareBySql()).differences).toEqual([]);
});
