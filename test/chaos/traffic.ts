/** Clients that write while faults strike: tables of every sort of key that stay small for as long as it takes, and what makes a point be reached. */
import { randomBytes } from 'node:crypto';
import { DDL_POINTS, type FaultPoint } from '../../activities/fault-points.js';
import { LiveTraffic, type Transaction } from '../integration/live-traffic.js';
import type { DatabaseServer } from '../servers/database-server.js';

/** `visits`, `totals` and `steps` have no key, and every number is in `steps` once: there a change applied twice shows. */
const TABLES = `
  CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, who VARCHAR(50) UNIQUE, amount INT NOT NULL);
  CREATE TABLE visits (who VARCHAR(50), at INT);
  CREATE TABLE totals (n INT);
  CREATE TABLE steps (n INT);
  CREATE TABLE files (id INT PRIMARY KEY, content LONGBLOB);
  CREATE TABLE shapes (id INT PRIMARY KEY, text VARCHAR(20));
  INSERT INTO totals VALUES (0); INSERT INTO shapes VALUES (1, 'square'), (2, 'circle')`;
/** Several chunks of a request's body, whatever the compression. */
const FILE_BYTES = 700_000;
const FILES_KEPT = 3;
/** More changes than a wagon holds: a train. */
const TRAIN_ROWS = 250;

const onEveryTable: Transaction = (step) =>
  `SET @top = (SELECT COALESCE(MAX(id), 0) FROM orders);
   BEGIN; INSERT INTO orders (who, amount) VALUES (UUID(), ${step}), (UUID(), ${step}); INSERT INTO visits VALUES ('w${step % 7}', ${step});
   INSERT INTO steps VALUES (${step}); UPDATE totals SET n = n + 1; UPDATE visits SET at = at + 1 WHERE who = 'w${step % 7}' LIMIT 1;
   UPDATE orders SET amount = amount + 1 WHERE id % 17 = ${step % 17} ORDER BY id DESC LIMIT 3;
   DELETE FROM orders WHERE id < @top - 300; DELETE FROM visits WHERE at < ${step - 200} LIMIT 10; COMMIT`;

export class ChaosTraffic extends LiveTraffic {
  private bursts = 0;
  private columns = 0;

  constructor(server: DatabaseServer, database: string) {
    super(server, database, onEveryTable);
  }

  async createTables(): Promise<void> {
    await this.server.sql(`CREATE DATABASE ${this.database}; USE ${this.database}; ${TABLES}`);
  }

  /** What leads to the point, beside the traffic: a change of definition, or large and many changes. */
  async lead(to: FaultPoint): Promise<void> {
    const connection = await this.server.connect(this.database);
    try {
      if ((DDL_POINTS as readonly FaultPoint[]).includes(to)) {
        const dropped = this.columns % 2 === 1 ? `DROP COLUMN c${this.columns - 1}` : null;
        await connection.query(`ALTER TABLE shapes ${dropped ?? `ADD COLUMN c${this.columns} INT NOT NULL DEFAULT 7`}`);
        this.columns++;
        return;
      }
      const id = ++this.bursts;
      await connection.query('DELETE FROM files WHERE id <= ?; INSERT INTO files VALUES (?, ?)', [
        id - FILES_KEPT,
        id,
        randomBytes(FILE_BYTES),
      ]);
      await connection.query('INSERT INTO visits VALUES ?', [Array.from({ length: TRAIN_ROWS }, (_, n) => ['train', n])]);
    } finally {
      connection.destroy();
    }
  }
}
