/** What a bootstrap is measured with: half of it small rows as sysbench makes them, half wider ones as a shop has them. */
import type { DatabaseServer } from '../test/servers/database-server.js';

/** Mean bytes of a row with its indexes, as `information_schema.tables` counts them. */
const SBTEST_BYTES = 215;
const ORDER_BYTES = 705;
const SBTESTS = 4;
const FULL_BYTES = 5e9;
const DRAWN = 50_000;

const digits = (groups: number): string =>
  `CONCAT_WS('-', ${Array.from({ length: groups }, () => "LPAD(FLOOR(RAND() * 1e11), 11, '0')").join(', ')})`;
/** Words out of a small vocabulary, about 7 bytes each: texts compress as texts do. */
const words = (count: string): string =>
  `(SELECT GROUP_CONCAT(ELT(1 + FLOOR(RAND() * 16), 'the', 'order', 'was', 'delivered', 'to', 'neighbour', 'gerät', 'with', 'invoice', 'and', 'returned', 'before', 'noon', 'please', 'call', 'naïve') SEPARATOR ' ') FROM seq_1_to_60 w WHERE w.seq <= ${count})`;

const ORDERS = `CREATE TABLE orders (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, customer INT UNSIGNED NOT NULL, reference CHAR(26) CHARACTER SET ascii NOT NULL,
  status ENUM('new', 'paid', 'sent', 'returned') NOT NULL, total DECIMAL(12,2) NOT NULL, weight DOUBLE NULL,
  placed DATETIME(3) NOT NULL, changed TIMESTAMP NOT NULL, email VARCHAR(120) NOT NULL, address VARCHAR(255) NULL,
  note TEXT NULL, items JSON NOT NULL, signature VARBINARY(64) NOT NULL, flags SET('gift', 'express', 'fragile') NOT NULL,
  PRIMARY KEY (id), UNIQUE KEY reference (reference), KEY customer_placed (customer, placed), KEY email (email), KEY status_changed (status, changed)
) DEFAULT CHARACTER SET utf8mb4`;

/** Makes database `bench` of about 5 GB × scale, past the source's log. Returns its rows. */
export async function fillBench(server: DatabaseServer, scale: number): Promise<number> {
  const sbtestRows = Math.round((FULL_BYTES * scale) / 2 / SBTESTS / SBTEST_BYTES);
  const orderRows = Math.round((FULL_BYTES * scale) / 2 / ORDER_BYTES);
  await server.sql('CREATE DATABASE bench CHARACTER SET utf8mb4');
  const quick = 'SET SESSION sql_log_bin=0, unique_checks=0, foreign_key_checks=0';
  // Drawn once and used again and again, so that gigabytes take minutes; as far apart as no compression used here looks back.
  await server.sql(
    `${quick}; CREATE DATABASE drawn; CREATE TABLE drawn.drawn (n INT PRIMARY KEY, c CHAR(120), pad CHAR(60), address VARCHAR(255), note TEXT) CHARACTER SET utf8mb4;
     INSERT INTO drawn.drawn SELECT seq - 1, ${digits(10)}, ${digits(5)}, ${words('8')}, ${words('5 + o.seq % 50')} FROM seq_1_to_${DRAWN} o`,
    'bench',
  );
  const sbtest = async (table: number): Promise<void> => {
    await server.sql(
      `${quick}; CREATE TABLE sbtest${table} (id INT NOT NULL AUTO_INCREMENT, k INT NOT NULL DEFAULT 0, c CHAR(120) NOT NULL DEFAULT '',
         pad CHAR(60) NOT NULL DEFAULT '', PRIMARY KEY (id), KEY k_${table} (k)) DEFAULT CHARACTER SET utf8mb4;
       INSERT INTO sbtest${table} (k, c, pad) SELECT 1 + FLOOR(RAND() * ${sbtestRows}), d.c, d.pad
         FROM seq_1_to_${sbtestRows} s STRAIGHT_JOIN drawn.drawn d ON d.n = s.seq * 7 % ${DRAWN}`,
      'bench',
    );
  };
  const orders = async (): Promise<void> => {
    await server.sql(
      `${quick}; ${ORDERS}; INSERT INTO orders SELECT seq, 1 + FLOOR(RAND() * 100000), LEFT(UPPER(SHA1(seq)), 26), 1 + seq % 4, ROUND(RAND() * 1000, 2),
         IF(seq % 5 = 0, NULL, RAND() * 30), '2020-01-01' + INTERVAL seq * 17 SECOND + INTERVAL FLOOR(RAND() * 1000) * 1000 MICROSECOND,
         '2024-01-01' + INTERVAL seq SECOND, CONCAT(LEFT(SHA1(RAND()), 12), '@example.org'), IF(seq % 7 = 0, NULL, d.address), IF(seq % 3 = 0, NULL, d.note),
         CONCAT('{"lines": [{"sku": "', LEFT(SHA1(seq), 10), '", "amount": ', seq % 9, ', "price": ', ROUND(RAND() * 100, 2), '}, {"sku": "', LEFT(d.c, 10),
           '", "amount": 1, "price": ', ROUND(RAND() * 100, 2), '}]}'), RANDOM_BYTES(48), seq % 8
       FROM seq_1_to_${orderRows} s STRAIGHT_JOIN drawn.drawn d ON d.n = s.seq * 7 % ${DRAWN}`,
      'bench',
    );
  };
  await Promise.all([
    (async () => {
      for (let table = 1; table <= SBTESTS; table++) await sbtest(table);
    })(),
    orders(),
  ]);
  await server.sql('SET SESSION sql_log_bin=0; DROP DATABASE drawn');
  await server.sql('ANALYZE TABLE sbtest1, sbtest2, sbtest3, sbtest4, orders', 'bench');
  return SBTESTS * sbtestRows + orderRows;
}
