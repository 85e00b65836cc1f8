/** A small pool of wagon threads with one set of keys. A thread that dies fails its tasks; the next task starts another. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { createTaskRunner, type PackedError, unpackError, type WagonAnswer, type WagonKeys, type WagonTask } from './wagon-tasks.js';

const CLOSED = 'the wagon threads are closed';

interface Waiting {
  resolve(answer: WagonAnswer): void;
  reject(error: Error): void;
}
type Reply = { readonly id: number; readonly answer: WagonAnswer } | { readonly id: number; readonly error: PackedError };

export interface WagonThreads {
  /** The whole buffer behind `task.bytes` is handed over: nobody here can use it afterwards. */
  run(task: WagonTask): Promise<WagonAnswer>;
  /** Waits for what is under way, then ends the threads. */
  close(): Promise<void>;
}

/** `threads` 0: in this thread. `entry`: the compiled thread. */
export function startWagonThreads(keys: WagonKeys, threads = 1, compiled = threadEntry()): WagonThreads {
  const entry = threads > 0 ? compiled : null;
  if (entry === null) return inProcess(keys);
  const pool = Array.from({ length: threads }, () => new WagonThread(entry, keys));
  return {
    run: (task) => pool.reduce((least, thread) => (thread.load < least.load ? thread : least)).run(task),
    close: async () => {
      await Promise.all(pool.map((thread) => thread.close()));
    },
  };
}

/** null where there is no compiled thread: tests run from TypeScript, which a thread can't load, before anything was built. */
function threadEntry(): string | null {
  const own = fileURLToPath(import.meta.url);
  const compiled = own.endsWith('.ts')
    ? fileURLToPath(new URL('../../dist/activities/wagon/wagon-thread.js', import.meta.url))
    : fileURLToPath(new URL('./wagon-thread.js', import.meta.url));
  return existsSync(compiled) ? compiled : null;
}

function inProcess(keys: WagonKeys): WagonThreads {
  const runner = createTaskRunner(keys);
  let closed = false;
  return {
    run: async (task) => {
      if (closed) throw new Error(CLOSED);
      return (await runner)(task);
    },
    close: async () => {
      closed = true;
      await runner;
    },
  };
}

class WagonThread {
  #worker: Worker | null = null;
  #next = 0;
  #closed = false;
  /** Of the present worker; one that died takes its own along. */
  #waiting = new Map<number, Waiting>();

  constructor(
    private readonly entry: string,
    private readonly keys: WagonKeys,
  ) {}

  get load(): number {
    return this.#waiting.size;
  }

  run(task: WagonTask): Promise<WagonAnswer> {
    if (this.#closed) return Promise.reject(new Error(CLOSED));
    const worker = this.#start();
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // A process may end while its threads idle, not while they work.
      worker.ref();
      const { buffer } = task.bytes;
      worker.postMessage({ id, task }, buffer instanceof ArrayBuffer ? [buffer] : []);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    while (this.#waiting.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await this.#worker?.terminate();
    this.#worker = null;
  }

  readonly #idle: (() => void)[] = [];

  #start(): Worker {
    if (this.#worker !== null) return this.#worker;
    const worker = new Worker(this.entry, { workerData: this.keys });
    const tasks = new Map<number, Waiting>();
    this.#waiting = tasks;
    worker.on('message', (reply: Reply) => {
      const waiting = tasks.get(reply.id);
      tasks.delete(reply.id);
      if ('error' in reply) waiting?.reject(unpackError(reply.error));
      else waiting?.resolve(reply.answer);
      if (tasks.size === 0) {
        worker.unref();
        this.#settle();
      }
    });
    // `exit` follows `error`, when another worker may be at work already.
    const died = (error: Error) => {
      if (this.#worker === worker) this.#worker = null;
      for (const waiting of tasks.values()) waiting.reject(error);
      tasks.clear();
      this.#settle();
    };
    worker.on('error', died);
    worker.on('exit', (code) => died(new Error(`a wagon thread ended with code ${code}`)));
    this.#worker = worker;
    return worker;
  }

  #settle(): void {
    if (this.#waiting.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
