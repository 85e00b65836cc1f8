/** `npm run fuzz`: gets ready what is missing, then changes inputs of every parser that strangers' bytes reach. Arguments: see test/fuzz/main.ts. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { main } from './progress.mjs';
import { root, setUp } from './setup.mjs';

await main(async () => {
  const parameters = process.argv.slice(2);
  await setUp({ mysql: parameters.includes('--record') });
  // Its exit code says whether something was found; what, it has said itself.
  const child = spawn(process.execPath, ['--enable-source-maps', join(root, 'dist/test/fuzz/main.js'), ...parameters], {
    stdio: 'inherit',
  });
  process.exitCode = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
});
