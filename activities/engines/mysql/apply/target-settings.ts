/** The target server's own settings that decide what "applied" is worth: looked at by the preflight, and again before anything is applied. */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { EngineName } from '../../engine.js';

interface Setting {
  readonly variable: string;
  readonly wanted: string;
  readonly mend: string;
}

/** Global switches of replication that BINLOG statements obey too: with any other value rows that don't fit are passed over, or triggers fire. */
const STRICT_ROWS: Readonly<Record<EngineName, readonly Setting[]>> = {
  mariadb: [
    { variable: 'slave_exec_mode', wanted: 'STRICT', mend: "SET GLOBAL slave_exec_mode='STRICT'" },
    { variable: 'slave_run_triggers_for_rbr', wanted: 'NO', mend: "SET GLOBAL slave_run_triggers_for_rbr='NO'" },
    { variable: 'slave_skip_errors', wanted: 'OFF', mend: 'Start the target without slave_skip_errors' },
  ],
  mysql: [
    { variable: 'replica_skip_errors', wanted: 'OFF', mend: 'Start the target without replica_skip_errors' },
    { variable: 'slave_skip_errors', wanted: 'OFF', mend: 'Start the target without slave_skip_errors' },
  ],
};
const LENIENT = 'rows that don’t fit would be passed over, or triggers would fire';

/**
 * A commit that the disk has before its client is told of it: on the receipt's word the source throws its copy away. With a binary log it is the
 * log that decides: after a power cut the server rolls back what its log lacks, whatever InnoDB has (MariaDB manual, "sync_binlog"; MySQL manual,
 * "Binary Logging Options and Variables"). MariaDB's default for sync_binlog is 0.
 */
const DURABLE: Setting = { variable: 'innodb_flush_log_at_trx_commit', wanted: '1', mend: 'SET GLOBAL innodb_flush_log_at_trx_commit=1' };
const DURABLE_LOG: Setting = { variable: 'sync_binlog', wanted: '1', mend: 'SET GLOBAL sync_binlog=1' };
const FORGETFUL = 'after a power cut the target could lack what it has confirmed, and the source no longer has it either';

export interface UnfitSetting {
  readonly variable: string;
  readonly value: string;
  readonly why: string;
  readonly mend: string;
}

export async function unfitSettings(connection: Connection, engine: EngineName): Promise<readonly UnfitSetting[]> {
  const strict = STRICT_ROWS[engine];
  const [rows] = await connection.query<RowDataPacket[]>('SHOW GLOBAL VARIABLES WHERE Variable_name IN (?)', [
    [...strict, DURABLE, DURABLE_LOG].map((it) => it.variable).concat('log_bin'),
  ]);
  const values = new Map(rows.map((row) => [String(row.Variable_name).toLowerCase(), String(row.Value).toUpperCase()]));
  const unfit = (settings: readonly Setting[], why: string): readonly UnfitSetting[] =>
    settings.flatMap(({ variable, wanted, mend }) => {
      // A server that doesn't know the variable, or has it empty, is as wanted.
      const value = values.get(variable) ?? '';
      return value === '' || value === wanted ? [] : [{ variable, value, why, mend }];
    });
  return [...unfit(strict, LENIENT), ...unfit(values.get('log_bin') === 'ON' ? [DURABLE, DURABLE_LOG] : [DURABLE], FORGETFUL)];
}

/** Most of them can be turned at any time, so they are asked for each time anew. Throws `target-preflight`. */
export async function requireFitSettings(connection: Connection, engine: EngineName, doing: string): Promise<void> {
  const [unfit] = await unfitSettings(connection, engine);
  if (unfit === undefined) return;
  throw new SrdfError('target-preflight', {
    tried: doing,
    found: `${unfit.variable} is ${unfit.value} on the target: ${unfit.why}`,
    action: `Nothing was applied. On the target: ${unfit.mend} (and in its configuration file); it is tried again by itself`,
  });
}
