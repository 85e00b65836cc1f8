/** `npm run chaos`: gets ready what is missing, then runs test/chaos/main.ts. */
import { asksForMysql, become } from './become.mjs';
import { main } from './progress.mjs';
import { setUp } from './setup.mjs';

await main(async () => {
  const parameters = process.argv.slice(2);
  if (!parameters.includes('--help')) await setUp({ mysql: asksForMysql(parameters) });
  await become('test/chaos/main.js', parameters);
});
