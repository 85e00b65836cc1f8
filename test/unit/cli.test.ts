import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildProgram, runCommand } from '../../client/program.js';
import { exitCodeOf, meaningOf } from '../../client/rendering/exit-codes.js';
import type { Terminal } from '../../client/terminal.js';
import { loadConfig } from '../../config/load.js';
import { ERRORS, type ErrorCode } from '../../temporal/error-catalogue.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'srdf-cli-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const silent: Terminal = { out: () => {}, err: () => {}, live: false, columns: 100, environment: {}, signal: new AbortController().signal };
async function srdf(...argv: string[]): Promise<{ exit: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const exit = await runCommand(argv, {
    ...silent,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { exit, out, err };
}
/** Every command with its path, `keys generate` as well as `keys`. */
function commandPaths(): string[][] {
  const visit = (command: ReturnType<typeof buildProgram>, path: string[]): string[][] =>
    command.commands.flatMap((it) => [[...path, it.name()], ...visit(it, [...path, it.name()])]);
  return visit(buildProgram(silent), []);
}

describe('help', () => {
  it.each(commandPaths().map((path) => [path.join(' '), path] as const))(
    '%s: says what it does, by example, and its exit codes',
    async (_name, path) => {
      const { exit, out } = await srdf(...path, '--help');
      expect(exit).toBe(0);
      expect(out).toMatch(new RegExp(`Examples:\\n.*\\b(srdf )${path[0]}\\b`));
      expect(out).toMatch(/Exit codes:\n +0 +done\n/);
    },
  );
  it('names every command at once, and the way from one to the next', async () => {
    const { exit, out } = await srdf('--help');
    expect(exit).toBe(0);
    for (const [name] of commandPaths()) expect(out).toContain(name);
    expect(out).toContain('keys generate → keys trust');
  });
  it('examples are command lines that the program takes', () => {
    for (const path of commandPaths()) {
      let help = '';
      const find = path.reduce(
        (at, name) => at.commands.find((it) => it.name() === name) ?? at,
        buildProgram({
          ...silent,
          out: (text) => {
            help += text;
          },
        }),
      );
      find.outputHelp();
      const lines = [...help.matchAll(/^ {2}srdf (.*?)(?: {2,}|$)/gm)].map(([, line = '']) => line.replace(/ [|>].*$/, ''));
      if (path[0] !== 'completion') expect(lines.length, path.join(' ')).toBeGreaterThan(0);
      for (const line of lines) {
        const words = (line.match(/"[^"]*"|\S+/g) ?? []).map((it) => it.replaceAll('"', ''));
        let command = buildProgram(silent);
        while (command.commands.some((it) => it.name() === words[0]))
          command = command.commands.find((it) => it.name() === words.shift()) ?? command;
        const { unknown } = command.parseOptions(words);
        expect(unknown, line).toEqual([]);
      }
    }
  });
});

describe('wrong usage and errors', () => {
  it('an unknown command and an unknown option end with 2, with a suggestion', async () => {
    const command = await srdf('statsu');
    expect(command.exit).toBe(2);
    expect(command.err).toContain('status');
    expect((await srdf('status', '--jsno')).exit).toBe(2);
    expect((await srdf('cycle', 'shop', '--only', 'everything')).exit).toBe(2);
  });

  it('an error says what was tried, what was found and what to do', async () => {
    const { exit, out, err } = await srdf('status', '-c', join(folder, 'absent.yaml'));
    expect(exit).toBe(exitCodeOf('config-invalid'));
    expect(out).toBe('');
    expect(err).toMatch(/^srdf: config-invalid\n {2}tried .*absent\.yaml\n {2}found .*no such file\n {2}do .*srdf init/);
  });

  it('with --json the error is one JSON object on standard output', async () => {
    const { exit, out } = await srdf('status', '--json', '-c', join(folder, 'absent.yaml'));
    const { error } = JSON.parse(out) as { error: Record<string, unknown> };
    expect(error).toMatchObject({ code: 'config-invalid', exit });
    expect(Object.keys(error)).toEqual(['code', 'exit', 'tried', 'found', 'action']);
  });

  it('every error of the catalogue has an exit code with a meaning', () => {
    for (const code of Object.keys(ERRORS) as ErrorCode[]) expect(meaningOf(exitCodeOf(code)), code).not.toBe('');
  });
});

describe('srdf init', () => {
  it('writes a config that is valid at once, for the engine asked for', async () => {
    const path = join(folder, 'srdf.yaml');
    const { exit, out } = await srdf('init', path, '--engine', 'mysql');
    expect(exit).toBe(0);
    expect(out).toContain(path);
    expect((await loadConfig(path)).streams[0]?.engine).toBe('mysql');
    const [, schema = ''] = /yaml-language-server: \$schema=(.*)/.exec(await readFile(path, 'utf8')) ?? [];
    expect(JSON.parse(await readFile(schema, 'utf8'))).toHaveProperty('properties.streams');
  });
  it('leaves a file that is there alone', async () => {
    const path = join(folder, 'srdf.yaml');
    await writeFile(path, 'mine');
    const { exit, err } = await srdf('init', path);
    expect(exit).toBe(2);
    expect(err).toContain('there already');
    expect(await readFile(path, 'utf8')).toBe('mine');
  });
  it('refuses an engine that cannot be replicated, by its name', async () => {
    const { exit, err } = await srdf('init', join(folder, 'srdf.yaml'), '--engine', 'oracle');
    expect(exit).toBe(exitCodeOf('engine-unsupported'));
    expect(err).toContain('oracle');
  });
});

describe('srdf keys payload-key', () => {
  it('writes 32 bytes for the owner alone, once', async () => {
    const file = join(folder, 'payload.key');
    expect((await srdf('keys', 'payload-key', file)).exit).toBe(0);
    const key = await readFile(file, 'utf8');
    expect(key).toMatch(/^[0-9a-f]{64}\n$/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await srdf('keys', 'payload-key', file)).exit).toBe(exitCodeOf('key-exists'));
    expect(await readFile(file, 'utf8')).toBe(key);
  });
});

describe('srdf completion', () => {
  /** What bash offers after a line, through its own completion machinery. */
  const offered = async (script: string, line: string): Promise<string[]> => {
    const words = line.split(' ');
    const { stdout } = await execa('bash', [
      '--norc',
      '-c',
      `${script}\nCOMP_WORDS=(${words.map((it) => `'${it}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _srdf; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ]);
    return stdout.split('\n').filter((it) => it !== '');
  };
  it('bash: completes commands, subcommands, choices and options', async () => {
    const { out } = await srdf('completion', 'bash');
    expect(await offered(out, 'srdf sta')).toEqual(['status']);
    expect(await offered(out, 'srdf keys g')).toEqual(['generate']);
    expect(await offered(out, 'srdf keys generate s')).toEqual(['source']);
    expect(await offered(out, 'srdf status --w')).toEqual(['--watch']);
    expect(await offered(out, 'srdf ')).toEqual(expect.arrayContaining(['establish', 'cycle', 'dead-letters']));
  });
  it('zsh and fish: name every command', async () => {
    for (const shell of ['zsh', 'fish']) {
      const { exit, out } = await srdf('completion', shell);
      expect(exit).toBe(0);
      for (const [name = ''] of commandPaths()) expect(out).toContain(name);
    }
  });
});

describe('srdf keys', () => {
  const config = () => join(folder, 'srdf.yaml');
  const keys = (...argv: string[]) => srdf('keys', ...argv, '-c', config());
  beforeEach(async () => {
    await srdf('init', config());
    const text = (await readFile(config(), 'utf8')).replaceAll('/etc/srdf/keys/', 'keys/');
    await writeFile(config(), text);
  });

  it('two sites make their keys, compare fingerprints and trust each other', async () => {
    expect((await keys('generate', 'source')).exit).toBe(0);
    expect((await keys('generate', 'target')).exit).toBe(0);
    for (const [side, other, bundle] of [
      ['source', 'target', 'keys/frankfurt/site.bundle'],
      ['target', 'source', 'keys/paris/site.bundle'],
    ] as const) {
      const fingerprint = (await keys('show', other, '--fingerprint')).out.trim();
      expect((await keys('trust', side, join(folder, bundle), '--fingerprint', fingerprint)).exit).toBe(0);
      const { own, trusted } = JSON.parse((await keys('show', side, '--json')).out) as {
        own: { role: string };
        trusted: { fingerprint: string }[];
      };
      expect(own.role).toBe(side);
      expect(trusted.map((it) => it.fingerprint)).toEqual([fingerprint]);
      expect((await keys('show', side)).out).toContain(fingerprint);
    }
    expect((await stat(join(folder, 'keys/paris/signing.key'))).mode & 0o777).toBe(0o600);
  });

  it('leaves keys that are there alone', async () => {
    await keys('generate', 'source');
    const before = await readFile(join(folder, 'keys/paris/signing.key'));
    const { exit, err } = await keys('generate', 'source');
    expect(exit).toBe(exitCodeOf('key-exists'));
    expect(err).toContain('keys/paris');
    expect(await readFile(join(folder, 'keys/paris/signing.key'))).toEqual(before);
  });

  it('trusts nothing without a fingerprint, with a wrong one, or of a site that is not the peer', async () => {
    await keys('generate', 'source');
    await keys('generate', 'target');
    const bundle = join(folder, 'keys/paris/site.bundle');
    const looked = await keys('trust', 'target', bundle);
    expect(looked.exit).toBe(3);
    expect(looked.err).toContain((await keys('show', 'source', '--fingerprint')).out.trim());
    expect((await keys('trust', 'target', bundle, '--fingerprint', '0000-0000')).exit).toBe(3);
    expect((await keys('trust', 'source', bundle, '--fingerprint', (await keys('show', 'source', '--fingerprint')).out.trim())).exit).toBe(
      3,
    );
    expect((JSON.parse((await keys('show', 'target', '--json')).out) as { trusted: unknown[] }).trusted).toEqual([]);
  });

  it('says how to make keys where there are none', async () => {
    const { exit, err } = await keys('show', 'source');
    expect(exit).toBe(exitCodeOf('key-missing'));
    expect(err).toContain('srdf keys generate');
  });
});
