/** A file system of its own (tmpfs) that can be full from one moment to the next, without a byte being written to it. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rmdir, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { onLeaving } from './leave-nothing.js';

export class SmallDisk {
  private constructor(
    readonly path: string,
    private readonly bytes: number,
    private readonly forget: () => unknown,
  ) {}

  /** Why there can be none here, or null. */
  static async unavailable(): Promise<string | null> {
    const path = await mkdtemp(join(tmpdir(), 'srdf-disk-'));
    try {
      const disk = await SmallDisk.mount(path, 2 ** 20);
      await disk.remove();
      return null;
    } catch {
      return 'no right to mount a file system';
    } finally {
      await rmdir(path);
    }
  }

  /** @param path made if missing @param bytes how much it holds */
  static async mount(path: string, bytes: number): Promise<SmallDisk> {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await execa('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tmpfs', path]);
    return new SmallDisk(
      path,
      bytes,
      onLeaving(() => spawnSync('umount', ['--lazy', path])),
    );
  }

  /** Not a byte more fits: the file system is made as small as what lies in it. */
  async fill(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const { blocks, bfree, bsize } = await statfs(this.path);
      const { exitCode, stderr } = await this.resize(Math.max(1, blocks - bfree) * bsize);
      // Somebody may have written since it was asked.
      if (exitCode === 0) return;
      if (attempt === 50) throw new Error(`${this.path} can't be made smaller: ${stderr}`);
    }
  }
  async makeRoom(): Promise<void> {
    const { exitCode, stderr } = await this.resize(this.bytes);
    if (exitCode !== 0) throw new Error(`${this.path} can't be made larger: ${stderr}`);
  }
  private async resize(bytes: number) {
    return await execa('mount', ['-o', `remount,size=${bytes}`, this.path], { reject: false });
  }

  /** Lazily: a process that is just ending may still have files open in it. */
  async remove(): Promise<void> {
    await execa('umount', ['--lazy', this.path]);
    this.forget();
  }
}
