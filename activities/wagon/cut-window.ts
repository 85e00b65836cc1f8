/** What a cut has gathered and not given out yet. Pure. */
import { imageBytes, imagesPerRow, offsetAt, sliceImages } from '../engines/row-images.js';
import type { CapturedRun } from './compact.js';

/** Runs that wait for the end of their transaction, or of their piece. */
export class Load {
  runs: CapturedRun[] = [];
  changes = 0;
  bytes = 0;

  get empty(): boolean {
    return this.runs.length === 0;
  }
  add(run: CapturedRun): void {
    this.runs.push(run);
    this.changes += run.rows.images / imagesPerRow(run.operation);
    this.bytes += imageBytes(run.rows);
  }
  append(other: Load): void {
    for (const run of other.runs) this.runs.push(run);
    this.changes += other.changes;
    this.bytes += other.bytes;
  }
}

/** Whole transactions gathered for the next piece. */
export interface Window {
  readonly load: Load;
  readonly transactions: number;
  readonly logBytes: number;
  readonly first: number;
  readonly last: number;
  /** Commit time of the last transaction that passed, in scope or not. */
  readonly passed: number;
}
export const emptyWindow = (): Window => ({ load: new Load(), transactions: 0, logBytes: 0, first: 0, last: 0, passed: 0 });

/** The run itself, or, when it alone is larger than a wagon, parts of it cut between rows. */
export function splitRun(run: CapturedRun, maxChanges: number, maxBytes: number): readonly CapturedRun[] {
  const { rows } = run;
  const step = imagesPerRow(run.operation);
  const { images } = rows;
  if (images / step <= maxChanges && imageBytes(rows) <= maxBytes) return [run];
  const parts: CapturedRun[] = [];
  let from = 0;
  for (let image = step; image <= images; image += step) {
    const next = Math.min(image + step, images);
    const full = (image - from) / step >= maxChanges || offsetAt(rows, next) - offsetAt(rows, from) > maxBytes;
    if (image === images || full) {
      parts.push({ ...run, rows: sliceImages(rows, from, image) });
      from = image;
    }
  }
  return parts;
}
