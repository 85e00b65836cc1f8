/** A shop's database as one finds it in production: what replication has to bear, in seventeen tables. Plain SQL that MariaDB and MySQL both take. */

/** One statement each, in an order in which they can be created. */
export const SHOP_SCHEMA: readonly string[] = [
  `CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
  `CREATE TABLE shop.country (
    code CHAR(2) CHARACTER SET ascii NOT NULL PRIMARY KEY,
    name VARCHAR(60) NOT NULL,
    vat DECIMAL(5,4) NOT NULL
  ) ENGINE=InnoDB`,
  `CREATE TABLE shop.customer (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    email VARCHAR(120) NOT NULL,
    phone VARCHAR(20) NULL,
    full_name VARCHAR(100) NOT NULL,
    country CHAR(2) CHARACTER SET ascii NOT NULL,
    tier ENUM('bronze','silver','gold','platinum') NOT NULL DEFAULT 'bronze',
    flags SET('newsletter','wholesale','blocked') NOT NULL DEFAULT '',
    preferences JSON NULL,
    balance DECIMAL(14,4) NOT NULL DEFAULT 0,
    born DATE NULL,
    created_at DATETIME(6) NOT NULL,
    seen_at TIMESTAMP(3) NULL,
    UNIQUE KEY customer_email (email),
    UNIQUE KEY customer_phone (phone),
    KEY customer_country (country),
    CONSTRAINT customer_country FOREIGN KEY (country) REFERENCES shop.country (code)
  ) ENGINE=InnoDB`,
  `CREATE TABLE shop.address (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer_id INT UNSIGNED NOT NULL,
    kind ENUM('billing','delivery') NOT NULL,
    street VARCHAR(100) NOT NULL,
    city VARCHAR(60) NOT NULL,
    KEY address_customer (customer_id),
    CONSTRAINT address_customer FOREIGN KEY (customer_id) REFERENCES shop.customer (id) ON DELETE CASCADE
  ) ENGINE=InnoDB`,
  `CREATE TABLE shop.category (
    id SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
    parent_id SMALLINT UNSIGNED NULL,
    slug VARCHAR(60) CHARACTER SET latin1 NOT NULL,
    title VARCHAR(80) NOT NULL,
    UNIQUE KEY category_slug (slug),
    CONSTRAINT category_parent FOREIGN KEY (parent_id) REFERENCES shop.category (id) ON DELETE SET NULL
  ) ENGINE=InnoDB`,
  `CREATE TABLE shop.product (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    sku VARCHAR(20) CHARACTER SET ascii NOT NULL,
    title VARCHAR(120) NOT NULL,
    category_id SMALLINT UNSIGNED NOT NULL,
    price DECIMAL(10,2) NOT NULL,
    vat DECIMAL(5,4) NOT NULL,
    price_gross DECIMAL(12,2) GENERATED ALWAYS AS (ROUND(price * (1 + vat), 2)) STORED,
    weight_kg FLOAT NOT NULL,
    attributes JSON NOT NULL,
    thumbnail BLOB NULL,
    status ENUM('draft','on sale','retired') NOT NULL,
    sold BIGINT UNSIGNED NOT NULL DEFAULT 0,
    UNIQUE KEY product_sku (sku),
    KEY product_category (category_id),
    CONSTRAINT product_category FOREIGN KEY (category_id) REFERENCES shop.category (id)
  ) ENGINE=InnoDB`,
  `CREATE TABLE shop.price_change (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    product_id INT UNSIGNED NOT NULL,
    old_price DECIMAL(10,2) NOT NULL,
    new_price DECIMAL(10,2) NOT NULL,
    changed_at DATETIME(6) NOT NULL,
    KEY price_change_product (product_id)
  ) ENGINE=InnoDB`,
  `CREATE TABLE shop.warehouse (
    id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    code CHAR(3) NOT NULL,
    opened YEAR NOT NULL,
    shift_start TIME(2) NOT NULL,
    UNIQUE KEY warehouse_code (code)
  ) ENGINE=InnoDB`,
  `CREATE TABLE shop.stock (
    product_id INT UNSIGNED NOT NULL,
    warehouse_id TINYINT UNSIGNED NOT NULL,
    quantity INT NOT NULL,
    reserved INT NOT NULL DEFAULT 0,
    available INT GENERATED ALWAYS AS (quantity - reserved) VIRTUAL,
    counted_at DATETIME(6) NOT NULL,
    PRIMARY KEY (product_id, warehouse_id),
    KEY stock_warehouse (warehouse_id),
    CONSTRAINT stock_product FOREIGN KEY (product_id) REFERENCES shop.product (id) ON DELETE CASCADE,
    CONSTRAINT stock_warehouse FOREIGN KEY (warehouse_id) REFERENCES shop.warehouse (id)
  ) ENGINE=InnoDB`,
  `CREATE TABLE shop.purchase (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    number VARCHAR(24) CHARACTER SET ascii NOT NULL,
    customer_id INT UNSIGNED NULL,
    status ENUM('cart','placed','paid','shipped','returned') NOT NULL,
    total DECIMAL(12,2) NOT NULL,
    note TEXT NULL,
    placed_at DATETIME(6) NOT NULL,
    UNIQUE KEY purchase_number (number),
    KEY purchase_customer (customer_id),
    CONSTRAINT purchase_customer FOREIGN KEY (customer_id) REFERENCES shop.customer (id) ON DELETE SET NULL
  ) ENGINE=InnoDB`,
  `CREATE TABLE shop.purchase_line (
    purchase_id BIGINT UNSIGNED NOT NULL,
    line SMALLINT UNSIGNED NOT NULL,
    product_id INT UNSIGNED NOT NULL,
    quantity SMALLINT UNSIGNED NOT NULL,
    unit_price DECIMAL(10,2) NOT NULL,
    amount DECIMAL(12,2) GENERATED ALWAYS AS (quantity * unit_price) STORED,
    PRIMARY KEY (purchase_id, line),
    KEY purchase_line_product (product_id),
    CONSTRAINT purchase_line_purchase FOREIGN KEY (purchase_id) REFERENCES shop.purchase (id) ON DELETE CASCADE,
    CONSTRAINT purchase_line_product FOREIGN KEY (product_id) REFERENCES shop.product (id)
  ) ENGINE=InnoDB`,
  `CREATE TABLE shop.payment (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    purchase_id BIGINT UNSIGNED NOT NULL,
    reference CHAR(32) CHARACTER SET ascii NOT NULL,
    method ENUM('card','transfer','voucher') NOT NULL,
    amount DECIMAL(12,2) NOT NULL,
    answer JSON NULL,
    paid_at DATETIME(6) NOT NULL,
    UNIQUE KEY payment_reference (reference),
    KEY payment_purchase (purchase_id),
    CONSTRAINT payment_purchase FOREIGN KEY (purchase_id) REFERENCES shop.purchase (id) ON DELETE CASCADE
  ) ENGINE=InnoDB`,
  `CREATE TABLE shop.shipment (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    purchase_id BIGINT UNSIGNED NOT NULL,
    warehouse_id TINYINT UNSIGNED NULL,
    tracking VARCHAR(30) NOT NULL,
    label BLOB NULL,
    sent_at DATETIME(6) NOT NULL,
    UNIQUE KEY shipment_tracking (tracking),
    KEY shipment_purchase (purchase_id),
    CONSTRAINT shipment_purchase FOREIGN KEY (purchase_id) REFERENCES shop.purchase (id) ON DELETE CASCADE,
    CONSTRAINT shipment_warehouse FOREIGN KEY (warehouse_id) REFERENCES shop.warehouse (id) ON DELETE SET NULL
  ) ENGINE=InnoDB`,
  `CREATE TABLE shop.review (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    product_id INT UNSIGNED NOT NULL,
    customer_id INT UNSIGNED NULL,
    stars TINYINT NOT NULL,
    words TEXT NOT NULL,
    KEY review_product (product_id),
    KEY review_customer (customer_id),
    CONSTRAINT review_product FOREIGN KEY (product_id) REFERENCES shop.product (id) ON DELETE CASCADE,
    CONSTRAINT review_customer FOREIGN KEY (customer_id) REFERENCES shop.customer (id) ON DELETE SET NULL
  ) ENGINE=InnoDB`,
  `CREATE TABLE shop.coupon (
    code VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    discount DECIMAL(4,3) NOT NULL,
    valid_until DATE NOT NULL,
    uses INT UNSIGNED NOT NULL DEFAULT 0
  ) ENGINE=InnoDB`,
  `CREATE TABLE shop.session (
    token BINARY(16) NOT NULL PRIMARY KEY,
    customer_id INT UNSIGNED NOT NULL,
    state BLOB NOT NULL,
    cart BIT(12) NOT NULL DEFAULT b'0',
    expires_at DATETIME NOT NULL,
    KEY session_customer (customer_id),
    CONSTRAINT session_customer FOREIGN KEY (customer_id) REFERENCES shop.customer (id) ON DELETE CASCADE
  ) ENGINE=InnoDB`,
  `CREATE TABLE shop.page_counter (
    page VARCHAR(80) CHARACTER SET ascii NOT NULL,
    day DATE NOT NULL,
    views BIGINT UNSIGNED NOT NULL DEFAULT 0,
    seconds DOUBLE NOT NULL DEFAULT 0,
    last_view DATETIME(6) NULL,
    PRIMARY KEY (page, day)
  ) ENGINE=InnoDB`,
  `CREATE TABLE shop.setting (
    name VARCHAR(40) NOT NULL PRIMARY KEY,
    value MEDIUMTEXT NOT NULL
  ) ENGINE=InnoDB`,
  `CREATE VIEW shop.revenue AS
    SELECT c.country AS country, COUNT(*) AS purchases, SUM(p.total) AS total
    FROM shop.purchase p JOIN shop.customer c ON c.id = p.customer_id
    WHERE p.status IN ('paid', 'shipped') GROUP BY c.country`,
  `CREATE PROCEDURE shop.restock(IN wanted INT UNSIGNED, IN pieces INT)
    MODIFIES SQL DATA
    UPDATE shop.stock SET quantity = quantity + pieces, counted_at = NOW(6) WHERE product_id = wanted`,
  `CREATE TRIGGER shop.note_price_change AFTER UPDATE ON shop.product FOR EACH ROW
    INSERT INTO shop.price_change (product_id, old_price, new_price, changed_at)
    SELECT NEW.id, OLD.price, NEW.price, NOW(6) FROM DUAL WHERE OLD.price <> NEW.price`,
];

/** What a release brings while the shop is open. The traffic uses the new column from then on. */
export const SHOP_ALTERATIONS: readonly string[] = [
  `ALTER TABLE shop.customer ADD COLUMN loyalty_points INT NOT NULL DEFAULT 100 AFTER tier, MODIFY full_name VARCHAR(160) NOT NULL`,
  `CREATE INDEX purchase_placed ON shop.purchase (placed_at)`,
  `CREATE TABLE shop.wish (
    customer_id INT UNSIGNED NOT NULL,
    product_id INT UNSIGNED NOT NULL,
    wished_at DATETIME(6) NOT NULL,
    PRIMARY KEY (customer_id, product_id),
    CONSTRAINT wish_customer FOREIGN KEY (customer_id) REFERENCES shop.customer (id) ON DELETE CASCADE,
    CONSTRAINT wish_product FOREIGN KEY (product_id) REFERENCES shop.product (id) ON DELETE CASCADE
  ) ENGINE=InnoDB`,
];
