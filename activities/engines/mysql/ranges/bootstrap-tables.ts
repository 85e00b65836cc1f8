/** What the target database remembers of a bootstrap: which ranges are in, and from which position on a table's log counts. */

/** Rows that a deletion took while catching up and that others hung on: by the SHA-256 of their primary keys. */
export const TAKEN_ROWS = `CREATE TABLE IF NOT EXISTS srdf.taken_rows (
    stream VARCHAR(40) NOT NULL, database_name VARCHAR(64) NOT NULL, table_name VARCHAR(64) NOT NULL, row_key BINARY(32) NOT NULL,
    PRIMARY KEY (stream, database_name, table_name, row_key)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`;

/** Statements that create the bookkeeping of a bootstrap; each can run again. */
export const BOOTSTRAP_TABLES: readonly string[] = [
  'CREATE DATABASE IF NOT EXISTS srdf DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
  // One row for each part of a range that is in, written in the transaction of its rows.
  `CREATE TABLE IF NOT EXISTS srdf.bootstrap_ranges (
    stream VARCHAR(40) NOT NULL, database_name VARCHAR(64) NOT NULL, table_name VARCHAR(64) NOT NULL,
    plan VARCHAR(80) NOT NULL, range_number INT UNSIGNED NOT NULL, part INT UNSIGNED NOT NULL,
    last_part TINYINT UNSIGNED NOT NULL, wagon_hash CHAR(64) NOT NULL, row_count BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (stream, database_name, table_name, plan, range_number, part)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  // The plan whose ranges may be loaded into a table, and the plans that may no more: a zombie of a former round is refused.
  `CREATE TABLE IF NOT EXISTS srdf.bootstrap_tables (
    stream VARCHAR(40) NOT NULL, database_name VARCHAR(64) NOT NULL, table_name VARCHAR(64) NOT NULL,
    plan VARCHAR(80) NULL, refused_plan VARCHAR(80) NOT NULL DEFAULT '',
    PRIMARY KEY (stream, database_name, table_name)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  // What a table's definition was before keys were taken away that are made once its rows are in.
  `CREATE TABLE IF NOT EXISTS srdf.bootstrap_keys (
    stream VARCHAR(40) NOT NULL, bootstrap VARCHAR(80) NOT NULL, database_name VARCHAR(64) NOT NULL, table_name VARCHAR(64) NOT NULL,
    definition LONGTEXT NOT NULL,
    PRIMARY KEY (stream, bootstrap, database_name, table_name)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  // object: table, sequence, view, routine, trigger, event, database (name '' for databases).
  `CREATE TABLE IF NOT EXISTS srdf.table_baselines (
    stream VARCHAR(40) NOT NULL, object VARCHAR(10) NOT NULL, database_name VARCHAR(64) NOT NULL, table_name VARCHAR(64) NOT NULL,
    baseline TEXT NOT NULL,
    PRIMARY KEY (stream, object, database_name, table_name)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  `CREATE TABLE IF NOT EXISTS srdf.deferred_objects (
    stream VARCHAR(40) NOT NULL, object VARCHAR(10) NOT NULL, database_name VARCHAR(64) NOT NULL, object_name VARCHAR(64) NOT NULL,
    on_table VARCHAR(64) NULL, position_in_order INT UNSIGNED NOT NULL, definition LONGTEXT NOT NULL,
    PRIMARY KEY (stream, object, database_name, object_name)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  TAKEN_ROWS,
];
