/** Runs the Temporal workers of a process until it is told to end, through outages of the Temporal server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TransportError, Worker, type WorkerOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { resolveSecret } from '../config/load.js';
import type { SrdfConfig } from '../config/schema.js';
import { connectWorker } from '../temporal/connection.js';
import { createDataConverter } from '../temporal/data-converter.js';
import { SrdfError } from '../temporal/error-catalogue.js';
import { failureInterceptor } from '../temporal/failures.js';
import { registerSearchAttributes } from '../temporal/search-attribute-registration.js';
import { WORKFLOW_FAILURES } from '../temporal/workflow-failures.js';

export type QueueOptions = Pick<WorkerOptions, 'taskQueue' | 'activities' | 'workflowBundle'>;

const RETRY_MILLISECONDS = 1_000;
/** What is begun may end within this; then it is cancelled, and repeated by the next worker. */
const GRACE = '8s';
const FORCE = '20s';

/** Returns after a graceful shutdown. Throws what no waiting helps: a missing key, a refused namespace. */
export async function serveQueues(
  config: SrdfConfig,
  queues: readonly QueueOptions[],
  log: Logger,
  identity: string,
  signal: AbortSignal,
): Promise<void> {
  const dataConverter = createDataConverter(await resolveSecret(config.temporal.payloadKey));
  while (!signal.aborted) {
    try {
      await serveOnce(config, queues, dataConverter, log, identity, signal);
    } catch (error) {
      const away = error instanceof TransportError || (error instanceof SrdfError && error.code === 'temporal-unreachable');
      if (!away) throw error;
      log.warn({ err: error }, 'Temporal is away; trying again');
      await sleep(RETRY_MILLISECONDS, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function serveOnce(
  config: SrdfConfig,
  queues: readonly QueueOptions[],
  dataConverter: WorkerOptions['dataConverter'],
  log: Logger,
  identity: string,
  signal: AbortSignal,
): Promise<void> {
  const { connection, namespace } = await connectWorker(config.temporal);
  try {
    await registerSearchAttributes(connection, namespace);
    const workers = await Promise.all(
      queues.map((queue) =>
        Worker.create({
          ...queue,
          connection,
          namespace,
          identity,
          ...(dataConverter === undefined ? {} : { dataConverter }),
          interceptors: { activity: [failureInterceptor(log)] },
          workflowFailureErrorTypes: WORKFLOW_FAILURES,
          shutdownGraceTime: GRACE,
          shutdownForceTime: FORCE,
          // Ranges of a first copy wait in it for their turn: other streams find room beside them.
          maxConcurrentActivityTaskExecutions: 40,
          // A cancellation comes with the answer to a heartbeat: no later than this, whatever the heartbeat's timeout is.
          maxHeartbeatThrottleInterval: '3s',
        }),
      ),
    );
    // One that fails takes the others with it: half a site is worse than one that starts again.
    const failed = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    const stopped = new Promise<void>((resolve) => {
      if (stop.aborted) resolve();
      else stop.addEventListener('abort', () => resolve(), { once: true });
    });
    const runs = workers.map(async (worker) => {
      try {
        await worker.runUntil(stopped);
      } catch (error) {
        failed.abort();
        throw error;
      }
    });
    log.info({ queues: queues.map((queue) => queue.taskQueue), namespace }, 'ready');
    const results = await Promise.allSettled(runs);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  } finally {
    await connection.close();
  }
}
