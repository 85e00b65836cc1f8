/** A log that is followed, up to where a cut should end: what has come together since the first change, or nothing after a while. */
import type { FollowLog } from '../contracts.js';
import type { LogBatch, LogItem } from '../engines/engine.js';

export class FollowedLog {
  /** Everything that was in the log when the read began has been handed on. */
  reachedEnd = false;
  private began = 0;
  /** When the linger began: a change is there, and the end was reached. */
  private lingering: number | null = null;
  private changed = false;
  private inTransaction = false;

  constructor(
    private readonly read: (signal: AbortSignal) => AsyncIterable<LogBatch>,
    private readonly follow: FollowLog,
    private readonly signal: AbortSignal,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** Never ends inside a transaction, nor before what the log held at the beginning. */
  async *batches(): AsyncGenerator<LogBatch, void, void> {
    const stop = new AbortController();
    const iterator = this.read(AbortSignal.any([this.signal, stop.signal]))[Symbol.asyncIterator]();
    this.began = this.clock();
    let pending: Promise<IteratorResult<LogBatch>> | null = null;
    try {
      for (;;) {
        pending = iterator.next();
        pending.catch(() => undefined); // awaited here, or given up below
        const due = this.due();
        const next = due === null ? await pending : await within(pending, Math.max(0, due - this.clock()));
        if (next === null) return;
        pending = null;
        if (next.done === true) return;
        this.see(next.value);
        yield next.value;
      }
    } finally {
      stop.abort();
      await pending?.catch(() => undefined);
      await iterator.return?.();
    }
  }

  private due(): number | null {
    if (this.inTransaction || !this.reachedEnd) return null;
    return this.lingering === null ? this.began + this.follow.waitMilliseconds : this.lingering + this.follow.lingerMilliseconds;
  }

  private see({ items, reachedEnd }: LogBatch): void {
    const last = items.findLast(isBoundary);
    if (last !== undefined) this.inTransaction = last.kind === 'begin';
    this.changed ||= items.some(isChange);
    this.reachedEnd ||= reachedEnd === true;
    if (this.changed && this.reachedEnd) this.lingering ??= this.clock();
  }
}

const isBoundary = ({ kind }: LogItem): boolean => kind === 'begin' || kind === 'commit' || kind === 'abandon';
const isChange = ({ kind }: LogItem): boolean => kind === 'rows' || kind === 'ddl';

/** null: it took longer. */
async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
