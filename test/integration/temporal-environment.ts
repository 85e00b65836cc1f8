/** A real Temporal server with the real workflows, payload codec and converters; the test brings the activities. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions, type WorkflowBundle } from '@temporalio/worker';
import type { Route, SourceActivities, TargetActivities } from '../../activities/contracts.js';
import type { SiteName, StreamName } from '../../activities/vocabulary.js';
import { connectClient, type TemporalClient } from '../../temporal/connection.js';
import { createDataConverter } from '../../temporal/data-converter.js';
import { type DevServer, startDevServer } from '../../temporal/dev-server.js';
import { failureInterceptor } from '../../temporal/failures.js';
import { registerSearchAttributes } from '../../temporal/search-attribute-registration.js';
import { controlQueue, sourceQueue, targetQueue } from '../../temporal/task-queues.js';
import { workflowBundle } from '../../temporal/workflow-bundle.js';
import { WORKFLOW_FAILURES } from '../../temporal/workflow-failures.js';

export interface TestSites {
  readonly route: Route;
  /** Where the workflows of this test run. */
  readonly taskQueue: string;
  readonly source: Partial<SourceActivities>;
  readonly target: Partial<TargetActivities>;
}

export class TemporalEnvironment {
  private constructor(
    private readonly directory: string,
    private readonly server: DevServer,
    readonly temporal: TemporalClient,
    private readonly bundle: WorkflowBundle,
    private readonly key: string,
  ) {}

  static async start(): Promise<TemporalEnvironment> {
    Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
    const directory = await mkdtemp(join(tmpdir(), 'srdf-temporal-'));
    const server = await startDevServer({ directory });
    const key = randomBytes(32).toString('hex');
    process.env.SRDF_TEST_PAYLOAD_KEY = key;
    const temporal = await connectClient({
      address: server.address,
      namespace: server.namespace,
      payloadKey: { env: 'SRDF_TEST_PAYLOAD_KEY' },
    });
    await registerSearchAttributes(temporal.connection, temporal.namespace);
    const bundle = await workflowBundle({ info: () => undefined });
    if (!('code' in bundle)) throw new Error('from the source tree the workflows are bundled now, not read from a file');
    return new TemporalEnvironment(directory, server, temporal, bundle, key);
  }

  /** A pair that no other test has: that is enough that no worker of theirs takes this one's work. */
  newSites(): { readonly route: Route; readonly taskQueue: string } {
    const pair = `pair-${randomBytes(4).toString('hex')}`;
    return {
      route: { pair, stream: 'shop' as StreamName, source: 'paris' as SiteName, target: 'frankfurt' as SiteName },
      taskQueue: controlQueue({ pair }),
    };
  }

  /**
   * Runs workers for these sites while `work` runs; `sourceWorker: false` leaves the source site dead. `workflowCode` makes of the workflows'
   * code that of another version.
   */
  async withWorkers<T>(
    sites: TestSites,
    work: () => Promise<T>,
    options: { readonly sourceWorker?: boolean; readonly workflowCode?: (code: string) => string } = {},
  ): Promise<T> {
    // One of their own, as processes have: the SDK refuses two workers of one queue on the same.
    const connection = await NativeConnection.connect({ address: this.server.address });
    const common: Omit<WorkerOptions, 'taskQueue'> = {
      connection,
      namespace: this.server.namespace,
      dataConverter: createDataConverter(this.key),
      interceptors: { activity: [failureInterceptor({ error: () => undefined })] },
      workflowFailureErrorTypes: WORKFLOW_FAILURES,
      shutdownGraceTime: '1s',
    };
    const workflowBundle = options.workflowCode === undefined ? this.bundle : { code: options.workflowCode(this.bundle.code) };
    const workers = [
      await Worker.create({ ...common, taskQueue: sites.taskQueue, workflowBundle, activities: { ...sites.target } }),
      await Worker.create({ ...common, taskQueue: targetQueue(sites.route), activities: { ...sites.target } }),
    ];
    if (options.sourceWorker !== false)
      workers.push(await Worker.create({ ...common, taskQueue: sourceQueue(sites.route), activities: { ...sites.source } }));
    const done = work();
    await Promise.all(
      workers.map((worker) =>
        worker.runUntil(
          done.then(
            () => undefined,
            () => undefined,
          ),
        ),
      ),
    );
    await connection.close();
    return await done;
  }

  /** History as the server has it. */
  async history(handle: WorkflowHandle) {
    return (await handle.fetchHistory()).events ?? [];
  }

  async stop(): Promise<void> {
    await this.temporal.close();
    await this.server.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}
