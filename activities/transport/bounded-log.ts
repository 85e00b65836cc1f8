/**
 * A log for what others can cause at will: of each message at most so many lines in a window, the rest counted and told in one line at
 * its end. A stranger who knocks a million times fills no disk and hides nothing: every message has a budget of its own.
 */
import type { StoreLog } from './file-store.js';

export interface LogBudget {
  /** Lines of one message in a window. */
  readonly logLines: number;
  readonly logWindowMilliseconds: number;
}

type Level = 'warn' | 'error';
interface Window {
  lines: number;
  suppressed: number;
  readonly ends: NodeJS.Timeout;
}

export class BoundedLog {
  /** By message: they are constants of the program, so few. */
  private readonly windows = new Map<string, Window>();

  constructor(
    private readonly log: StoreLog,
    private readonly budget: LogBudget,
  ) {}

  warn(facts: object, message: string): void {
    this.say('warn', facts, message);
  }
  error(facts: object, message: string): void {
    this.say('error', facts, message);
  }

  /** Tells what was suppressed so far. */
  close(): void {
    for (const message of [...this.windows.keys()]) this.end('warn', message);
  }

  private say(level: Level, facts: object, message: string): void {
    let window = this.windows.get(message);
    if (window === undefined) {
      const ends = setTimeout(() => this.end(level, message), this.budget.logWindowMilliseconds);
      ends.unref();
      window = { lines: 0, suppressed: 0, ends };
      this.windows.set(message, window);
    }
    if (window.lines < this.budget.logLines) {
      window.lines++;
      this.log[level](facts, message);
    } else window.suppressed++;
  }

  private end(level: Level, message: string): void {
    const window = this.windows.get(message);
    if (window === undefined) return;
    clearTimeout(window.ends);
    this.windows.delete(message);
    const { suppressed } = window;
    if (suppressed > 0)
      this.log[level]({ suppressed, windowMilliseconds: this.budget.logWindowMilliseconds }, `${message}: as many more were not written`);
  }
}
