/** Debian packages, installed only where something is missing, and so that no service of the system starts. */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stop, say, sayDone } from './progress.mjs';
import { run, succeeds } from './run.mjs';

/** Whether a command is in a folder where Debian puts commands. */
export const has = (command) =>
  [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/local/sbin'].some(
    (folder) => folder !== '' && existsSync(join(folder, command)),
  );

export function isDebian() {
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8')) && has('apt-get');
  } catch {
    return false;
  }
}

/**
 * @param {readonly {packages: readonly string[], why: string, there: boolean}[]} needs
 */
export async function installDebianPackages(needs) {
  const missing = needs.filter((need) => !need.there);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.flatMap((need) => need.packages))];
  const list = missing.map((need) => `  ${need.packages.join(' ').padEnd(40)} ${need.why}`).join('\n');
  const otherWay = 'Or run everything in containers: docker compose up (see README.md).';
  if (!isDebian())
    throw new Stop(
      `This machine lacks:\n${list}\nThese are Debian's names; install what your distribution calls them, then run this again. ${otherWay}`,
    );
  if (process.getuid?.() !== 0)
    throw new Stop(
      `This machine lacks:\n${list}\nInstalling them needs root: run\n  sudo apt-get install --no-install-recommends ${packages.join(' ')}\nthen run this again. ${otherWay}`,
    );
  say(`Debian packages: ${packages.join(', ')}`);
  await withoutServices(async () => {
    const options = ['-qq', '-o', 'Acquire::Retries=3', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0'];
    const env = { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' };
    await withRetry(async () => {
      await run('apt-get', [...options, 'update'], { env });
      await run('apt-get', [...options, 'install', '--yes', '--no-install-recommends', ...packages], { env });
    });
  });
  sayDone('Debian packages');
}

async function withRetry(attempt) {
  try {
    await attempt();
  } catch (error) {
    say(`that failed, once more: ${String(error.message).split('\n').slice(-1)[0]}`);
    await attempt();
  }
}

/** Debian's own switch: invoke-rc.d asks this file, and 101 means "don't start it". A file that is there already is somebody's will. */
async function withoutServices(act) {
  const file = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(file);
  if (ours) {
    writeFileSync(file, '#!/bin/sh\nexit 101\n');
    chmodSync(file, 0o755);
  }
  const remove = () => ours && rmSync(file, { force: true });
  process.once('exit', remove);
  try {
    await act();
  } finally {
    remove();
    process.removeListener('exit', remove);
  }
}

export const hasPip = async () => await succeeds('python3', ['-m', 'pip', '--version']);
