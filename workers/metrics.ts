/** Temporal's runtime of a process: pino for its logs, Prometheus for its metrics. The cycle's own metrics leave by the same door. */
import { Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import { temporalLogger } from './logging.js';

/**
 * Installed once, before the first connection. `metricsAddress`: `host:port` to serve /metrics on; none when not configured.
 * Signals are ours: the workers end with the `AbortSignal` they are given.
 */
export function installRuntime(log: Logger, metricsAddress: string | undefined): Runtime {
  return Runtime.install({
    logger: temporalLogger(log),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
      ...(metricsAddress === undefined ? {} : { metrics: { prometheus: { bindAddress: metricsAddress } } }),
    },
  });
}
