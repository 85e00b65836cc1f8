/** The peers of a bootstrap: Debian's mydumper with myloader, and mariadb-dump piped into mariadb, with their best ordinary settings. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { DatabaseServer } from '../test/servers/database-server.js';

export interface DumpPeer {
  readonly name: string;
  copy(source: DatabaseServer, target: DatabaseServer): Promise<void>;
}

/** Tables cut into chunks of so many rows, so that both threads have work to the end. */
const MYDUMPER_ROWS = 500_000;

/** Files aren't compressed, which on one machine is quicker by half. `--enable-binlog`: the target's log stays on, as it does for everybody. */
export const mydumper = (threads: number): DumpPeer => ({
  name: `mydumper | myloader, ${threads} threads`,
  copy: async (source, target) => {
    const folder = await mkdtemp(join(tmpdir(), 'srdf-mydumper-'));
    const at = (it: DatabaseServer): string[] => ['--host=127.0.0.1', `--port=${it.port}`, '--user=root', `--threads=${threads}`];
    try {
      await execa('mydumper', [
        ...at(source),
        '--database=bench',
        `--outputdir=${folder}`,
        '--trx-consistency-only',
        `--rows=${MYDUMPER_ROWS}`,
      ]);
      await execa('myloader', [...at(target), `--directory=${folder}`, '--database=bench', '--enable-binlog']);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
});

/** Through a shell's pipe: the rows don't pass through this process. */
export const mariadbDump: DumpPeer = {
  name: 'mariadb-dump | mariadb',
  copy: async (source, target) => {
    await execa(
      'bash',
      [
        '-c',
        'set -o pipefail; mariadb-dump --no-defaults --socket="$0" -uroot --single-transaction --quick --extended-insert --databases bench | mariadb --no-defaults --socket="$1" -uroot',
        source.socket,
        target.socket,
      ],
      { stdout: 'ignore' },
    );
  },
};
