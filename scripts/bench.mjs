/** `npm run bench`: gets ready what is missing, the peers too, then runs bench/run.ts. */
import { become } from './become.mjs';
import { main } from './progress.mjs';
import { setUp } from './setup.mjs';

await main(async () => {
  const parameters = process.argv.slice(2);
  if (!parameters.includes('--help')) await setUp({ mysql: true, bench: true });
  await become('bench/run.js', parameters);
});
