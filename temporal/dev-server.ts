/** A Temporal server of one's own: one process, one SQLite file, with the UI. For the demo, tests and trying out; not for production. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { SrdfError } from './error-catalogue.js';
import { SEARCH_ATTRIBUTES } from './search-attributes.js';
import { type FindServerOptions, findTemporalServer } from './server-binary.js';

/** The attributes by which runs are found, in the words of the server's command line. */
const TYPE_ON_COMMAND_LINE = { KEYWORD: 'Keyword', INT: 'Int' } as const;
const OUR_SEARCH_ATTRIBUTES: Readonly<Record<string, string>> = Object.fromEntries(
  SEARCH_ATTRIBUTES.map(({ name, type }) => [name, TYPE_ON_COMMAND_LINE[type]]),
);

export interface DevServerOptions extends FindServerOptions {
  /** Holds the server's SQLite file and its log; made if missing. The same folder brings the same runs back. */
  readonly directory: string;
  /** Free ports are taken when these are left out. */
  readonly port?: number;
  readonly uiPort?: number;
  /** Default `default`. */
  readonly namespace?: string;
  /** Registered at the start; ours by default. */
  readonly searchAttributes?: Readonly<Record<string, string>>;
  /** Default 127.0.0.1. */
  readonly ip?: string;
  /** Where the UI has payloads decoded: a codec server's address (codec-server.ts), which may come up later. */
  readonly codecEndpoint?: string;
}

export interface DevServer {
  /** host:port of the gRPC frontend. */
  readonly address: string;
  /** null for a server that isn't ours (TEMPORAL_ADDRESS). */
  readonly uiAddress: string | null;
  readonly namespace: string;
  /** Whether this program started it; a server found by TEMPORAL_ADDRESS is never stopped, killed or run. */
  readonly own: boolean;
  /** Of the process; undefined while it doesn't run, and for a server that isn't ours. */
  readonly pid: number | undefined;
  /** Ends it in order. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** Starts it again on its folder and ports. */
  run(): Promise<void>;
  /** For exit handlers, where nothing can be awaited. */
  killNow(): void;
}

/**
 * TEMPORAL_ADDRESS, when set and no port is asked for, names the server to use; else one is started and answers when this returns.
 * @throws SrdfError `temporal-missing` when no executable can be had, `temporal-unreachable` when it doesn't come up.
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const namespace = options.namespace ?? 'default';
  const given = process.env.TEMPORAL_ADDRESS;
  if (given !== undefined && given !== '' && options.port === undefined) {
    const nothing = async () => {};
    return {
      address: given,
      uiAddress: null,
      namespace: process.env.TEMPORAL_NAMESPACE ?? namespace,
      own: false,
      pid: undefined,
      stop: nothing,
      kill: nothing,
      run: nothing,
      killNow: () => {},
    };
  }
  const binary = await findTemporalServer(options);
  await mkdir(options.directory, { recursive: true });
  const server = new OwnDevServer(binary, {
    ...options,
    namespace,
    ip: options.ip ?? '127.0.0.1',
    port: options.port ?? (await freePort()),
    uiPort: options.uiPort ?? (await freePort()),
  });
  await server.run();
  return server;
}

type Settled = DevServerOptions & Required<Pick<DevServerOptions, 'namespace' | 'ip' | 'port' | 'uiPort'>>;

class OwnDevServer implements DevServer {
  private process: ChildProcess | null = null;
  readonly own = true;
  readonly address: string;
  readonly uiAddress: string;
  readonly namespace: string;
  constructor(
    private readonly binary: string,
    private readonly options: Settled,
  ) {
    this.address = `127.0.0.1:${options.port}`;
    this.uiAddress = `http://127.0.0.1:${options.uiPort}`;
    this.namespace = options.namespace;
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  async run(): Promise<void> {
    const { directory, port, uiPort, namespace, ip, codecEndpoint } = this.options;
    const log = join(directory, 'temporal.log');
    const output = openSync(log, 'a');
    const attributes = Object.entries(this.options.searchAttributes ?? OUR_SEARCH_ATTRIBUTES);
    const child = spawn(
      this.binary,
      [
        ...['server', 'start-dev', '--ip', ip, '--port', `${port}`, '--ui-port', `${uiPort}`, '--namespace', namespace],
        ...['--db-filename', join(directory, 'temporal.sqlite'), '--log-level', 'warn', '--log-format', 'json'],
        ...(codecEndpoint === undefined ? [] : ['--ui-codec-endpoint', codecEndpoint]),
        ...attributes.flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
      ],
      { stdio: ['ignore', output, output] },
    );
    closeSync(output);
    this.process = child;
    live.add(this);
    let failure = '';
    child.once('error', (error) => {
      failure = error.message;
    });
    for (const deadline = Date.now() + 30_000; ; ) {
      if (await serves(this.address, namespace)) return;
      if (failure !== '' || child.exitCode !== null || Date.now() > deadline) {
        await this.kill();
        const tail = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n').slice(-5).join(' | ');
        throw new SrdfError('temporal-unreachable', {
          tried: `starting a Temporal dev server with ${this.binary} on ${this.address}`,
          found:
            failure ||
            (child.exitCode === null ? 'no answer in 30 s' : `it ended with ${child.exitCode}`) + (tail === '' ? '' : `: ${tail}`),
          action: `See ${log}`,
        });
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }
  killNow(): void {
    this.process?.kill('SIGKILL');
  }

  private async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.process;
    this.process = null;
    live.delete(this);
    if (child === null || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    // The server waits for open long polls; after that long it will not end by itself.
    const force = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await gone;
    clearTimeout(force);
  }
}

/** Whether the frontend answers and has the namespace: it listens a moment before it does. */
async function serves(address: string, namespace: string): Promise<boolean> {
  if (!(await listens(address))) return false;
  try {
    const connection = await Connection.connect({ address, connectTimeout: 2_000 });
    try {
      await connection.workflowService.describeNamespace({ namespace });
      return true;
    } finally {
      await connection.close();
    }
  } catch {
    return false;
  }
}

async function listens(address: string): Promise<boolean> {
  const [host = '127.0.0.1', port = '7233'] = address.split(':');
  return await new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const live = new Set<OwnDevServer>();
process.once('exit', () => {
  for (const server of live) server.killNow();
});
