/** A worker started a second time: on the same folder it is refused; with a folder of its own, as on another machine, it does no harm. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { parse, stringify } from 'yaml';
import type { Pair, Side } from '../../integration/pair.js';
import { srdfCommand } from '../../servers/worker-process.js';
import type { Fault } from '../contract.js';

const WORKER_RUNNING = 62;

async function secondIsRefused(pair: Pair, side: Side): Promise<void> {
  const { exitCode, stderr } = await execa(process.execPath, [srdfCommand, 'worker', side, '--config', pair.configFile], {
    env: pair.env,
    reject: false,
    timeout: 60_000,
  });
  if (exitCode !== WORKER_RUNNING || !stderr.includes('another worker of this machine uses that folder'))
    throw new Error(`a second ${side} worker ended with ${exitCode ?? 'nothing'} instead of being refused: ${stderr}`);
}

const onTheSameFolder = (side: Side): Fault => ({
  name: `the ${side} worker started twice`,
  group: 'double start',
  expected: 'goes on',
  async inflict(pair) {
    await secondIsRefused(pair, side);
    return async () => undefined;
  },
});

/** Both take work from one task queue, and neither sees the other's spool. */
const onAnotherMachine: Fault = {
  name: 'a second source worker with a spool of its own',
  group: 'double start',
  expected: 'goes on',
  async inflict(pair) {
    const config = parse(await readFile(pair.configFile, 'utf8')) as { source: { state: string } };
    config.source.state = 'second-source-state';
    const file = join(pair.directory, 'srdf-second-source.yaml');
    await writeFile(file, stringify(config));
    const second = execa(process.execPath, [srdfCommand, 'worker', 'source', '--config', file], { env: pair.env, reject: false });
    return async () => {
      second.kill('SIGKILL');
      await second;
    };
  },
};

export const DOUBLE_START_FAULTS: readonly Fault[] = [onTheSameFolder('source'), onTheSameFolder('target'), onAnotherMachine];
