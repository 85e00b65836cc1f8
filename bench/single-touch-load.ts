/**
 * A load without hot keys, in sysbench's shape: each transaction updates two rows, deletes one and inserts one, and within a round no
 * row is touched twice. Rows are visited in an order that has nothing to do with their keys.
 */
import type { DatabaseServer } from '../test/servers/database-server.js';

const COLUMNS = 'id INT PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL, KEY k (k)';
/** Coprime to every number of transactions that is not a multiple of it: steps through all of them. */
const STEP = 7_919;
const WRITERS = 4;

export class SingleTouchLoad {
  /** The lowest id that lives. */
  private low = 0;
  private constructor(
    private readonly server: DatabaseServer,
    private readonly transactions: number,
  ) {}

  /** A table `bench.single` with three rows for each transaction of a round. */
  static async prepare(server: DatabaseServer, transactions: number): Promise<SingleTouchLoad> {
    const text = 'CONCAT(SHA2(seq, 256), SHA2(seq, 224))';
    await server.sql(`
      CREATE DATABASE IF NOT EXISTS bench;
      USE bench;
      CREATE TABLE bench.single (${COLUMNS}) ENGINE=InnoDB;
      INSERT INTO bench.single SELECT seq, seq, LEFT(${text}, 119), LEFT(SHA2(-seq, 256), 59) FROM seq_0_to_${3 * transactions - 1};
      CREATE PROCEDURE bench.touch(low INT, first INT, last INT, n INT)
      BEGIN
        DECLARE i INT DEFAULT first;
        DECLARE j INT;
        WHILE i < last DO
          SET j = i * ${STEP}.0 MOD n;
          START TRANSACTION;
          UPDATE bench.single SET k = k + 1 WHERE id = low + n + j;
          UPDATE bench.single SET c = REVERSE(c) WHERE id = low + 2 * n + j;
          DELETE FROM bench.single WHERE id = low + j;
          INSERT INTO bench.single VALUES (low + 3 * n + j, j, LEFT(CONCAT(SHA2(j, 256), SHA2(-j, 224)), 119), LEFT(SHA2(j + low, 256), 59));
          COMMIT;
          SET i = i + 1;
        END WHILE;
      END`);
    return new SingleTouchLoad(server, transactions);
  }

  /** One round: four row changes in each of `transactions` transactions. */
  async run(): Promise<void> {
    const { transactions: n, low } = this;
    const part = Math.ceil(n / WRITERS);
    await Promise.all(
      Array.from({ length: WRITERS }, async (_, writer) => {
        await this.server.sql(`CALL bench.touch(${low}, ${writer * part}, ${Math.min(n, (writer + 1) * part)}, ${n})`);
      }),
    );
    this.low += n;
  }
}
