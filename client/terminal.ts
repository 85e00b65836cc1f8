/** Where a command reads and writes: the process's own terminal, or a test's. */
export interface Terminal {
  /** What was asked for: standard output. */
  out(text: string): void;
  /** Everything about it: progress, warnings, errors. Standard error, so that a script's pipe carries only results. */
  err(text: string): void;
  /** Standard error is watched by somebody: a line may be rewritten in place. */
  readonly live: boolean;
  readonly columns: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}

export function processTerminal(signal: AbortSignal): Terminal {
  return {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    live: process.stderr.isTTY === true,
    columns: process.stdout.columns ?? 100,
    environment: process.env,
    signal,
  };
}
