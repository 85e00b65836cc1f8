/** Real, throw-away MariaDB and MySQL servers in temporary folders with bounded logs. Used by tests, the demo and benchmarks. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { onLeaving } from './leave-nothing.js';

export type ServerKind = 'mariadb' | 'mysql';

export interface DatabaseServerOptions {
  readonly kind: ServerKind;
  /** Shown in errors; part of the folder's name. */
  readonly name?: string;
  readonly serverId?: number;
  /** Where its folder is made; the system's folder for temporary files by default. */
  readonly parent?: string;
  /** More options of the server, such as `--sql-mode=`. */
  readonly options?: readonly string[];
  /** Of its process, such as `TZ`. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Where `npm run setup` (scripts/get-mysql.sh) has put MySQL; `SRDF_MYSQL_DIR` overrides. */
export const mysqlDirectory = (): string =>
  process.env.SRDF_MYSQL_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'srdf', 'mysql-server');

/** Below the ports that the system gives to outgoing connections: one of those can take a port between its choice and its use. */
const PORTS = { from: 10_240, to: 32_768 };

export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

let nextServerId = 100 + (process.pid % 30_000) * 10;

export class DatabaseServer {
  private process: ChildProcess | null = null;
  private forget: () => unknown = () => {};
  private constructor(
    readonly kind: ServerKind,
    readonly directory: string,
    readonly port: number,
    readonly socket: string,
    readonly serverId: number,
    private readonly options: readonly string[],
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  static async start(options: DatabaseServerOptions): Promise<DatabaseServer> {
    const parent = options.parent ?? tmpdir();
    await mkdir(parent, { recursive: true });
    const directory = await mkdtemp(join(parent, `srdf-${options.name ?? options.kind}-`));
    const server = new DatabaseServer(
      options.kind,
      directory,
      await freePort(),
      join(directory, 'db.sock'),
      options.serverId ?? nextServerId++,
      options.options ?? [],
      options.environment ?? {},
    );
    server.forget = onLeaving(() => server.removeNow());
    try {
      await server.initialise();
      await server.run();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  private async initialise(): Promise<void> {
    const data = join(this.directory, 'data');
    const options = { env: { TMPDIR: this.temporary } };
    await mkdir(this.temporary);
    if (this.kind === 'mariadb') {
      const parameters = [
        '--no-defaults',
        '--user=root',
        `--datadir=${data}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
      ];
      await execa('mariadb-install-db', parameters, options);
      return;
    }
    const binary = join(mysqlDirectory(), 'mysqld');
    if (!existsSync(binary)) throw new Error(`no MySQL in ${mysqlDirectory()}: run npm run setup -- --engine mysql, or set SRDF_MYSQL_DIR`);
    await execa(binary, ['--user=root', '--initialize-insecure', `--datadir=${data}`, `--log-error=${this.directory}/init.log`], options);
  }

  /** A server that starts removes every other's temporary tables from the folder it takes for its own: so each has one. */
  private get temporary(): string {
    return join(this.directory, 'tmp');
  }

  /** Starts the server process on its folder, again after `stop` or `kill`; with more options for this run, if given. */
  async run(more: readonly string[] = []): Promise<void> {
    const common = [
      '--user=root',
      `--datadir=${this.directory}/data`,
      `--port=${this.port}`,
      '--bind-address=127.0.0.1',
      `--socket=${this.socket}`,
      `--pid-file=${this.directory}/db.pid`,
      `--log-error=${this.directory}/error.log`,
      `--server-id=${this.serverId}`,
      '--log-bin=binlog',
      '--max-binlog-size=256M',
      '--binlog-format=ROW',
      '--binlog-row-image=FULL',
      '--binlog-row-metadata=FULL',
      '--innodb-buffer-pool-size=256M',
      '--max-allowed-packet=1G',
      '--innodb-flush-log-at-trx-commit=1',
      '--sync-binlog=1',
    ];
    const own =
      this.kind === 'mariadb'
        ? ['--no-defaults', ...common, '--log-slave-updates=ON', '--gtid-strict-mode=ON', '--innodb-log-file-size=128M']
        : [...common, '--mysqlx=OFF', '--gtid-mode=ON', '--enforce-gtid-consistency=ON', '--innodb-redo-log-capacity=256M'];
    const binary = this.kind === 'mariadb' ? 'mariadbd' : join(mysqlDirectory(), 'mysqld');
    const env = { ...process.env, ...this.environment, TMPDIR: this.temporary };
    const child = spawn(binary, [...own, ...this.options, ...more], { stdio: 'ignore', env });
    this.process = child;
    if (await this.answers(child)) return;
    throw new Error(
      `${binary} ended with ${child.exitCode ?? child.signalCode}: ${(await execa('tail', ['-n', '20', `${this.directory}/error.log`])).stdout}`,
    );
  }

  /**
   * Starts the server again if it has ended by itself, as a service manager would: MySQL does so when it can't write its binlog
   * (`binlog_error_action=ABORT_SERVER`, its default). Returns once the server answers.
   */
  async revive(): Promise<void> {
    const child = this.process;
    if (child === null || !(await this.answers(child))) await this.run();
  }

  /** Waits for an answer, a minute at most; false once the process has ended. */
  private async answers(child: ChildProcess): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      if (child.exitCode !== null || child.signalCode !== null) return false;
      try {
        const connection = await this.connect();
        await connection.end();
        return true;
      } catch (error) {
        if (attempt > 600) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  async connect(database?: string): Promise<Connection> {
    return await mysql.createConnection({
      host: '127.0.0.1',
      port: this.port,
      user: 'root',
      multipleStatements: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
      dateStrings: true,
      ...(database === undefined ? {} : { database }),
    });
  }

  /** Runs statements on a connection of its own and returns the last result's rows. */
  async sql(statements: string, database?: string): Promise<RowDataPacket[]> {
    const connection = await this.connect(database);
    try {
      const [rows] = await connection.query<RowDataPacket[]>(statements);
      return rows;
    } finally {
      await connection.end();
    }
  }

  /** The judge: the server's own dump of these databases, in a form in which equal data gives equal text. */
  async dump(databases: readonly string[], extra: readonly string[] = []): Promise<string> {
    const client = 'mariadb-dump';
    const { stdout } = await execa(
      client,
      [
        '--no-defaults',
        '-h127.0.0.1',
        `-P${this.port}`,
        '-uroot',
        '--skip-comments',
        '--skip-dump-date',
        '--order-by-primary',
        '--hex-blob',
        '--skip-extended-insert',
        '--skip-triggers',
        '--skip-lock-tables',
        '--single-transaction',
        '--default-character-set=binary',
        ...extra,
        '--databases',
        ...databases,
      ],
      { maxBuffer: 2 ** 30, encoding: 'buffer' },
    );
    return Buffer.from(stdout).toString('latin1');
  }

  /** kill -9, as a power cut would. `run` starts it again. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }
  private async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.process;
    this.process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.kill(signal);
    });
  }

  /** Ends the server and removes its folder. */
  async remove(): Promise<void> {
    await this.end('SIGKILL');
    await rm(this.directory, { recursive: true, force: true });
    this.forget();
  }
  /** For exit handlers, where nothing can be awaited. */
  private removeNow(): void {
    this.process?.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
