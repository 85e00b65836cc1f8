/** A site's real worker: `srdf worker source|target` out of dist/, a process of its own with its output in a file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { onLeaving } from './leave-nothing.js';

/** The repository's dist/: we may be a TypeScript file beside it, or a compiled one inside it. */
export const distDirectory = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../../dist/' : '../../', import.meta.url));
export const srdfCommand = `${distDirectory}client/bin.js`;

export interface WorkerProcessOptions {
  readonly site: 'source' | 'target';
  readonly configFile: string;
  readonly logFile: string;
  readonly env: Readonly<Record<string, string>>;
  /** Resolves once the worker polls its task queue; rejects when it can't be told. */
  readonly polls: (since: Date) => Promise<boolean>;
}

export class WorkerProcess {
  private process: ChildProcess | null = null;
  private forget: () => unknown = () => {};
  constructor(private readonly options: WorkerProcessOptions) {}

  get site(): 'source' | 'target' {
    return this.options.site;
  }
  get running(): boolean {
    return this.process !== null && this.process.exitCode === null && this.process.signalCode === null;
  }
  get pid(): number | undefined {
    return this.process?.pid;
  }

  /** Returns once the worker polls. Throws with the end of its log when it ends before. */
  async start(): Promise<void> {
    const { site, configFile, logFile, env, polls } = this.options;
    const since = new Date();
    const log = openSync(logFile, 'a');
    const child = spawn(process.execPath, ['--enable-source-maps', srdfCommand, 'worker', site, '--config', configFile], {
      stdio: ['ignore', log, log],
      // As the systemd units and the image do.
      env: { ...process.env, MALLOC_ARENA_MAX: '2', ...env },
    });
    closeSync(log);
    this.process = child;
    this.forget = onLeaving(() => child.kill('SIGKILL'));
    for (const deadline = Date.now() + 60_000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`the ${site} worker ended with ${child.exitCode ?? child.signalCode}:\n${await this.logTail()}`);
      if (await polls(since)) return;
      if (Date.now() > deadline) throw new Error(`the ${site} worker doesn't poll its task queue:\n${await this.logTail()}`);
    }
  }

  /** kill -9, as a power cut would. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }
  /** In order: what is begun is finished. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }
  private async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.process;
    this.process = null;
    this.forget();
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const force = setTimeout(() => child.kill('SIGKILL'), 30_000);
    await gone;
    clearTimeout(force);
  }

  /** The log's last lines as a person reads them. */
  async logTail(lines = 15): Promise<string> {
    const text = await readFile(this.options.logFile, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').map(readable).slice(-lines).join('\n');
  }
}

/** pino's JSON, cut down to time, level, message and error. Any other line as it is. */
function readable(line: string): string {
  try {
    const { time, level, msg, err, activity } = JSON.parse(line) as Record<string, unknown>;
    const { tried, found, message, stack } = (err ?? {}) as Partial<Record<'tried' | 'found' | 'message' | 'stack', string>>;
    const severity = Number(level) >= 50 ? 'ERROR' : Number(level) >= 40 ? 'WARN' : 'INFO';
    return [time, severity, activity, msg, tried, found, message, stack].filter((it) => it !== undefined).join(' ');
  } catch {
    return line;
  }
}
