/**
 * Makes the corpus anew: logs of real MariaDB and MySQL servers, plain and compressed, and what is sealed with the known keys.
 * `npm run fuzz -- --record`. What it makes belongs into the repository.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NO_WAGON, type Sequence, type WagonHash } from '../../activities/vocabulary.js';
import { encodeBody } from '../../activities/wagon/encoding.js';
import { encodeBundle } from '../../activities/wagon/key-bundle.js';
import { createReceiptIssuer, NO_RECEIPT } from '../../activities/wagon/receipt.js';
import { sealWagon } from '../../activities/wagon/seal-wagon.js';
import { DatabaseServer, type ServerKind } from '../servers/database-server.js';
import { BODIES, headerFields } from '../unit/wagon-fixture.js';
import { CORPUS_FOLDER } from './corpus.js';
import { NOW, sealingKeys, sourceBundle, sourceSigner, targetBundle, targetRing, targetSigner } from './known-keys.js';

const TYPES = `
  id INT UNSIGNED NOT NULL PRIMARY KEY, tiny TINYINT, small SMALLINT UNSIGNED, medium MEDIUMINT, big BIGINT UNSIGNED,
  price DECIMAL(20,6), ratio FLOAT, exact DOUBLE, flags BIT(13), born YEAR, day DATE, at TIME(3), made DATETIME(6), seen TIMESTAMP(2) NULL,
  code CHAR(10) CHARACTER SET utf8mb4, raw BINARY(4), name VARCHAR(40) CHARACTER SET latin1, wide VARCHAR(300) CHARACTER SET utf8mb4,
  note TEXT, data BLOB, state ENUM('new','paid','é'), tags SET('a','b','c'), place GEOMETRY, doc JSON`;
const row = (id: number, text: string, doc: string): string =>
  `(${id}, -5, 60000, -70000, 18446744073709551615, -12345.678901, 1.5, -0.1, b'1000000000001', 2024, '2024-02-29', '-12:34:56.789',
   '1999-12-31 23:59:59.999999', '2001-09-09 01:46:40.25', 'ab', x'0001', '${text}', REPEAT('${text}', 20), '${text}', x'00ff00', 'é', 'a,c',
   ST_GeomFromText('POINT(1 2)'), '${doc}')`;
const DOC =
  '{"a": [1, -70000, 5000000000, 1.5, true, null, "text"], "b": {"c": {"d": "e"}}, "long": "0123456789012345678901234567890123456789"}';

/** What a stream of `shop` meets. */
const WORK = [
  'SET time_zone = "+00:00"',
  `CREATE TABLE shop.every (${TYPES})`,
  'CREATE TABLE shop.keyless (a INT, b VARCHAR(20))',
  'CREATE TABLE shop.pair (a INT, b VARCHAR(8), c INT, PRIMARY KEY (b, a))',
  `INSERT INTO shop.every VALUES ${row(1, 'one', DOC)}, ${row(2, 'two', '[]')}`,
  'INSERT INTO shop.every (id) VALUES (3)',
  'UPDATE shop.every SET name = UPPER(name), tiny = NULL',
  "INSERT INTO shop.keyless VALUES (1, 'x'), (1, 'x'), (NULL, NULL)",
  "BEGIN; INSERT INTO shop.pair VALUES (1, 'k', 1), (2, 'k', 2); UPDATE shop.pair SET c = 9; DELETE FROM shop.pair WHERE a = 1; INSERT INTO other.t VALUES (1); COMMIT",
  'CREATE TABLE shop.copied SELECT id, name FROM shop.every',
  "ALTER TABLE shop.pair ADD d VARCHAR(10) DEFAULT 'it''s', RENAME TO shop.pairs",
  'CREATE INDEX i ON shop.pairs (c)',
  'CREATE VIEW shop.v AS SELECT 1 AS x',
  'CREATE TRIGGER shop.g BEFORE INSERT ON shop.keyless FOR EACH ROW SET NEW.a = 1',
  'DELETE FROM shop.every',
  'DROP TABLE shop.copied',
  'TRUNCATE TABLE shop.keyless',
].join(';\n');

const SHORT = [
  'CREATE TABLE shop.packed (id INT PRIMARY KEY, text VARCHAR(2000), doc JSON)',
  `BEGIN; INSERT INTO shop.packed VALUES (1, REPEAT('abc', 300), '${DOC}'), (2, REPEAT('x', 900), NULL); UPDATE shop.packed SET text = REPEAT('y', 800); DELETE FROM shop.packed WHERE id = 2; COMMIT`,
  'INSERT INTO shop.packed SELECT 10 + id, text, doc FROM shop.packed',
  'DROP TABLE shop.packed',
].join(';\n');

async function recordLog(kind: ServerKind): Promise<void> {
  const server = await DatabaseServer.start({ kind, name: 'fuzz-corpus' });
  try {
    const written = async (name: string, before: string, work: string): Promise<void> => {
      await server.sql('FLUSH BINARY LOGS');
      const [status] = await server.sql(kind === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS');
      await server.sql(`${before}${work}`);
      await server.sql('FLUSH BINARY LOGS');
      write('binlog', `${kind}-${name}`, readFileSync(join(server.directory, 'data', String(status?.File))));
    };
    await server.sql('CREATE DATABASE shop; CREATE DATABASE other; CREATE TABLE other.t (a INT)');
    await written('plain', '', WORK);
    if (kind === 'mariadb') await written('compressed', 'SET GLOBAL log_bin_compress=ON; SET GLOBAL log_bin_compress_min_len=10;', SHORT);
    else {
      await written('payload', 'SET SESSION binlog_transaction_compression=ON;', SHORT);
      await written('tagged', "SET SESSION gtid_next='AUTOMATIC:daily';", SHORT);
    }
  } finally {
    await server.remove();
  }
}

function write(folder: string, name: string, bytes: Uint8Array): void {
  mkdirSync(join(CORPUS_FOLDER, folder), { recursive: true });
  writeFileSync(join(CORPUS_FOLDER, folder, name), bytes);
}

function recordSealed(): void {
  BODIES.forEach((body, i) => {
    write('wagon', `${i}-${body.kind}`, sealWagon(headerFields({ kind: body.kind }), encodeBody(body), sealingKeys).bytes);
  });
  const issuer = createReceiptIssuer(targetRing, () => NOW);
  const fields = headerFields();
  for (const [status, position, reason] of [
    ['received', null, ''],
    ['applied', fields.positionTo, ''],
    ['refused', null, 'wagon-gap'],
  ] as const)
    write(
      'receipt',
      status,
      issuer.issue({
        stream: fields.stream,
        kind: fields.kind,
        epoch: fields.epoch,
        sequence: 7 as Sequence,
        wagonHash: 'ab'.repeat(32) as WagonHash,
        status,
        position,
        reason,
        previousReceipt: status === 'received' ? NO_RECEIPT : NO_WAGON,
      }),
    );
  write('key-bundle', 'source', encodeBundle(sourceBundle, sourceSigner));
  write('key-bundle', 'target', encodeBundle(targetBundle, targetSigner));
}

export async function recordCorpus(): Promise<void> {
  rmSync(CORPUS_FOLDER, { recursive: true, force: true });
  recordSealed();
  await recordLog('mariadb');
  await recordLog('mysql');
}
