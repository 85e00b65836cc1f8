/**
 * README.md as its reader would follow it: every block is run, in order, against servers that this test starts; or says why it can't be.
 * A comment before each block says how: `<!-- test: shell -->`, `sql source mariadb`, `config`, `source options`, `background`,
 * or `<!-- exempt: the reason -->`. Before `stopped` the workers are stopped, before `shell restarted` they are started again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { type DevServer, startDevServer } from '../../temporal/dev-server.js';
import { compareByDump, compareBySql } from '../servers/comparison.js';
import { DatabaseServer, freePort, type ServerKind } from '../servers/database-server.js';

interface Block {
  readonly mark: string | null;
  readonly exempt: string | null;
  readonly language: string;
  readonly text: string;
  readonly line: number;
}

const root = resolve(import.meta.dirname, '../..');
const readme = await readFile(join(root, 'README.md'), 'utf8');
const blocks: readonly Block[] = [...readme.matchAll(/(?:<!-- (test|exempt): (.*?) -->\n)?```(\w*)\n(.*?)```/gs)].map((found) => ({
  mark: found[1] === 'test' ? (found[2] ?? '') : null,
  exempt: found[1] === 'exempt' ? (found[2] ?? '') : null,
  language: found[3] ?? '',
  text: found[4] ?? '',
  line: readme.slice(0, found.index).split('\n').length,
}));

describe('README.md', () => {
  it('marks every block of commands: run by this test, or exempt for a reason', () => {
    const commands = blocks.filter((it) => it.language !== '');
    expect(commands.length).toBeGreaterThan(10);
    for (const it of commands) {
      expect(it.mark ?? it.exempt, `line ${it.line} has no mark`).not.toBeNull();
      if (it.exempt !== null) expect(it.exempt.length, `line ${it.line} has no reason`).toBeGreaterThan(20);
    }
  });
});

describe.each<ServerKind>(['mariadb', 'mysql'])('README.md, followed with %s', (kind) => {
  let folder: string;
  let source: DatabaseServer;
  let target: DatabaseServer;
  let temporal: DevServer;
  const workers: ChildProcess[] = [];
  const env: Record<string, string> = {};

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'srdf-readme-'));
    // The options of the README come last and win; without them the server would be one that the preflight refuses.
    const opposite = ['--binlog-format=MIXED', '--binlog-row-image=MINIMAL', '--binlog-row-metadata=MINIMAL'];
    const [options] = blocks.filter((it) => it.mark === 'source options');
    const fromReadme = [...(options?.text ?? '').matchAll(/^(\w+) *= *(\S+)$/gm)].map(([, name, value]) => `--${name}=${value}`);
    expect(fromReadme).toHaveLength(5);
    // The same server_id as another server's of this machine does no harm: they don't know each other.
    source = await DatabaseServer.start({ kind, name: 'readme-source', options: [...opposite, ...fromReadme] });
    // MariaDB's own default.
    target = await DatabaseServer.start({ kind, name: 'readme-target', options: ['--sync-binlog=0'] });
    temporal = await startDevServer({ directory: join(folder, 'temporal') });
    await mkdir(join(folder, 'bin'));
    await symlink(join(root, 'dist/client/bin.js'), join(folder, 'bin/srdf'));
    Object.assign(env, {
      PATH: `${join(folder, 'bin')}${delimiter}${process.env.PATH}`,
      SRDF_SOURCE_PASSWORD: 'a-long-password',
      SRDF_TARGET_PASSWORD: 'another-long-password',
    });
    const schema = `
      CREATE DATABASE shop CHARACTER SET utf8mb4;
      CREATE TABLE shop.customers (id INT PRIMARY KEY, name VARCHAR(100) NOT NULL);
      CREATE TABLE shop.orders (id INT PRIMARY KEY AUTO_INCREMENT, customer INT NOT NULL, total DECIMAL(10,2) NOT NULL,
        FOREIGN KEY (customer) REFERENCES shop.customers (id) ON DELETE CASCADE);
      INSERT INTO shop.customers VALUES (1, 'Ada'), (2, 'Grace'), (3, 'Zoë');
      INSERT INTO shop.orders (customer, total) VALUES (1, 10), (2, 20.5), (3, 7);
      CREATE VIEW shop.sums AS SELECT customer, SUM(total) AS total FROM shop.orders GROUP BY customer;
      CREATE PROCEDURE shop.tidy() DELETE FROM shop.orders WHERE total = 0;
      CREATE FUNCTION shop.vat(net DECIMAL(10,2)) RETURNS DECIMAL(10,2) DETERMINISTIC RETURN net * 0.2;
      CREATE TRIGGER shop.positive BEFORE INSERT ON shop.orders FOR EACH ROW SET NEW.total = ABS(NEW.total);
      CREATE EVENT shop.nightly ON SCHEDULE EVERY 1 DAY DO CALL shop.tidy()`;
    // One by one: of several in one packet MySQL takes the semicolon for part of a routine's body.
    for (const statement of schema.split(';')) await source.sql(statement);
  });
  afterAll(async () => {
    await Promise.all(
      workers.map(
        (it) =>
          new Promise<void>((ended) => {
            if (it.exitCode !== null || it.signalCode !== null) return ended();
            it.once('exit', () => ended());
            it.kill('SIGKILL');
          }),
      ),
    );
    await temporal?.kill();
    await Promise.all([source?.remove(), target?.remove()]);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const shell = async (line: string) =>
    await execa('bash', ['-euo', 'pipefail', '-c', line], { cwd: folder, env, reject: false, all: true });

  /** The README's config with this test's addresses; everything else as it stands there. */
  async function writeConfig(text: string): Promise<void> {
    const config = parse(text) as {
      temporal: { address: string };
      source: { state: string };
      target: { state: string; receiver: { listen: string; url: string } };
      streams: { engine: string; source: object; target: object }[];
    };
    const receiver = await freePort();
    config.temporal.address = temporal.address;
    config.source.state = 'state/source';
    config.target.state = 'state/target';
    config.target.receiver = { listen: `127.0.0.1:${receiver}`, url: `https://127.0.0.1:${receiver}` };
    for (const stream of config.streams) {
      stream.engine = kind;
      Object.assign(stream.source, { host: '127.0.0.1', port: source.port });
      Object.assign(stream.target, { host: '127.0.0.1', port: target.port });
    }
    await writeFile(join(folder, 'srdf.yaml'), stringify(config));
  }

  const workerLog = () => join(folder, 'workers.log');
  const logTail = async () => (await readFile(workerLog(), 'utf8').catch(() => '')).slice(-4_000);

  /** Starts both, and returns once both sites answer. */
  async function startWorkers(text: string): Promise<void> {
    const log = await open(workerLog(), 'a');
    for (const line of text.trim().split('\n')) {
      const [, side = ''] = /^srdf worker (\w+)/.exec(line) ?? [];
      expect(['source', 'target'], line).toContain(side);
      workers.push(
        spawn('node', [join(folder, 'bin/srdf'), 'worker', side], {
          cwd: folder,
          env: { ...process.env, ...env },
          stdio: ['ignore', log.fd, log.fd],
        }),
      );
    }
    await log.close();
    const deadline = Date.now() + 60_000;
    for (;;) {
      const ended = workers.some((it) => it.exitCode !== null);
      const { stdout } = await shell('srdf status --json');
      const { streams } = JSON.parse(stdout) as { streams?: { unreachable: unknown[] }[] };
      if (!ended && streams?.every((it) => it.unreachable.length === 0)) return;
      if (ended || Date.now() > deadline) throw new Error(`the workers are silent: ${stdout}\n${await logTail()}`);
    }
  }

  async function stopWorkers(): Promise<void> {
    for (const it of workers.splice(0)) {
      const ended = new Promise((resolve) => it.once('exit', resolve));
      it.kill('SIGTERM');
      await ended;
    }
  }

  it('every step does what it says, and both sides are equal at the end', async () => {
    for (const { mark, text, line } of blocks) {
      if (mark === null || mark === 'source options') continue;
      const [how, side, engine] = mark.split(' ');
      if (how === 'sql') {
        if (engine === kind || engine === 'both') await (side === 'source' ? source : target).sql(text);
      } else if (how === 'config') await writeConfig(text);
      else if (how === 'background') await startWorkers(text);
      else {
        expect(['shell', 'stopped'], `line ${line}`).toContain(how);
        if (how === 'stopped') await stopWorkers();
        if (side === 'restarted') await startWorkers(blocks.find((it) => it.mark === 'background')?.text ?? '');
        // Somebody always works at the source.
        await source.sql(
          "INSERT INTO shop.orders (customer, total) SELECT id, id * 3 FROM shop.customers; UPDATE shop.customers SET name = CONCAT(name, '.')",
        );
        for (const command of text.trim().split('\n')) {
          const { exitCode, all } = await shell(command.replaceAll('/var/lib/srdf/', 'state/'));
          expect(exitCode, `${command}\n${all}\n${exitCode === 0 ? '' : await logTail()}`).toBe(0);
        }
      }
    }
    const { exitCode, all } = await shell('srdf cycle shop');
    expect(exitCode, all).toBe(0);
    expect((await compareBySql(source, target, ['shop'])).differences).toEqual([]);
    expect(await compareByDump(source, target, ['shop'])).toEqual([]);
  }, 420_000);
});
