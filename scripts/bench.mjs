/** `npm run bench`: gets ready what is missing, then reads one log with ours and with the peer; the ratio is what counts. Arguments: see bench/reader.ts. */
import { join } from 'node:path';
import { main } from './progress.mjs';
import { run } from './run.mjs';
import { root, setUp } from './setup.mjs';

await main(async () => {
  const parameters = process.argv.slice(2);
  const [, servers = 'mariadb,mysql'] = parameters;
  await setUp({ mysql: servers.includes('mysql') });
  await run(process.execPath, [join(root, 'dist/bench/reader.js'), ...parameters], { quiet: false });
});
