/** The load that databases are compared by: sysbench's own `oltp_write_only`, four row changes a transaction. */
import { execa } from 'execa';
import type { DatabaseServer } from '../test/servers/database-server.js';

/** What sysbench's oltp_write_only changes in a transaction: two updates, a delete and an insert. */
export const CHANGES_PER_TRANSACTION = 4;

async function sysbench(server: DatabaseServer, rows: number, parameters: readonly string[]): Promise<string> {
  const { stdout } = await execa('sysbench', [
    'oltp_write_only',
    '--db-driver=mysql',
    `--mysql-socket=${server.socket}`,
    '--mysql-user=root',
    '--mysql-db=bench',
    '--tables=1',
    `--table-size=${rows}`,
    '--rand-seed=11',
    ...parameters,
  ]);
  return stdout;
}

/** Makes `bench.sbtest1` with so many rows. */
export async function prepareSysbench(server: DatabaseServer, rows: number): Promise<void> {
  await server.sql('CREATE DATABASE IF NOT EXISTS bench');
  await sysbench(server, rows, ['prepare']);
}

/** Runs so many transactions and returns how many a second there were. */
export async function runSysbench(server: DatabaseServer, rows: number, transactions: number, threads = 4): Promise<number> {
  const said = await sysbench(server, rows, [`--events=${transactions}`, '--time=0', `--threads=${threads}`, 'run']);
  const perSecond = /transactions:\s+\d+\s+\(([\d.]+) per sec/.exec(said)?.[1];
  if (perSecond === undefined) throw new Error(`sysbench said no transactions a second:\n${said}`);
  return Number(perSecond);
}
