/** The commands for those who work on SRDF, as README.md names them: each comes up and does its work on a small scale. */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';

const cwd = fileURLToPath(new URL('../../', import.meta.url));
const npm = async (...parameters: string[]) => await execa('npm', ['run', '--silent', ...parameters], { cwd, reject: false, all: true });

describe('npm run', () => {
  it('bench measures, draws its table and ends with its figures', async () => {
    const { exitCode, stdout, all } = await npm('bench', '--', '--only', 'reader', '--scale', '0.01', '--rounds', '1', '--json');
    expect(exitCode, all).toBe(0);
    expect(stdout).toContain('zongji');
    const figures = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { reader: Record<string, number> };
    expect(figures.reader.rowsPerSecond).toBeGreaterThan(0);
    expect(figures.reader.zongji).toBeGreaterThan(0);
  });

  it('bench tells what it can be told when it is told something else', async () => {
    const { exitCode, stderr } = await npm('bench', '--', '--only', 'everything');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('catchup');
  });

  it('chaos names its cases', async () => {
    const { exitCode, stdout, all } = await npm('chaos', '--', '--list', '--only', 'source worker at committed');
    expect(exitCode, all).toBe(0);
    expect(stdout).toContain('kill -9 of the source worker at committed');
  });

  it('fuzz looks for what a parser must not do', async () => {
    const { exitCode, stdout, all } = await npm('fuzz', '--', '--target', 'position', '--seed', '1', '--minutes', '0.02');
    expect(exitCode, all).toBe(0);
    expect(stdout).toMatch(/position +\d+ executions .* 0 found/);
  });
});
