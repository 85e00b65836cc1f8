/** Random transactions with a fixed seed on tables in which order, cascades, unique keys and missing keys matter. */
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';

export const TRAFFIC_SCHEMA = `
  CREATE TABLE customer (id INT PRIMARY KEY, email VARCHAR(60) NOT NULL UNIQUE, phone VARCHAR(20) UNIQUE, seen INT NOT NULL DEFAULT 0);
  CREATE TABLE account (number VARCHAR(20) PRIMARY KEY, customer INT NOT NULL, position INT, UNIQUE KEY place (customer, position),
    FOREIGN KEY (customer) REFERENCES customer (id) ON UPDATE CASCADE ON DELETE CASCADE);
  CREATE TABLE entry (id INT PRIMARY KEY AUTO_INCREMENT, account VARCHAR(20) NOT NULL, amount DECIMAL(9,2), FOREIGN KEY (account) REFERENCES account (number) ON UPDATE CASCADE ON DELETE CASCADE);
  CREATE TABLE note (id INT PRIMARY KEY AUTO_INCREMENT, customer INT, t TEXT, FOREIGN KEY (customer) REFERENCES customer (id) ON UPDATE CASCADE ON DELETE SET NULL);
  CREATE TABLE node (id INT PRIMARY KEY AUTO_INCREMENT, parent INT, name VARCHAR(20), FOREIGN KEY (parent) REFERENCES node (id) ON DELETE CASCADE);
  CREATE TABLE place (a INT, b INT, v INT UNIQUE, PRIMARY KEY (a, b));
  CREATE TABLE counter (name VARCHAR(20) PRIMARY KEY, n INT NOT NULL, f FLOAT NOT NULL);
  CREATE TABLE journal (who INT, what VARCHAR(20), f DOUBLE);
  INSERT INTO counter VALUES ('a', 0, 0), ('b', 0, 0), ('c', 0, 0);
  INSERT INTO node VALUES (1, NULL, 'root');
  INSERT INTO place SELECT 1 + n DIV 20, n % 20, n FROM (WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < 199) SELECT n FROM r) AS numbers;
  INSERT INTO journal SELECT n % 5, 'same', 0.1 FROM (WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < 199) SELECT n FROM r) AS numbers;
  INSERT INTO customer SELECT n, CONCAT('mail', n), IF(n % 3 = 0, NULL, CONCAT('+', n)), 0 FROM (WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 200) SELECT n FROM r) AS numbers;
  INSERT INTO account SELECT CONCAT('A', id), id, 1 FROM customer;
  INSERT INTO entry (account, amount) SELECT number, 1.5 FROM account;
  INSERT INTO note (customer, t) SELECT id, 'é😀' FROM customer`;

/** Without key below a cascade: a first copy refuses it while its parent is deleted from, so that it comes later. */
export const KEYLESS_CHILD = `
  CREATE TABLE event_log (at INT, customer INT, FOREIGN KEY (customer) REFERENCES customer (id) ON DELETE CASCADE ON UPDATE CASCADE);
  INSERT INTO event_log SELECT 1, id FROM customer WHERE id % 2 = 0`;

type Chance = (most: number) => number;
type Act = (on: Connection, upTo: Chance) => Promise<void>;

const ACTS: Readonly<Record<string, Act>> = {
  join: async (on, upTo) => {
    const id = 200 + upTo(2_000);
    await on.query(`INSERT INTO customer (id, email, phone) VALUES (${id}, 'mail${id}', '+${id}')`);
    await on.query(`INSERT INTO account VALUES ('A${id}', ${id}, 1), ('B${id}', ${id}, 2)`);
    await on.query(`INSERT INTO entry (account, amount) VALUES ('A${id}', 1), ('B${id}', 2), ('B${id}', 3)`);
    await on.query(`INSERT INTO note (customer, t) VALUES (${id}, REPEAT('long ', ${upTo(200)}))`);
  },
  leave: async (on, upTo) => {
    await on.query(`UPDATE customer SET seen = seen + 1 WHERE id = ${upTo(300)}`);
    await on.query(`DELETE FROM customer WHERE id > ${upTo(2_000)} ORDER BY id LIMIT 1`);
  },
  leaveAndReturn: async (on, upTo) => {
    const id = upTo(200);
    const [gone] = await on.query<ResultSetHeader>(`DELETE FROM customer WHERE id = ${id}`);
    if (gone.affectedRows === 1) await on.query(`INSERT INTO customer VALUES (${id}, 'mail${id}', NULL, ${upTo(9)})`);
    await on.query(`INSERT IGNORE INTO account VALUES ('C${id}', ${id}, 3)`);
  },
  changeNumber: async (on, upTo) => {
    await on.query(`UPDATE customer SET id = ${3_000 + upTo(3_000)} WHERE id = ${upTo(200)}`);
    await on.query(`UPDATE customer SET id = ${upTo(200)} WHERE id > 3000 ORDER BY id LIMIT 1`);
  },
  renameAccount: async (on, upTo) => {
    await on.query(`UPDATE account SET number = CONCAT('R', ${upTo(1_000_000)}) WHERE customer = ${upTo(200)} AND position = 1`);
  },
  swapUnique: async (on, upTo) => {
    const [rows] = await on.query<RowDataPacket[]>(
      `SELECT id, phone, email FROM customer WHERE id IN (${upTo(200)}, ${upTo(200)}) ORDER BY id FOR UPDATE`,
    );
    const [one, other] = rows;
    if (one === undefined || other === undefined) return;
    await on.query('UPDATE customer SET phone = NULL, email = ? WHERE id = ?', [`between ${one.id}`, one.id]);
    await on.query('UPDATE customer SET phone = ?, email = ? WHERE id = ?', [one.phone, one.email, other.id]);
    await on.query('UPDATE customer SET phone = ?, email = ? WHERE id = ?', [other.phone, other.email, one.id]);
  },
  rotatePositions: async (on, upTo) => {
    const id = 200 + upTo(2_000);
    await on.query(`UPDATE account SET position = position + 10 WHERE customer BETWEEN ${id} AND ${id + 200} ORDER BY position DESC`);
    await on.query(`UPDATE account SET position = 13 - position WHERE customer BETWEEN ${id} AND ${id + 200} AND position IN (11, 12)`);
  },
  grow: async (on, upTo) => {
    for (let count = upTo(4); count > 0; count--)
      await on.query(`INSERT INTO node (parent, name) SELECT id, 'leaf' FROM node WHERE id >= ${upTo(300)} OR id = 1 ORDER BY id LIMIT 1`);
  },
  prune: async (on, upTo) => {
    await on.query(`DELETE FROM node WHERE id > ${1 + upTo(300)} ORDER BY id LIMIT 1`);
    await on.query(`UPDATE node SET parent = 1 WHERE id > ${1 + upTo(300)} ORDER BY id LIMIT 2`);
  },
  moveKeys: async (on, upTo) => {
    const a = upTo(10);
    await on.query(`UPDATE place SET b = b + 1 WHERE a = ${a} ORDER BY b DESC`);
    await on.query(`UPDATE place SET v = -v - 1 WHERE a = ${a}`);
    await on.query(`UPDATE place SET a = ${a} + 100 WHERE a = ${a}`);
    await on.query(`UPDATE place SET a = ${a}, v = -v - 1 WHERE a = ${a} + 100`);
    await on.query(`DELETE FROM place WHERE a = ${a} AND b > 40`);
  },
  count: async (on, upTo) => {
    for (let times = upTo(6); times > 0; times--)
      await on.query(`UPDATE counter SET n = n + 1, f = f + 0.1 WHERE name = '${'abc'[upTo(3) - 1]}'`);
    await on.query(`INSERT INTO counter VALUES ('passing', 1, 1) ON DUPLICATE KEY UPDATE n = n + 1`);
    if (upTo(3) === 1) await on.query(`DELETE FROM counter WHERE name = 'passing'`);
  },
  write: async (on, upTo) => {
    await on.query(`INSERT INTO journal VALUES (${upTo(5)}, 'same', 0.1), (${upTo(5)}, 'same', 0.1), (NULL, NULL, -0e0)`);
    await on.query(`UPDATE journal SET what = 'other', f = f / 3 WHERE who = ${upTo(5)} LIMIT ${upTo(3)}`);
    await on.query(`UPDATE journal SET what = 'same', f = 0.1 WHERE what = 'other' LIMIT 1`);
    await on.query(`DELETE FROM journal WHERE who = ${upTo(5)} OR who IS NULL LIMIT ${upTo(4)}`);
  },
  follow: async (on, upTo) => {
    await on.query(`INSERT INTO event_log SELECT ${upTo(3)}, id FROM customer WHERE id BETWEEN ${upTo(200)} AND ${upTo(200)} LIMIT 3`);
    await on.query(`UPDATE event_log SET at = at + 1 WHERE at = ${upTo(3)} LIMIT 2`);
  },
};

/** Deadlock, lock wait (1467: for the next number), duplicate, a parent that is there or gone, a table altered under us, cascading deeper than a server allows; 1305: a deadlock that IGNORE made a warning took the savepoint along. */
const EXPECTED = new Set([1205, 1213, 1305, 1467, 1062, 1451, 1452, 1412, 1761, 3008]);

export const ALL_ACTS: readonly string[] = Object.keys(ACTS);

export class RandomTraffic {
  /** Transactions committed, by what they did. */
  readonly committed: Record<string, number> = {};
  private stopping = false;
  private readonly clients: Promise<void>[] = [];

  constructor(connect: () => Promise<Connection>, seed: number, acts: readonly string[] = ALL_ACTS, clients = 4) {
    for (let index = 0; index < clients; index++) this.clients.push(this.run(connect, seed * 100 + index, acts));
    // Told by stop().
    for (const it of this.clients) it.catch(() => (this.stopping = true));
  }
  get total(): number {
    return Object.values(this.committed).reduce((sum, it) => sum + it, 0);
  }
  /** Everybody finishes the transaction they are in. Throws what nobody had expected. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.clients);
  }

  private async run(connect: () => Promise<Connection>, seed: number, names: readonly string[]): Promise<void> {
    let state = Math.imul(seed, 0x9e3779b1) | 1;
    const upTo: Chance = (most) => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return 1 + ((state >>> 0) % most);
    };
    const acts = Object.entries(ACTS).filter(([name]) => names.includes(name));
    const on = await connect();
    try {
      while (!this.stopping) {
        const [name, act] = acts[upTo(acts.length) - 1] ?? ['', async () => {}];
        try {
          await on.beginTransaction();
          await act(on, upTo);
          if (upTo(6) === 1) {
            await on.query('SAVEPOINT here');
            await act(on, upTo);
            await on.query('ROLLBACK TO SAVEPOINT here');
          }
          if (upTo(12) === 1) await on.rollback();
          else {
            await on.commit();
            this.committed[name] = (this.committed[name] ?? 0) + 1;
          }
        } catch (error) {
          await on.rollback();
          if (!EXPECTED.has((error as { errno?: number }).errno ?? 0)) throw error;
        }
        // A source has other things to do than to be written to.
        await new Promise((resolve) => setTimeout(resolve, upTo(20)));
      }
    } finally {
      await on.end();
    }
  }
}
