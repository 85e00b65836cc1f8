-- As in README.md, with another password.
CREATE USER 'srdf_target'@'%' IDENTIFIED BY 'target';
GRANT PROCESS, BINLOG REPLAY, BINLOG ADMIN, SET USER, READ_ONLY ADMIN ON *.* TO 'srdf_target'@'%';
GRANT ALL PRIVILEGES ON shop.* TO 'srdf_target'@'%';
GRANT ALL PRIVILEGES ON srdf.* TO 'srdf_target'@'%';
