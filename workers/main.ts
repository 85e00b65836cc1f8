/** `node dist/workers/main.js source|target --config FILE`: what the systemd units start. */
import { parseArgs } from 'node:util';
import { DEFAULT_CONFIG_PATH, loadConfig } from '../config/load.js';
import { ERRORS, SrdfError } from '../temporal/error-catalogue.js';

const USAGE = 'usage: node dist/workers/main.js source|target [--config srdf.yaml]';

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { config: { type: 'string', short: 'c', default: DEFAULT_CONFIG_PATH } },
    allowPositionals: true,
  });
  const [role, ...more] = positionals;
  if ((role !== 'source' && role !== 'target') || more.length > 0) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const ending = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ending.abort());
  const config = await loadConfig(values.config);
  if (role === 'source') await (await import('./source.js')).runSourceWorker(config, { signal: ending.signal });
  else await (await import('./target.js')).runTargetWorker(config, { signal: ending.signal });
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  const known = error instanceof SrdfError;
  process.stderr.write(
    `${known ? `${error.code}: ${error.message}` : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(known ? ERRORS[error.code].exit : 1);
}
