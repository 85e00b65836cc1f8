/** The source site's process: polls its own queue alone, dials out only. */
import { hostname } from 'node:os';
import { createSourceActivities } from '../activities/source.js';
import type { SrdfConfig } from '../config/schema.js';
import { sourceQueue } from '../temporal/task-queues.js';
import { letHeapGrow } from './heap-growth.js';
import { installLastWords } from './last-words.js';
import { createLog } from './logging.js';
import { installRuntime } from './metrics.js';
import { openSourceSite } from './open-source-site.js';
import { serveQueues } from './serve.js';
import { lockStateDirectory } from './state-lock.js';

/** Runs until `signal` aborts; what has begun ends first. Throws before anything is touched when config, keys or folder aren't right. */
export async function runSourceWorker(config: SrdfConfig, { signal }: { readonly signal: AbortSignal }): Promise<void> {
  const log = createLog({ pair: config.pair, site: config.source.name, role: 'source' });
  installLastWords(log);
  letHeapGrow();
  const lock = await lockStateDirectory(config.source.state);
  try {
    const { site, close } = await openSourceSite(config, log);
    try {
      installRuntime(log, config.metrics.source);
      const queue = { taskQueue: sourceQueue({ pair: site.pair, source: site.site }), activities: createSourceActivities(site) };
      await serveQueues(config, [queue], log, `srdf-source-${site.site}@${hostname()}:${process.pid}`, signal);
    } finally {
      await close();
    }
  } finally {
    await lock.release();
    log.info('ended');
  }
}
