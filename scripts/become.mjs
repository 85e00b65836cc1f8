/** The end of a command's set-up: from here on the built program is the command. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './setup.mjs';

/** Runs a file of dist/ with our terminal, and ends as it ends. */
export async function become(file, parameters) {
  const child = spawn(process.execPath, ['--enable-source-maps', join(root, 'dist', file), ...parameters], { stdio: 'inherit' });
  // The terminal sends Ctrl-C to both: the program cleans up and ends, and only then do we.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
  process.exitCode = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** Whether `--engine mysql` is asked for, in either form. */
export function asksForMysql(parameters) {
  return parameters.includes('--engine=mysql') || parameters[parameters.indexOf('--engine') + 1] === 'mysql';
}
