/**
 * A whole pair on this machine, of the parts that production has: two database servers, Temporal, two key rings, one srdf.yaml, and
 * the two workers as processes of their own out of dist/. Integration tests and the demo stand on it. Everything is thrown away at the end.
 */

import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScheduleNotFoundError, type WorkflowExecutionInfo, WorkflowNotFoundError } from '@temporalio/client';
import { execa } from 'execa';
import { stringify } from 'yaml';
import type { SpoolState } from '../../activities/contracts.js';
import type { SiteName } from '../../activities/vocabulary.js';
import { routeOf } from '../../client/control.js';
import { runCycle } from '../../client/run-cycle.js';
import { loadConfig, resolveSecret, streamOf } from '../../config/load.js';
import type { SrdfConfig, StreamConfig } from '../../config/schema.js';
import { type CodecServer, startCodecServer } from '../../temporal/codec-server.js';
import { connectClient, type TemporalClient } from '../../temporal/connection.js';
import { type DevServer, startDevServer } from '../../temporal/dev-server.js';
import { cycleScheduleId, cycleWorkflowId } from '../../temporal/ids.js';
import { controlQueue, sourceQueue } from '../../temporal/task-queues.js';
import type { CycleResult } from '../../workflows/cycle-result.js';
import { createAccount } from '../servers/accounts.js';
import { type Comparison, compareByDump, compareBySql, type Difference } from '../servers/comparison.js';
import { DatabaseServer, freePort, type ServerKind } from '../servers/database-server.js';
import { onLeaving } from '../servers/leave-nothing.js';
import { srdfCommand, WorkerProcess } from '../servers/worker-process.js';
import { Breakable } from './breakable.js';

export type Side = 'source' | 'target';

export interface PairOptions {
  readonly kind: ServerKind;
  /** Default `shop`; pair and stream bear this name, and the database too unless `databases` says more. */
  readonly name?: string;
  readonly databases?: readonly string[];
  /** How often cycles run by themselves. Default 24h: never within a test, which calls `cycle`. */
  readonly every?: string;
  /** Further entries of the stream in srdf.yaml, such as `wagon: {changes: 100}`. */
  readonly stream?: Readonly<Record<string, unknown>>;
  /** The most that spool and inbox may hold, such as `1MiB`. */
  readonly maxBytes?: string;
  /** Options of both database servers. */
  readonly serverOptions?: readonly string[];
  /** Options of one of them. */
  readonly sideOptions?: Readonly<Partial<Record<Side, readonly string[]>>>;
  /** Default: a Temporal dev server of its own, so that a test may kill it. */
  readonly temporal?: DevServer;
  /** Lines, disks and clocks of its own, which a test may break: `breakable`. */
  readonly breakable?: boolean;
  /** false: servers, keys and config alone; `startWorkers` later. */
  readonly workers?: boolean;
  /** One line a step, for a person who waits. */
  readonly progress?: (line: string) => void;
}

/** What `srdf establish` asks of a server that has a binary log, beside what a throw-away server has anyway. */
const NEEDED_OPTIONS = ['--log-bin-trust-function-creators=ON'];
const SITES = { source: 'paris', target: 'frankfurt' } as const;

export class Pair {
  private constructor(
    readonly name: string,
    readonly databases: readonly string[],
    readonly directory: string,
    readonly servers: Readonly<Record<Side, DatabaseServer>>,
    readonly temporal: DevServer,
    private readonly ownTemporal: boolean,
    readonly configFile: string,
    /** What a shell needs to use `srdf` with this pair: the passwords. */
    readonly env: Readonly<Record<string, string>>,
    private readonly config: SrdfConfig,
    private readonly client: TemporalClient,
    private readonly codec: CodecServer,
    private readonly forget: () => unknown,
    private readonly ownBreakable: Breakable | null,
    private readonly workerConfigs: Readonly<Record<Side, string>>,
  ) {
    this.workers = {
      source: this.workerOf('source', sourceQueue({ pair: config.pair, source: SITES.source as SiteName })),
      target: this.workerOf('target', controlQueue(config)),
    };
  }
  readonly workers: Readonly<Record<Side, WorkerProcess>>;

  static async start(options: PairOptions): Promise<Pair> {
    const tell = options.progress ?? (() => {});
    const name = options.name ?? 'shop';
    const databases = options.databases ?? [name];
    const directory = await mkdtemp(join(tmpdir(), 'srdf-pair-'));
    const forget = onLeaving(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
    const began: { remove(): Promise<unknown> }[] = [{ remove: () => rm(directory, { recursive: true, force: true }) }];
    try {
      const breakable = options.breakable === true ? await Breakable.start(directory) : null;
      if (breakable !== null) began.push(breakable);
      const start = async (side: Side) => {
        const site = SITES[side];
        const server = await DatabaseServer.start({
          ...(breakable !== null && { parent: join(directory, `${side}-server`) }),
          kind: options.kind,
          name: site,
          options: [...NEEDED_OPTIONS, ...(options.serverOptions ?? []), ...(options.sideOptions?.[side] ?? [])],
        });
        began.push(server);
        tell(`${options.kind} "${site}" on port ${server.port}`);
        return server;
      };
      // Known before the key is made: the UI is told at its start where payloads are decoded.
      const codecListen = `127.0.0.1:${await freePort()}`;
      const startTemporal = async () => {
        const server =
          options.temporal ??
          (await startDevServer({ directory: join(directory, 'temporal'), progress: tell, codecEndpoint: `http://${codecListen}` }));
        if (options.temporal === undefined) began.push({ remove: () => server.stop() });
        tell(`Temporal on ${server.address}`);
        return server;
      };
      const starting = [start('source'), start('target'), startTemporal()] as const;
      // All of them are waited for, also when one fails: what has started has to be known to be removed.
      await Promise.allSettled(starting);
      const [source, target, temporal] = await Promise.all(starting);
      const [reader, writer] = [await createAccount(source, 'source', databases), await createAccount(target, 'target', databases)];
      const env = { SRDF_SOURCE_PASSWORD: reader.password, SRDF_TARGET_PASSWORD: writer.password };
      const configFile = join(directory, 'srdf.yaml');
      const at = (server: DatabaseServer, account: { user: string }, variable: string) => ({
        host: '127.0.0.1',
        port: server.port,
        user: account.user,
        password: { env: variable },
      });
      const receiver = await freePort();
      const site = (it: Side) => ({
        name: SITES[it],
        state: `${it}-state`,
        keys: `${it}-keys`,
        ...(options.maxBytes !== undefined && { maxBytes: options.maxBytes }),
      });
      const config = {
        pair: name,
        temporal: {
          address: temporal.address,
          namespace: temporal.namespace,
          payloadKey: { file: 'payload.key' },
          ...(temporal.uiAddress !== null && { ui: temporal.uiAddress }),
        },
        source: site('source'),
        target: { ...site('target'), receiver: { listen: `127.0.0.1:${receiver}`, url: `https://127.0.0.1:${receiver}` } },
        streams: [
          {
            name,
            engine: options.kind,
            source: at(source, reader, 'SRDF_SOURCE_PASSWORD'),
            target: at(target, writer, 'SRDF_TARGET_PASSWORD'),
            databases: [...databases],
            every: options.every ?? '24h',
            ...options.stream,
          },
        ],
      };
      await writeFile(configFile, stringify(config));
      await mkdir(join(directory, 'source-state'), { recursive: true, mode: 0o700 });
      await mkdir(join(directory, 'target-state'), { recursive: true, mode: 0o700 });
      const workerConfigs = {
        source: (await breakable?.configFor('source', config)) ?? configFile,
        target: (await breakable?.configFor('target', config)) ?? configFile,
      };
      await makeKeys(directory, configFile, env);
      tell('key rings made, bundles exchanged');
      const loaded = await loadConfig(configFile);
      const codec = await startCodecServer({
        secret: (await resolveSecret(loaded.temporal.payloadKey)) ?? '',
        listen: codecListen,
        origin: temporal.uiAddress ?? 'http://localhost:8233',
      });
      began.push({ remove: () => codec.close() });
      const client = await connectClient(loaded.temporal, 20_000);
      began.push({ remove: () => client.close() });
      const pair = new Pair(
        name,
        databases,
        directory,
        { source, target },
        temporal,
        options.temporal === undefined,
        configFile,
        env,
        loaded,
        client,
        codec,
        forget,
        breakable,
        workerConfigs,
      );
      began.push({ remove: () => Promise.all([pair.workers.source.kill(), pair.workers.target.kill()]) });
      if (options.workers !== false) await pair.startWorkers();
      return pair;
    } catch (error) {
      for (const it of began.reverse()) await it.remove();
      forget();
      throw error;
    }
  }

  get source(): DatabaseServer {
    return this.servers.source;
  }
  get target(): DatabaseServer {
    return this.servers.target;
  }
  /** Decodes payloads for the UI. */
  get codecUrl(): string {
    return this.codec.url;
  }
  get temporalClient(): TemporalClient {
    return this.client;
  }
  /** Throws for a pair that wasn't started so. */
  get breakable(): Breakable {
    if (this.ownBreakable === null) throw new Error('the pair was started without `breakable`');
    return this.ownBreakable;
  }

  async startWorkers(): Promise<void> {
    await Promise.all([this.workers.target.start(), this.workers.source.start()]);
  }
  /** kill -9. */
  async killWorker(side: Side): Promise<void> {
    await this.workers[side].kill();
  }
  async startWorker(side: Side): Promise<void> {
    await this.workers[side].start();
  }

  /** `srdf …` as a person would call it. Doesn't throw on another exit code than 0. */
  async srdf(...parameters: readonly string[]): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
    const { exitCode, stdout, stderr } = await this.start(...parameters);
    return { exitCode: exitCode ?? -1, stdout, stderr };
  }
  /** The same, but any other exit code than 0 throws with what was said. */
  async must(...parameters: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.srdf(...parameters);
    if (exitCode !== 0)
      throw new Error(`srdf ${parameters.join(' ')} ended with ${exitCode}:\n${stdout}${stderr}\n${await this.logTails()}`);
    return stdout;
  }

  /** Bootstrap to the end: afterwards the stream is consistent and its schedule runs. `progress` gets what `srdf establish` says, line by line. */
  async establish(progress?: (line: string) => void): Promise<void> {
    const child = this.start('establish', this.name);
    const said: string[] = [];
    for await (const line of child.iterable({ from: 'all' })) {
      said.push(line);
      progress?.(line);
    }
    const { exitCode } = await child;
    if (exitCode !== 0) throw new Error(`srdf establish ended with ${exitCode}:\n${said.slice(-20).join('\n')}\n${await this.logTails()}`);
  }
  private start(...parameters: readonly string[]) {
    return execa(process.execPath, [srdfCommand, ...parameters], {
      env: { ...this.env, SRDF_CONFIG: this.configFile, NO_COLOR: '1' },
      reject: false,
      all: true,
      maxBuffer: 64 * 2 ** 20,
    });
  }
  /** One cycle now, as `srdf cycle` runs it, and what it told. A cycle that ended with an error throws. */
  async cycle(): Promise<CycleResult> {
    const result = await this.attempt();
    if (result.error !== null) throw new Error(`the cycle ended with ${JSON.stringify(result.error)}\n${await this.logTails()}`);
    return result;
  }
  /** The same, however it ends. */
  async attempt(): Promise<CycleResult> {
    const { config, client: temporal } = this;
    const stream = streamOf(config, this.name);
    const route = (of: StreamConfig) => routeOf(config, of);
    return await runCycle({ config, temporal, route, stream, streamRoute: route(stream) }, { dryRun: false }, new AbortController().signal);
  }

  /**
   * Returns once everything committed at the source before this call is confirmed: a cycle that began later found nothing left to do.
   * `scheduled`: waits for the schedule's own cycles. Otherwise runs cycles.
   */
  async waitConfirmed(options: { readonly scheduled?: boolean; readonly seconds?: number } = {}): Promise<void> {
    const deadline = Date.now() + (options.seconds ?? 120) * 1_000;
    const since = new Date(Date.now() + 1);
    let last: CycleResult | undefined;
    do {
      if (options.scheduled === true) {
        const results = await this.cycleResults(since);
        if (results.some((it) => it.outcome === 'idle')) return;
        last = results.at(-1);
        await new Promise((resolve) => setTimeout(resolve, 250));
      } else {
        last = await this.cycle();
        if (last.outcome === 'idle') return;
      }
    } while (Date.now() < deadline);
    throw new Error(`not confirmed in time; the last cycle: ${JSON.stringify(last)}\n${await this.logTails()}`);
  }

  /** What the wagons in each of the four states hold, as `srdf status` tells it. */
  async states(): Promise<SpoolState['states']> {
    const { streams } = JSON.parse(await this.must('status', this.name, '--json')) as {
      streams: { states: SpoolState['states'] | null }[];
    };
    const states = streams[0]?.states ?? null;
    if (states === null) throw new Error(`the source doesn't tell its wagons\n${await this.logTails()}`);
    return states;
  }
  /** Results of the cycles that began at or after `since` and have ended well, oldest first. */
  async cycleResults(since = new Date(0)): Promise<CycleResult[]> {
    const runs: WorkflowExecutionInfo[] = [];
    const query = `WorkflowType = 'replicationCycle' AND ExecutionStatus = 'Completed' AND StartTime >= '${since.toISOString()}'`;
    for await (const run of this.client.client.workflow.list({ query })) runs.push(run);
    runs.sort((a, b) => a.startTime.getTime() - b.startTime.getTime());
    const results: CycleResult[] = [];
    for (const run of runs) results.push(await this.resultOf(run));
    return results;
  }
  private readonly results = new Map<string, CycleResult>();
  private async resultOf(run: WorkflowExecutionInfo): Promise<CycleResult> {
    const known = this.results.get(run.runId);
    if (known !== undefined) return known;
    const result = (await this.client.client.workflow.getHandle(run.workflowId, run.runId).result()) as CycleResult;
    this.results.set(run.runId, result);
    return result;
  }
  /** The activities that run at this moment on behalf of a cycle, the schedule's or one by hand. Asked of the runs themselves: lists of runs lag behind. */
  async runningActivities(): Promise<readonly string[]> {
    const { schedule, workflow } = this.client.client;
    const route = routeOf(this.config, streamOf(this.config, this.name));
    const scheduled = await schedule
      .getHandle(cycleScheduleId(route))
      .describe()
      .then(({ info }) => info.runningActions.map((it) => it.workflow.workflowId))
      .catch(unlessMissing([]));
    const names: string[] = [];
    for (const id of [cycleWorkflowId(route), ...scheduled]) {
      const run = await workflow.getHandle(id).describe().catch(unlessMissing(null));
      if (run?.status.name !== 'RUNNING') continue;
      for (const it of run.raw.pendingActivities ?? []) if (it.lastStartedTime != null) names.push(it.activityType?.name ?? '');
    }
    return names;
  }

  /** Row by row, by plain SQL. */
  async compareBySql(): Promise<Comparison> {
    return await compareBySql(this.source, this.target, this.databases);
  }
  /** By mariadb-dump on both sides. */
  async compareByDump(): Promise<readonly Difference[]> {
    return await compareByDump(this.source, this.target, this.databases);
  }

  /** The ends of all logs, for the message of a failure. */
  async logTails(): Promise<string> {
    const tails = await Promise.all(
      [this.workers.source, this.workers.target].map(async (it) => `--- ${it.site} worker\n${await it.logTail()}`),
    );
    return tails.join('\n');
  }

  /** Ends and removes everything, in the order in which one stands on the other. */
  async remove(): Promise<void> {
    await Promise.allSettled([this.workers.source.kill(), this.workers.target.kill()]);
    await this.client.close();
    await this.codec.close();
    if (this.ownTemporal) await this.temporal.kill();
    await Promise.allSettled([this.source.remove(), this.target.remove()]);
    await this.ownBreakable?.remove();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
    this.forget();
  }

  private workerOf(site: Side, taskQueue: string): WorkerProcess {
    return new WorkerProcess({
      site,
      configFile: this.workerConfigs[site],
      logFile: join(this.directory, `${site}-worker.log`),
      env: { ...this.env, ...this.ownBreakable?.clockOf(site) },
      polls: async (since) => await this.isPolled(taskQueue, site === 'source' ? 'activity' : 'workflow', since),
    });
  }
  /** A poller that was killed is remembered for minutes: only one that has polled since counts. */
  private async isPolled(name: string, type: 'workflow' | 'activity', since: Date): Promise<boolean> {
    const { pollers } = await this.client.connection.workflowService.describeTaskQueue({
      namespace: this.client.namespace,
      taskQueue: { name },
      taskQueueType: type === 'workflow' ? 1 : 2,
    });
    return (pollers ?? []).some(
      (it) => Number(it.lastAccessTime?.seconds ?? 0) * 1_000 + (it.lastAccessTime?.nanos ?? 0) / 1e6 >= since.getTime(),
    );
  }
}

/** Each site makes its ring and trusts the other's public bundle, by the very commands of README.md. */
async function makeKeys(directory: string, configFile: string, env: Readonly<Record<string, string>>): Promise<void> {
  const srdf = async (...parameters: string[]): Promise<string> =>
    (await execa(process.execPath, [srdfCommand, 'keys', ...parameters], { env: { ...env, SRDF_CONFIG: configFile } })).stdout.trim();
  await srdf('payload-key', join(directory, 'payload.key'));
  for (const side of ['source', 'target'] as const) await srdf('generate', side);
  for (const [side, other] of [
    ['source', 'target'],
    ['target', 'source'],
  ] as const)
    await srdf('trust', side, join(directory, `${other}-keys`, 'site.bundle'), '--fingerprint', await srdf('show', other, '--fingerprint'));
}

const unlessMissing =
  <T>(otherwise: T) =>
  (error: unknown): T => {
    if (error instanceof WorkflowNotFoundError || error instanceof ScheduleNotFoundError) return otherwise;
    throw error;
  };
