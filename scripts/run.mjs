/** Runs a command to its end. */
import { spawn } from 'node:child_process';
import { Stop } from './progress.mjs';

/**
 * Quiet: its output is shown only when it fails. Loud: it writes where we write.
 * @returns {Promise<string>} what it wrote to standard output, when quiet
 */
export async function run(command, parameters, { quiet = true, env = {}, cwd } = {}) {
  const child = spawn(command, parameters, {
    cwd,
    env: { ...process.env, ...env },
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
  });
  let out = '';
  let all = '';
  child.stdout?.on('data', (chunk) => {
    out += chunk;
    all += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    all += chunk;
  });
  const ended = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  if (ended !== 0)
    throw new Stop(`${[command, ...parameters].join(' ')} ended with ${ended}${all === '' ? '' : `:\n${all.trimEnd().slice(-4_000)}`}`);
  return out;
}

/** Whether a command runs and says yes. */
export async function succeeds(command, parameters) {
  try {
    await run(command, parameters);
    return true;
  } catch {
    return false;
  }
}
