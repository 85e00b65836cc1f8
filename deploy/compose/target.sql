CREATE USER srdf_target@'%' IDENTIFIED BY 'target';
GRANT BINLOG REPLAY ON *.* TO srdf_target@'%';
GRANT ALL PRIVILEGES ON shop.* TO srdf_target@'%';
GRANT ALL PRIVILEGES ON srdf.* TO srdf_target@'%';
