/** What `npm run bench` is made of: one measurement a file, each against its peer in the same run. */

export interface BenchOptions {
  /** Said to the person who waits, one line a step. */
  readonly tell: (line: string) => void;
  /** 1 is the size (1 M changes, 5 GB); a tenth of it for a try. */
  readonly scale: number;
  /** How often each figure is taken; the median is told. */
  readonly rounds: number;
}

/** One line of the table: `reached` is null where nothing was asked. */
export interface BenchRow {
  readonly what: string;
  readonly ours: string;
  readonly peer: string;
  readonly ratio: string;
  readonly target: string;
  readonly reached: boolean | null;
}

/** `figures` goes into the last line of `--json` under the measurement's name. */
export interface Measured {
  readonly figures: Readonly<Record<string, unknown>>;
  readonly rows: readonly BenchRow[];
}

export interface Measurement {
  readonly name: string;
  /** So that the whole of `npm run bench` takes a quarter of an hour; `--scale` says otherwise. */
  readonly usualScale: number;
  measure(options: BenchOptions): Promise<Measured>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]];
  if (low === undefined || high === undefined) throw new Error('the median of nothing was asked');
  return (low + high) / 2;
}
