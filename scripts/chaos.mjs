/** `npm run chaos`: gets ready what is missing, then runs test/chaos/main.ts. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { main } from './progress.mjs';
import { root, setUp } from './setup.mjs';

await main(async () => {
  const parameters = process.argv.slice(2);
  const asked = parameters[parameters.indexOf('--engine') + 1];
  if (!parameters.includes('--help'))
    await setUp({ mysql: parameters.includes('--engine=mysql') || (parameters.includes('--engine') && asked === 'mysql') });
  const child = spawn(process.execPath, ['--enable-source-maps', join(root, 'dist/test/chaos/main.js'), ...parameters], {
    stdio: 'inherit',
  });
  // The terminal sends Ctrl-C to both: the run cleans up and ends, and only then do we.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
  process.exitCode = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
});
