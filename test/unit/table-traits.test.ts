/** What a statement about a table holds that its text alone doesn't repeat: in the many ways both servers let it be written. */
import { describe, expect, it } from 'vitest';
import { classifyStatement } from '../../activities/engines/mysql/ddl/classify.js';

function traits(sql: string, session: { sqlMode?: bigint } = { sqlMode: 0n }, database = 'shop') {
  const kind = classifyStatement(Buffer.from(sql), database, session);
  return kind.kind === 'ddl' ? kind.traits : kind;
}
const parents = (sql: string, database = 'shop') => {
  const found = traits(sql, { sqlMode: 0n }, database);
  return found !== undefined && 'parents' in found ? found.parents?.map((it) => `${it.database}.${it.table}`) : found;
};

describe('nothing noteworthy', () => {
  it.each([
    "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, u CHAR(36) DEFAULT (UUID()), t TEXT COMMENT 'REFERENCES x') AUTO_INCREMENT=5",
    'ALTER TABLE t ADD a INT',
    'ALTER TABLE t DROP FOREIGN KEY fk, DROP SYSTEM VERSIONING',
    'CREATE TABLE t (a INT, b INT WITHOUT SYSTEM VERSIONING)',
    "ALTER TABLE t COMMENT 'WITH SYSTEM VERSIONING' /* WITH SYSTEM VERSIONING */",
    'ALTER TABLE t ADD `SYSTEM` INT, ADD `REFERENCES` INT',
    'DROP TABLE t',
  ])('%s', (sql) => {
    expect(traits(sql)).toBeUndefined();
  });
});

describe('parents', () => {
  it.each([
    ['CREATE TABLE c (a INT, FOREIGN KEY (a) REFERENCES p (id) ON DELETE CASCADE)', ['shop.p']],
    ['CREATE TABLE c (a INT REFERENCES `p` (id), b INT REFERENCES other.p (id))', ['shop.p', 'other.p']],
    ['CREATE TABLE elsewhere.c (a INT, FOREIGN KEY (a) REFERENCES p (id))', ['elsewhere.p']],
    ['ALTER TABLE c ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES `other`.`p``x` (id) ON DELETE SET NULL, ADD b INT', ['other.p`x']],
    ['alter table c add foreign key (a) references p (id), rename to d', ['shop.p']],
    ['ALTER TABLE c RENAME TO moved.c, ADD FOREIGN KEY (a) REFERENCES p (id)', ['moved.p']],
    ['ALTER TABLE c ADD (a INT REFERENCES p (id), b INT)', ['shop.p']],
  ])('%s', (sql, expected) => {
    expect(parents(sql)).toEqual(expected);
  });
  it('without a database lie in the child’s, in a session that has none, too', () => {
    expect(parents('CREATE TABLE x.c (a INT, FOREIGN KEY (a) REFERENCES p (id))', '')).toEqual(['x.p']);
  });
});

it('ON DELETE SET DEFAULT is no default of a column', () => {
  expect(
    parents('ALTER TABLE c ADD FOREIGN KEY (a) REFERENCES p (id) ON DELETE SET DEFAULT ON UPDATE CASCADE, ADD INDEX ((f(a)))'),
  ).toEqual(['shop.p']);
  expect(traits('ALTER TABLE c ADD FOREIGN KEY (a) REFERENCES p (id) ON DELETE SET DEFAULT, ADD INDEX ((f(a)))')).not.toHaveProperty(
    'volatileDefault',
  );
});

describe('history', () => {
  it.each([
    'CREATE TABLE t (a INT) WITH SYSTEM VERSIONING',
    'CREATE TABLE t (a INT WITH SYSTEM VERSIONING, b INT) ENGINE=InnoDB',
    'ALTER TABLE t ADD SYSTEM VERSIONING',
    'ALTER TABLE t ADD a INT, add /* x */ system versioning',
    'ALTER TABLE t ADD COLUMN a INT WITH SYSTEM VERSIONING',
  ])('%s', (sql) => {
    expect(traits(sql)).toEqual({ versioned: true });
  });
});

describe('by the order of the rows', () => {
  it.each([
    ['ALTER TABLE t ADD id INT AUTO_INCREMENT PRIMARY KEY', 'added-auto-increment'],
    ['ALTER TABLE t ADD COLUMN IF NOT EXISTS id BIGINT(20) AUTO_INCREMENT, ADD KEY (id)', 'added-auto-increment'],
    ['ALTER TABLE t ADD id INT PRIMARY KEY AUTO_INCREMENT', 'added-auto-increment'],
    ['ALTER TABLE t ADD (a INT, id INT NOT NULL AUTO_INCREMENT UNIQUE)', 'added-auto-increment'],
    ['ALTER TABLE t ADD id SERIAL', 'added-auto-increment'],
    ['ALTER TABLE t ADD id SERIAL FIRST, ADD b INT', 'added-auto-increment'],
    ['ALTER TABLE t ADD id INT SERIAL DEFAULT VALUE', 'added-auto-increment'],
    ['ALTER TABLE t MODIFY id BIGINT AUTO_INCREMENT', 'auto-increment'],
    ['ALTER TABLE t CHANGE id number INT NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=7', 'auto-increment'],
    ['ALTER TABLE t DROP COLUMN a, ADD id INT AUTO_INCREMENT KEY, MODIFY b INT', 'added-auto-increment'],
    ['ALTER IGNORE TABLE t ADD UNIQUE (a)', 'ignore'],
    ['ALTER IGNORE TABLE t ADD id INT AUTO_INCREMENT PRIMARY KEY', 'ignore'],
  ])('%s', (sql, byRowOrder) => {
    expect(traits(sql)).toEqual({ byRowOrder });
  });
  it.each([
    'ALTER TABLE t AUTO_INCREMENT = 5',
    'ALTER TABLE t AUTO_INCREMENT=5, ENGINE=InnoDB',
    'ALTER TABLE t AUTO_INCREMENT 5',
    'ALTER TABLE t ENGINE=InnoDB, AUTO_INCREMENT 5',
    'ALTER TABLE t DROP COLUMN auto_increment',
    'ALTER TABLE t ADD auto_increment INT, ADD KEY auto_increment (auto_increment)',
    'ALTER TABLE t ADD serial VARCHAR(20), CHANGE old serial INT',
    'ALTER TABLE t ADD a INT AFTER serial, RENAME COLUMN serial TO auto_increment',
    "ALTER TABLE t ADD a INT COMMENT 'AUTO_INCREMENT'",
    'ALTER TABLE t ADD `auto_increment` INT',
  ])('not: %s', (sql) => {
    expect(traits(sql)).toBeUndefined();
  });
});

describe('a default that differs', () => {
  it.each([
    ['ALTER TABLE t ADD u UUID DEFAULT UUID()', 'UUID()'],
    ['ALTER TABLE t ADD COLUMN u CHAR(36) NOT NULL DEFAULT (uuid()) FIRST', 'UUID()'],
    ["ALTER TABLE t ADD (a INT DEFAULT 1, b DOUBLE DEFAULT (1 + rand())), ADD c TEXT DEFAULT 'x'", 'RAND()'],
    ['ALTER TABLE t ADD n BIGINT DEFAULT NEXT VALUE FOR s', 'NEXT VALUE FOR'],
    ['ALTER TABLE t ADD n BIGINT DEFAULT NEXTVAL(s)', 'NEXTVAL()'],
    ['ALTER TABLE t ADD who VARCHAR(90) DEFAULT CURRENT_USER', 'CURRENT_USER'],
    ['ALTER TABLE t ADD who VARCHAR(90) DEFAULT (CONCAT(USER(), 1))', 'USER()'],
    ['ALTER TABLE t ADD at DATETIME DEFAULT (SYSDATE())', 'SYSDATE'],
    ['ALTER TABLE t ADD a INT DEFAULT (@x)', 'a variable'],
    ['ALTER TABLE t ADD a INT DEFAULT (@@server_id)', 'a variable'],
    ['ALTER TABLE t ADD a TEXT DEFAULT (`uuid`())', 'a function'],
    ['ALTER TABLE t ADD a INT DEFAULT (COALESCE(NULL, CONNECTION_ID()))', 'CONNECTION_ID()'],
    ['ALTER TABLE t ADD a INT DEFAULT 3, RENAME TO u, ADD b CHAR(36) DEFAULT (uuid())', 'UUID()'],
    ['ALTER TABLE t MODIFY a INT, ADD IF NOT EXISTS b CHAR(36) DEFAULT uuid()', 'UUID()'],
  ])('%s', (sql, volatileDefault) => {
    expect(traits(sql)).toEqual({ volatileDefault });
  });
  it.each([
    'ALTER TABLE t ADD at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP',
    'ALTER TABLE t ADD at TIMESTAMP(6) DEFAULT NOW(6) ON UPDATE NOW(6) COMMENT "x"',
    'ALTER TABLE t ADD at DATETIME DEFAULT (CURDATE() + INTERVAL 1 DAY), ADD b INT DEFAULT (UNIX_TIMESTAMP())',
    "ALTER TABLE t ADD a JSON DEFAULT (JSON_OBJECT('a', JSON_ARRAY())), ADD b TEXT DEFAULT (CONCAT('a', 'b'))",
    "ALTER TABLE t ADD a VARCHAR(20) DEFAULT 'uuid()', ADD b INT DEFAULT -1, ADD c DECIMAL(9,2) DEFAULT 1.5, ADD d BIT(2) DEFAULT b'1'",
    "ALTER TABLE t ADD a TEXT DEFAULT (CAST(IF(1 IN (1, 2), 'x', NULL) AS CHAR(10)))",
    'ALTER TABLE t ADD a CHAR(36) DEFAULT NULL CHECK (a <> json_pretty(a)), ADD b INT AS (random_bytes(a)) STORED',
    'ALTER TABLE t ADD a INT DEFAULT 5 PARTITION BY HASH (a)',
    'ALTER TABLE t ADD a INT DEFAULT 5, ADD INDEX i ((weird(a)))',
    'ALTER TABLE t ALTER a SET DEFAULT (uuid()), MODIFY b CHAR(36) DEFAULT (uuid()), CHANGE c d CHAR(36) DEFAULT (uuid())',
    'ALTER TABLE t ADD a UUID, ADD INDEX (a)',
  ])('not: %s', (sql) => {
    expect(traits(sql)).toBeUndefined();
  });
});

it('is found in executable comments, and must be the same under every reading of the session', () => {
  expect(traits('ALTER TABLE t /*!50100 ADD id INT AUTO_INCREMENT PRIMARY KEY */')).toEqual({ byRowOrder: 'added-auto-increment' });
  expect(traits("ALTER TABLE t COMMENT '' /*M!100400 , ADD SYSTEM VERSIONING */")).toMatchObject({ kind: 'unclassifiable' });
  expect(traits('ALTER TABLE t ADD a TEXT DEFAULT ("x"), ADD FOREIGN KEY (a) REFERENCES "p" (id)', { sqlMode: 4n })).toMatchObject({
    parents: [{ database: 'shop', table: 'p' }],
  });
});
