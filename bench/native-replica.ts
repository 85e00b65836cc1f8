/** The peer of a catch-up: the server's own replication, on a server of its own beside the target. */
import { execa } from 'execa';
import { DatabaseServer } from '../test/servers/database-server.js';

export class NativeReplica {
  private constructor(
    readonly server: DatabaseServer,
    private readonly source: DatabaseServer,
  ) {}

  /** A MariaDB replica that holds these databases as the source has them now; it stands still until asked to catch up. */
  static async of(source: DatabaseServer, databases: readonly string[], options: readonly string[]): Promise<NativeReplica> {
    const server = await DatabaseServer.start({ kind: 'mariadb', name: 'native-replica', options });
    try {
      const at = (it: DatabaseServer): string[] => ['--no-defaults', `--socket=${it.socket}`, '-uroot'];
      // Unlogged: the position is refused by a log that has gone on by itself.
      await execa({ buffer: false })('mariadb-dump', [
        ...at(source),
        '--single-transaction',
        '--gtid',
        '--master-data=1',
        '--databases',
        ...databases,
      ]).pipe('mariadb', [...at(server), '--init-command=SET sql_log_bin = 0']);
      await server.sql(
        `CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${source.port}, MASTER_USER='root', MASTER_USE_GTID=slave_pos`,
      );
      return new NativeReplica(server, source);
    } catch (error) {
      await server.remove();
      throw error;
    }
  }

  /** Seconds until all that the source has committed is applied here. */
  async catchUp(threads: number): Promise<number> {
    const [row] = await this.source.sql('SELECT @@GLOBAL.gtid_binlog_pos AS gtid');
    await this.server.sql(`SET GLOBAL slave_parallel_threads = ${threads}`);
    const started = performance.now();
    await this.server.sql('START SLAVE');
    const [waited] = await this.server.sql(`SELECT MASTER_GTID_WAIT('${String(row?.gtid)}', 600) AS waited`);
    const seconds = (performance.now() - started) / 1_000;
    await this.server.sql('STOP SLAVE');
    if (Number(waited?.waited) !== 0) throw new Error('native replication did not catch up within 600 s');
    return seconds;
  }

  async remove(): Promise<void> {
    await this.server.remove();
  }
}
