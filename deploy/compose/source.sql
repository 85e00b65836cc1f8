CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE TABLE shop.orders (id BIGINT PRIMARY KEY AUTO_INCREMENT, customer VARCHAR(200) NOT NULL, total DECIMAL(12,2) NOT NULL);
INSERT INTO shop.orders (customer, total) VALUES ('Ada', 12.50), ('Grace', 99.00);

-- As in README.md, with another password.
CREATE USER 'srdf_source'@'%' IDENTIFIED BY 'source';
GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO 'srdf_source'@'%';
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON shop.* TO 'srdf_source'@'%';
GRANT SELECT ON mysql.proc TO 'srdf_source'@'%';
