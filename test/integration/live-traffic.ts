/** Clients that never stop writing: small transactions, one after the other, through the death and return of the server. */
import type { Connection } from 'mysql2/promise';
import type { DatabaseServer } from '../servers/database-server.js';

/** `orders` is keyed, `visits` has no key: there a change applied twice shows. */
export const TRAFFIC_TABLES = `
  CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, who VARCHAR(50) UNIQUE, amount INT NOT NULL DEFAULT 0);
  CREATE TABLE visits (who VARCHAR(50), at INT)`;

/** The statements of one transaction; `turn` counts from 1, and no number comes twice. */
export type Transaction = (turn: number) => string;
const orderAndVisit: Transaction = (turn) =>
  `BEGIN; INSERT INTO orders (who, amount) VALUES (UUID(), ${turn}), (UUID(), ${turn}); INSERT INTO visits VALUES ('w${turn % 7}', ${turn});
   UPDATE orders SET amount = amount + 1 WHERE id % 97 = ${turn % 97} ORDER BY id DESC LIMIT 3;
   DELETE FROM orders WHERE id % 89 = ${turn % 89} ORDER BY id LIMIT 1; UPDATE visits SET at = at + 1 WHERE who = 'w${turn % 7}' LIMIT 1; COMMIT`;

export class LiveTraffic {
  private running: Promise<void> | null = null;
  private ending = false;
  private turn = 0;
  /** Transactions whose commit was answered. */
  commits = 0;

  constructor(
    protected readonly server: DatabaseServer,
    protected readonly database: string,
    private readonly transaction: Transaction = orderAndVisit,
  ) {}

  start(): void {
    this.ending = false;
    this.running ??= this.write();
  }
  /** Returns once nothing is under way any more. */
  async stop(): Promise<void> {
    this.ending = true;
    await this.running;
    this.running = null;
  }

  private async write(): Promise<void> {
    let connection: Connection | null = null;
    while (!this.ending) {
      const turn = ++this.turn;
      try {
        if (connection === null) {
          connection = await this.server.connect(this.database);
          // A server that dies is seen by the statement; without a listener the process would end.
          connection.on('error', () => undefined);
          // No gap locks: whoever else inserts isn't in the way, nor we in theirs.
          await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
        }
        await connection.query(this.transaction(turn));
        this.commits++;
      } catch {
        connection?.destroy();
        connection = null;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    connection?.destroy();
  }
}
