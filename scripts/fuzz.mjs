/** `npm run fuzz`: gets ready what is missing, then changes inputs of every parser that strangers' bytes reach. Arguments: see test/fuzz/main.ts. */
import { become } from './become.mjs';
import { main } from './progress.mjs';
import { setUp } from './setup.mjs';

await main(async () => {
  const parameters = process.argv.slice(2);
  await setUp({ mysql: parameters.includes('--record') });
  await become('test/fuzz/main.js', parameters);
});
