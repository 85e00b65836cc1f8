/** `npm run bench`: gets ready what is missing, the peers too, then measures. Arguments: see bench/run.ts, or `npm run bench -- --help`. */
import { join } from 'node:path';
import { main } from './progress.mjs';
import { run } from './run.mjs';
import { root, setUp } from './setup.mjs';

await main(async () => {
  const parameters = process.argv.slice(2);
  await setUp({ mysql: true, bench: true });
  await run(process.execPath, [join(root, 'dist/bench/run.js'), ...parameters], { quiet: false });
});
