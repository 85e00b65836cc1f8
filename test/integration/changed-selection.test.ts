/** Databases named in srdf.yaml at one site alone, or after the stream was established: nothing is copied or applied as if all were well. */
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { Pair, type Side } from './pair.js';

const BOTH = ['shop', 'crm'];
let pair: Pair;
let good: string;
beforeAll(async () => {
  pair = await Pair.start({ kind: 'mariadb', databases: BOTH, workers: false });
  good = await readFile(pair.configFile, 'utf8');
  await pair.source.sql('CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY); INSERT INTO shop.item VALUES (1)');
  await pair.source.sql('CREATE DATABASE crm; CREATE TABLE crm.customer (id INT PRIMARY KEY); INSERT INTO crm.customer VALUES (1)');
});
afterAll(async () => await pair?.remove());

const configure = async (databases: readonly string[]): Promise<void> => {
  const config = parse(good) as { streams: { databases: readonly string[] }[] };
  for (const stream of config.streams) stream.databases = databases;
  await writeFile(pair.configFile, stringify(config));
};
/** Each worker, started again with databases of its own; the last one's config is left for the commands. */
async function restart(selected: Readonly<Record<Side, readonly string[]>>): Promise<void> {
  await Promise.all([pair.killWorker('source'), pair.killWorker('target')]);
  for (const side of ['target', 'source'] as const) {
    await configure(selected[side]);
    await pair.startWorker(side);
  }
}
const atTarget = async (): Promise<string> => {
  const all = (await pair.target.sql('SHOW DATABASES')).map((row) => String(row.Database));
  const names = all.filter((it) => !['information_schema', 'performance_schema', 'mysql', 'sys'].includes(it));
  return names.length === 0 ? '' : await pair.target.dump(names);
};
const refused = async (...parameters: string[]): Promise<{ code: string; found: string; action: string }> => {
  const { exitCode, stdout, stderr } = await pair.srdf(...parameters, '--json');
  expect(exitCode, stdout + stderr).not.toBe(0);
  return (JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { error: { code: string; found: string; action: string } }).error;
};

it('sites that name different databases are refused before anything is written', async () => {
  await restart({ source: BOTH, target: ['shop'] });
  const before = await atTarget();
  expect(await refused('establish', 'shop')).toMatchObject({
    code: 'target-preflight',
    found: expect.stringContaining('different databases or tables'),
    action: expect.stringContaining('databases, include and exclude'),
  });
  expect(await atTarget()).toBe(before);
});

let item = 1;
it.each<[string, Record<Side, readonly string[]>, Side]>([
  ['at both sites', { source: BOTH, target: BOTH }, 'target'],
  ['at the source alone', { source: BOTH, target: ['shop'] }, 'source'],
  ['at the target alone', { source: ['shop'], target: BOTH }, 'target'],
])('a database that is added %s later halts the stream until it is put back', async (_, changed, told) => {
  await restart({ source: ['shop'], target: ['shop'] });
  if (item === 1) await pair.establish();
  await pair.waitConfirmed();
  const before = await atTarget();

  await restart(changed);
  await pair.source.sql(`INSERT INTO shop.item VALUES (${++item}); INSERT INTO crm.customer VALUES (${item})`);
  for (let i = 0; i < 2; i++) {
    const { outcome, error, deadLetter } = await pair.attempt();
    expect({ outcome, deadLetter: deadLetter ?? null }).toEqual({ outcome: 'halted', deadLetter: null });
    expect(error).toMatchObject({ code: 'config-invalid', found: expect.stringMatching(/added to databases: crm$/) });
    expect(error?.tried).toContain(told === 'source' ? 'paris' : 'frankfurt');
  }
  expect(await atTarget()).toBe(before);
  const next = async () =>
    (JSON.parse(await pair.must('status', 'shop', '--json')) as { streams: { next: string | null }[] }).streams[0]?.next;
  await expect.poll(next, { timeout: 20_000 }).toContain('back as they were');
  expect(await refused('verify', 'shop')).toMatchObject({ code: 'config-invalid' });

  await restart({ source: ['shop'], target: ['shop'] });
  await pair.waitConfirmed();
  expect(await pair.target.sql('SELECT MAX(id) AS id FROM shop.item')).toEqual([{ id: item }]);
  expect((await pair.must('verify', 'shop')).length).toBeGreaterThan(0);
});

it('and a new copy, as the command says it is made, has what was added', async () => {
  await restart({ source: BOTH, target: BOTH });
  const { code, action } = await refused('establish', 'shop');
  expect(code).toBe('target-not-empty');
  expect(action).toMatch(/mariadb-dump --single-transaction .* shop crm .*DROP DATABASE/);
  const [, statements = ''] = /Then throw it away there: (.*); then srdf establish/.exec(action) ?? [];
  await pair.target.sql(statements);
  await pair.establish();
  await pair.waitConfirmed();
  expect((await pair.compareBySql()).differences).toEqual([]);
  expect(await pair.target.sql('SELECT COUNT(*) AS n FROM crm.customer')).toEqual([{ n: String(item) }]);
});
