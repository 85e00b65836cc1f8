/** `npm run demo`: gets ready what is missing, then runs demo/main.ts. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { main, Stop } from './progress.mjs';
import { root, setUp } from './setup.mjs';

await main(async () => {
  const parameters = process.argv.slice(2);
  const asked = parameters[parameters.indexOf('--engine') + 1];
  if (!parameters.includes('--help'))
    await setUp({ mysql: parameters.includes('--engine=mysql') || (parameters.includes('--engine') && asked === 'mysql') });
  const child = spawn(process.execPath, ['--enable-source-maps', join(root, 'dist/demo/main.js'), ...parameters], { stdio: 'inherit' });
  // The terminal sends Ctrl-C to both: the demo cleans up and ends, and only then do we.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, signal) => resolve(signal === null ? exitCode : 1));
  });
  if (code !== 0 && code !== 130) throw new Stop(`the demo ended with ${code}`);
  process.exitCode = code;
});
