/** Fills the shop inside the server, from a table of numbers: 200,000 rows and more in seconds. Every value follows from its number. */
import type { Connection } from 'mysql2/promise';

export const CUSTOMERS = 20_000;
export const PRODUCTS = 4_000;
export const PURCHASES = 40_000;
/** These are bought all the time: their stock rows are hot. */
export const HOT_PRODUCTS = 25;

const numbers = (from: number, to: number): string => `(SELECT n FROM shop_numbers.number WHERE n BETWEEN ${from} AND ${to}) AS numbers`;

const FILL: readonly string[] = [
  // Out of the stream's scope on purpose: a server has other databases too.
  `CREATE DATABASE shop_numbers`,
  `CREATE TABLE shop_numbers.digit (d TINYINT PRIMARY KEY)`,
  `INSERT INTO shop_numbers.digit VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)`,
  `CREATE TABLE shop_numbers.number (n INT PRIMARY KEY)`,
  `INSERT INTO shop_numbers.number SELECT a.d + 10*b.d + 100*c.d + 1000*e.d + 10000*f.d
    FROM shop_numbers.digit a, shop_numbers.digit b, shop_numbers.digit c, shop_numbers.digit e, shop_numbers.digit f`,
  `INSERT INTO shop.country VALUES ('FR','France',0.2000),('DE','Deutschland',0.1900),('AT','Österreich',0.2000),
    ('IT','Italia',0.2200),('ES','España',0.2100),('PL','Polska',0.2300),('GR','Ελλάδα',0.2400),('JP','日本',0.1000)`,
  `INSERT INTO shop.warehouse VALUES (1,'CDG',1998,'05:30:00.25'),(2,'FRA',2004,'06:00:00'),(3,'VIE',2011,'-01:00:00.50'),(4,'MXP',2019,'22:15:00')`,
  `INSERT INTO shop.category SELECT n, NULL, CONCAT('category-', n), CONCAT('Catégorie ', n) FROM ${numbers(1, 20)}`,
  `INSERT INTO shop.category SELECT n, 1 + n % 20, CONCAT('category-', n), CONCAT('Kategorie ', n, ' ✓') FROM ${numbers(21, 200)}`,
  `INSERT INTO shop.customer (id, email, phone, full_name, country, tier, flags, preferences, balance, born, created_at, seen_at)
    SELECT n, CONCAT('customer', n, '@shop.example'), IF(n % 3 = 0, NULL, CONCAT('+33', 600000000 + n)),
      CONCAT(ELT(1 + n % 5, 'Élodie', 'Jürgen', 'Σοφία', '花子', 'Łukasz'), ' ', ELT(1 + n % 4, 'Dupont', 'Müller', 'Παπάς', '山田'), ' ', n),
      ELT(1 + n % 8, 'FR','DE','AT','IT','ES','PL','GR','JP'), 1 + n % 4, n % 8,
      IF(n % 7 = 0, NULL, JSON_OBJECT('theme', IF(n % 2, 'dark', 'light'), 'sizes', JSON_ARRAY(n % 40, n / 8), 'name', CONCAT('№', n))),
      (n % 2000 - 1000) / 7, IF(n % 11 = 0, NULL, '1950-01-01' + INTERVAL n DAY),
      '2019-01-01 08:00:00.000001' + INTERVAL n * 7919 SECOND, IF(n % 5 = 0, NULL, '2024-03-31 00:30:00.125' + INTERVAL n MINUTE)
    FROM ${numbers(1, CUSTOMERS)}`,
  `INSERT INTO shop.address (customer_id, kind, street, city)
    SELECT 1 + n % ${CUSTOMERS}, 1 + n % 2, CONCAT(n, ' rue de la Paix'), ELT(1 + n % 4, 'Paris', 'Köln', 'Αθήνα', '東京') FROM ${numbers(1, 26_000)}`,
  `INSERT INTO shop.product (id, sku, title, category_id, price, vat, weight_kg, attributes, thumbnail, status, sold)
    SELECT n, CONCAT('SKU-', LPAD(n, 6, '0')), CONCAT('Product ', n, IF(n % 9 = 0, ' 🎁', '')), 1 + n % 200, 1 + n % 500 + (n % 100) / 100, 0.2, n / 7,
      JSON_OBJECT('colour', ELT(1 + n % 3, 'rouge', 'blau', 'πράσινο'), 'tags', JSON_ARRAY(n, n % 2 = 0, NULL)),
      IF(n % 4 = 0, NULL, UNHEX(CONCAT('00FF0A0D27', SHA2(n, 512), SHA2(n + 1, 512)))), 1 + n % 3, n * 1000003
    FROM ${numbers(1, PRODUCTS)}`,
  `INSERT INTO shop.stock (product_id, warehouse_id, quantity, reserved, counted_at)
    SELECT n, w.id, 1000 + n % 500, n % 10, '2024-01-01 00:00:00' + INTERVAL n MICROSECOND FROM ${numbers(1, PRODUCTS)}, shop.warehouse w`,
  `INSERT INTO shop.purchase (id, number, customer_id, status, total, note, placed_at)
    SELECT n, CONCAT('P-2024-', LPAD(n, 8, '0')), 1 + n * 7 % ${CUSTOMERS}, 1 + n % 5, 10 + n % 900, IF(n % 6 = 0, REPEAT('merci — ', n % 40), NULL),
      '2024-01-01 00:00:00.5' + INTERVAL n * 631 SECOND
    FROM ${numbers(1, PURCHASES)}`,
  `INSERT INTO shop.purchase_line (purchase_id, line, product_id, quantity, unit_price)
    SELECT n, l.d, 1 + (n * 31 + l.d * 17) % ${PRODUCTS}, 1 + n % 4, 1 + n % 300 FROM ${numbers(1, PURCHASES)}, shop_numbers.digit l WHERE l.d BETWEEN 1 AND 2`,
  `INSERT INTO shop.payment (purchase_id, reference, method, amount, answer, paid_at)
    SELECT n, LEFT(SHA2(n, 256), 32), 1 + n % 3, 10 + n % 900, IF(n % 2, JSON_OBJECT('code', n % 100, 'text', 'ok ✓'), NULL), '2024-02-01' + INTERVAL n MINUTE
    FROM ${numbers(1, 30_000)}`,
  `INSERT INTO shop.shipment (purchase_id, warehouse_id, tracking, label, sent_at)
    SELECT n, 1 + n % 4, CONCAT('TRK', n), UNHEX(SHA2(n, 256)), '2024-02-02' + INTERVAL n MINUTE FROM ${numbers(1, 15_000)}`,
  `INSERT INTO shop.review (product_id, customer_id, stars, words)
    SELECT 1 + n % ${PRODUCTS}, 1 + n * 3 % ${CUSTOMERS}, n % 6 - 1, REPEAT('très bien ', 1 + n % 12) FROM ${numbers(1, 8_000)}`,
  `INSERT INTO shop.coupon SELECT CONCAT('C', LPAD(n, 5, '0')), (n % 500) / 1000, '2026-01-01' + INTERVAL n DAY, 0 FROM ${numbers(1, 500)}`,
  `INSERT INTO shop.session (token, customer_id, state, cart, expires_at)
    SELECT UNHEX(LEFT(SHA2(n + 500000, 256), 32)), 1 + n % ${CUSTOMERS}, UNHEX(SHA2(n, 512)), n % 4096, '2026-06-01' + INTERVAL n SECOND FROM ${numbers(1, 5_000)}`,
  `INSERT INTO shop.page_counter SELECT CONCAT('/product/', n), '2026-01-01', n, n / 3, NULL FROM ${numbers(1, 2_000)}`,
  `INSERT INTO shop.setting VALUES ('terms', REPEAT('Conditions générales — ', 20000)), ('motto', '')`,
];

/** Fills every table. `progress` gets the rows so far. */
export async function fillShop(connection: Connection, progress: (rows: number) => void): Promise<number> {
  let rows = 0;
  for (const statement of FILL) {
    const [result] = await connection.query(statement);
    if (statement.startsWith('INSERT INTO shop.') && 'affectedRows' in result) rows += result.affectedRows;
    progress(rows);
  }
  return rows;
}
