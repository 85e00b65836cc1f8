/** Traffic at a steady rate: what sysbench's oltp_write_only does in a transaction, so many transactions a second, each noted with its time. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RowDataPacket } from 'mysql2/promise';
import type { DatabaseServer } from '../test/servers/database-server.js';
import { CHANGES_PER_TRANSACTION } from './sysbench.js';

const CLIENTS = 4;

export interface Commit {
  /** The last number of the transaction's GTID. */
  readonly number: number;
  /** When the client was told that it is committed, ms since 1970. */
  readonly at: number;
}

/** `rows`: of `bench.sbtest1`, as sysbench has prepared it. Each client has rows of its own, so that none waits for another. */
export async function steadyLoad(
  server: DatabaseServer,
  rows: number,
  changesPerSecond: number,
  seconds: number,
): Promise<readonly Commit[]> {
  const commits: Commit[] = [];
  const pause = (1_000 * CLIENTS * CHANGES_PER_TRANSACTION) / changesPerSecond;
  const client = async (offset: number): Promise<void> => {
    const connection = await server.connect('bench');
    try {
      const until = performance.now() + seconds * 1_000;
      for (let due = performance.now() + (pause * offset) / CLIENTS; due < until; due += pause) {
        const early = due - performance.now();
        if (early > 0) await sleep(early);
        const id = (): number => 1 + offset + CLIENTS * Math.floor((Math.random() * (rows - CLIENTS)) / CLIENTS);
        const [first, second, third] = [id(), id(), id()];
        const text = String(Math.random()).repeat(6).slice(0, 110);
        const [results] = await connection.query<RowDataPacket[][]>(
          `BEGIN; UPDATE sbtest1 SET k = k + 1 WHERE id = ${first}; UPDATE sbtest1 SET c = '${text}' WHERE id = ${second};
           DELETE FROM sbtest1 WHERE id = ${third}; INSERT INTO sbtest1 (id, k, c, pad) VALUES (${third}, ${first}, '${text}', 'pad');
           COMMIT; SELECT @@last_gtid AS gtid`,
        );
        const at = Date.now();
        commits.push({ number: Number(String(results.at(-1)?.[0]?.gtid).split('-')[2]), at });
      }
    } finally {
      await connection.end();
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, offset) => client(offset)));
  return commits;
}
