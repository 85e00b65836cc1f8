/** The harness's end of activities/fault-points.ts: a folder that every worker it starts inherits. */
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FaultPoint } from '../../activities/fault-points.js';
import { onLeaving } from '../servers/leave-nothing.js';
import { until } from './until.js';

export class Holds {
  private readonly directory = mkdtempSync(join(tmpdir(), 'srdf-fault-points-'));
  private readonly forget = onLeaving(() => this.remove());

  constructor() {
    process.env.SRDF_FAULT_POINTS = this.directory;
  }

  /** The next process to come to the point is held there. */
  async place(point: FaultPoint): Promise<void> {
    await writeFile(join(this.directory, `${point}.hold`), '');
  }
  /** Throws when nothing came there in time. */
  async reached(point: FaultPoint, seconds: number): Promise<void> {
    await until(`the point ${point} is reached`, seconds, async () => {
      try {
        return (await stat(join(this.directory, `${point}.reached`))).isFile();
      } catch {
        return false;
      }
    });
  }
  /** Whatever is held goes on, and nothing is held any more. */
  async lift(): Promise<void> {
    for (const name of await readdir(this.directory)) await rm(join(this.directory, name), { force: true });
  }

  remove(): void {
    this.forget?.();
    delete process.env.SRDF_FAULT_POINTS;
    rmSync(this.directory, { recursive: true, force: true });
  }
}
