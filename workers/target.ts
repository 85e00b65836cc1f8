/** The target site's process: its own queue, the workflows, and the receiver. */
import { hostname } from 'node:os';
import { createTargetActivities } from '../activities/target.js';
import type { SrdfConfig } from '../config/schema.js';
import { controlQueue, targetQueue } from '../temporal/task-queues.js';
import { workflowBundle } from '../temporal/workflow-bundle.js';
import { letHeapGrow } from './heap-growth.js';
import { installLastWords } from './last-words.js';
import { createLog } from './logging.js';
import { installRuntime } from './metrics.js';
import { openTargetSite } from './open-target-site.js';
import { serveQueues } from './serve.js';
import { lockStateDirectory } from './state-lock.js';

/** Runs until `signal` aborts; what has begun ends first. Throws before anything is touched when config, keys or folder aren't right. */
export async function runTargetWorker(config: SrdfConfig, { signal }: { readonly signal: AbortSignal }): Promise<void> {
  const log = createLog({ pair: config.pair, site: config.target.name, role: 'target' });
  installLastWords(log);
  letHeapGrow();
  const lock = await lockStateDirectory(config.target.state);
  try {
    const { site, close } = await openTargetSite(config, log);
    try {
      installRuntime(log, config.metrics.target);
      const activities = createTargetActivities(site);
      const bundle = await workflowBundle({ info: (message) => log.debug(message) });
      // The target's own short reads run as local activities beside the workflows, so that queue has the activities as well.
      const queues = [
        { taskQueue: targetQueue({ pair: site.pair, target: site.site }), activities },
        { taskQueue: controlQueue(site), activities, workflowBundle: bundle },
      ];
      await serveQueues(config, queues, log, `srdf-target-${site.site}@${hostname()}:${process.pid}`, signal);
    } finally {
      await close();
    }
  } finally {
    await lock.release();
    log.info('ended');
  }
}
