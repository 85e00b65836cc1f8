/** What a test can break of a pair beside its processes: the lines between its parts, the disks they lie on, the workers' clocks. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { SmallDisk } from '../servers/small-disk.js';
import { TcpProxy } from '../servers/tcp-proxy.js';
import type { Side } from './pair.js';

export const LINES = [
  'source worker to receiver',
  'source worker to Temporal',
  'target worker to Temporal',
  'source worker to database',
  'target worker to database',
] as const;
export type Line = (typeof LINES)[number];

/** Folders of the pair's that lie on a disk of their own. */
const DISKS = {
  'source-state': 256 * 2 ** 20,
  'target-state': 256 * 2 ** 20,
  temporal: 256 * 2 ** 20,
  'source-server': 2 ** 30,
  'target-server': 2 ** 30,
} as const;
export type Disk = keyof typeof DISKS;

/** Of srdf.yaml, what the lines stand in. */
interface Addresses {
  readonly temporal: { readonly address: string };
  readonly target: { readonly receiver: { readonly url: string } };
  readonly streams: readonly { readonly source: { readonly port: number }; readonly target: { readonly port: number } }[];
}

const SHIFTED_CLOCK = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../servers/shifted-clock.mjs' : '../../../test/servers/shifted-clock.mjs', import.meta.url),
);

export class Breakable {
  private readonly lines = new Map<Line, TcpProxy>();
  private readonly disks = new Map<Disk, SmallDisk>();
  private constructor(private readonly directory: string) {}

  /** Disks are mounted below `directory` where this user may mount; `disk` throws where not. */
  static async start(directory: string): Promise<Breakable> {
    const breakable = new Breakable(directory);
    if ((await SmallDisk.unavailable()) !== null) return breakable;
    try {
      for (const name of Object.keys(DISKS) as Disk[]) breakable.disks.set(name, await SmallDisk.mount(join(directory, name), DISKS[name]));
      return breakable;
    } catch (error) {
      await breakable.remove();
      throw error;
    }
  }

  /** Writes the config with which a side's worker finds everything behind a line, and returns its path. */
  async configFor(side: Side, config: Addresses): Promise<string> {
    const { temporal, target, streams } = config;
    const [host = '', port = ''] = temporal.address.split(':');
    const own = side === 'source' ? 'source worker to database' : 'target worker to database';
    const first = streams[0];
    const behind = {
      ...config,
      temporal: { ...temporal, address: `127.0.0.1:${await this.through(`${side} worker to Temporal`, host, Number(port))}` },
      streams:
        first === undefined ? [] : [{ ...first, [side]: { ...first[side], port: await this.through(own, '127.0.0.1', first[side].port) } }],
      ...(side === 'source' && { target: { ...target, receiver: { ...target.receiver, url: await this.receiver(target.receiver.url) } } }),
    };
    const file = join(this.directory, `srdf-${side}.yaml`);
    await writeFile(file, stringify(behind));
    return file;
  }
  private async receiver(url: string): Promise<string> {
    return `https://127.0.0.1:${await this.through('source worker to receiver', '127.0.0.1', Number(new URL(url).port))}`;
  }
  private async through(name: Line, host: string, port: number): Promise<number> {
    const line = await TcpProxy.start({ host, port });
    this.lines.set(name, line);
    return line.port;
  }

  /** What a worker's process is started with, so that its clock can be set wrong. */
  clockOf(side: Side): Readonly<Record<string, string>> {
    return { NODE_OPTIONS: `--import ${SHIFTED_CLOCK}`, SRDF_TEST_CLOCK: join(this.directory, `${side}-clock`) };
  }
  /** The worker's clock goes wrong by so much at once, also while it runs. 0: it is right again. */
  async setClock(side: Side, milliseconds: number): Promise<void> {
    await writeFile(join(this.directory, `${side}-clock`), String(milliseconds));
  }

  line(name: Line): TcpProxy {
    return must(this.lines.get(name), `no line from ${name}`);
  }
  disk(name: Disk): SmallDisk {
    return must(this.disks.get(name), `${name} has no disk of its own`);
  }

  async remove(): Promise<void> {
    for (const line of this.lines.values()) await line.close();
    for (const disk of this.disks.values()) await disk.remove();
  }
}

function must<T>(value: T | undefined, otherwise: string): T {
  if (value === undefined) throw new Error(otherwise);
  return value;
}
