/**
 * People in the shop: transactions of several statements at a steady rate, on rows that are hot and rows that aren't. They order, pay, return,
 * rename, take each other's telephone numbers, and leave, and each of them may change their mind (rollback).
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Connection, ResultSetHeader } from 'mysql2/promise';
import { CUSTOMERS, HOT_PRODUCTS, PRODUCTS, PURCHASES } from './rows.js';

export interface TrafficCounts {
  committed: number;
  rolledBack: number;
  /** Deadlocks and lock waits that were tried again. */
  retried: number;
}

export interface TrafficOptions {
  readonly connect: () => Promise<Connection>;
  /** Transactions a second, over all visitors together. */
  readonly rate: number;
  readonly visitors?: number;
}

export class Traffic {
  readonly counts: TrafficCounts = { committed: 0, rolledBack: 0, retried: 0 };
  private readonly visitors: Promise<void>[] = [];
  private stopping = false;
  /** The release is out: the new column and table are used. */
  private released = false;
  private failure: unknown;

  constructor(private readonly options: TrafficOptions) {}

  start(): void {
    const visitors = this.options.visitors ?? 4;
    for (let index = 0; index < visitors; index++)
      this.visitors.push(
        this.visit(index, (1_000 * visitors) / this.options.rate).catch((error: unknown) => {
          this.failure = error;
          this.stopping = true;
        }),
      );
  }
  useRelease(): void {
    this.released = true;
  }
  /** Lets everybody finish the transaction they are in. Throws what a visitor could not get over. */
  async stop(): Promise<TrafficCounts> {
    this.stopping = true;
    await Promise.all(this.visitors);
    if (this.failure !== undefined) throw this.failure;
    return this.counts;
  }

  private async visit(index: number, pause: number): Promise<void> {
    const connection = await this.options.connect();
    const chance = new Chance(index + 1);
    try {
      for (let next = performance.now(); !this.stopping; next += pause) {
        const wait = next - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        await this.transact(connection, chance);
      }
    } finally {
      await connection.end();
    }
  }

  private async transact(connection: Connection, chance: Chance): Promise<void> {
    const kind = chance.weighted(KINDS);
    for (;;)
      try {
        await connection.beginTransaction();
        await kind.act(connection, chance, this.released);
        if (chance.of(25)) {
          await connection.rollback();
          this.counts.rolledBack += 1;
        } else {
          await connection.commit();
          this.counts.committed += 1;
        }
        return;
      } catch (error) {
        await connection.rollback();
        const code = error instanceof Error && 'errno' in error ? error.errno : 0;
        // Deadlock, lock wait timeout, duplicate of a number that chance drew twice, a parent that somebody just removed, a table altered under us.
        if (code !== 1213 && code !== 1205 && code !== 1062 && code !== 1452 && code !== 1412) throw error;
        this.counts.retried += 1;
      }
  }
}

interface Kind {
  readonly weight: number;
  readonly act: (on: Connection, chance: Chance, released: boolean) => Promise<void>;
}

const KINDS: readonly Kind[] = [
  { weight: 40, act: order },
  { weight: 16, act: ship },
  { weight: 12, act: returnPurchase },
  { weight: 10, act: reprice },
  { weight: 8, act: signIn },
  { weight: 6, act: tradeTelephones },
  { weight: 30, act: browse },
  { weight: 4, act: leave },
  { weight: 4, act: rewrite },
];

async function order(on: Connection, chance: Chance, released: boolean): Promise<void> {
  const customer = chance.upTo(CUSTOMERS);
  const [{ insertId }] = await on.query<ResultSetHeader>(
    `INSERT INTO shop.purchase (number, customer_id, status, total, note, placed_at)
     VALUES (?, (SELECT id FROM shop.customer WHERE id = ?), 'placed', 0, ?, NOW(6))`,
    [`P-${randomBytes(8).toString('hex')}`, customer, chance.of(3) ? 'à livrer avant 🕗' : null],
  );
  const lines = chance.upTo(4);
  for (let line = 1; line <= lines; line++) {
    const product = chance.of(3) ? chance.upTo(PRODUCTS) : chance.upTo(HOT_PRODUCTS);
    const warehouse = chance.upTo(4);
    await on.query(
      `INSERT INTO shop.purchase_line (purchase_id, line, product_id, quantity, unit_price) SELECT ?, ?, id, ?, price FROM shop.product WHERE id = ?`,
      [insertId, line, chance.upTo(3), product],
    );
    await on.query('UPDATE shop.stock SET reserved = reserved + 1, counted_at = NOW(6) WHERE product_id = ? AND warehouse_id = ?', [
      product,
      warehouse,
    ]);
    await on.query('UPDATE shop.product SET sold = sold + 1 WHERE id = ?', [product]);
  }
  await on.query(
    'UPDATE shop.purchase SET total = (SELECT COALESCE(SUM(amount), 0) FROM shop.purchase_line WHERE purchase_id = ?) WHERE id = ?',
    [insertId, insertId],
  );
  await on.query('UPDATE shop.coupon SET uses = uses + 1 WHERE code = ?', [`C0000${chance.upTo(5)}`]);
  if (released) {
    await on.query('UPDATE shop.customer SET loyalty_points = loyalty_points + 5 WHERE id = ?', [customer]);
    await on.query('REPLACE INTO shop.wish SELECT id, ?, NOW(6) FROM shop.customer WHERE id = ?', [chance.upTo(PRODUCTS), customer]);
  }
}

/** Counters of what everybody looks at: many changes of few rows. */
async function browse(on: Connection, chance: Chance): Promise<void> {
  const pages = [1, 2, 3].map(() => chance.upTo(HOT_PRODUCTS)).sort((a, b) => a - b);
  for (const page of pages)
    await on.query(
      `INSERT INTO shop.page_counter (page, day, views, seconds, last_view) VALUES (?, '2026-01-01', 1, 0.1, NOW(6))
       ON DUPLICATE KEY UPDATE views = views + 1, seconds = seconds + 0.1, last_view = NOW(6)`,
      [`/product/${page}`],
    );
}

async function ship(on: Connection, chance: Chance): Promise<void> {
  const purchase = chance.upTo(PURCHASES);
  const [paid] = await on.query<ResultSetHeader>(`UPDATE shop.purchase SET status = 'paid' WHERE id = ?`, [purchase]);
  if (paid.affectedRows === 0) return;
  const reference = createHash('md5').update(randomBytes(16)).digest('hex');
  await on.query('INSERT INTO shop.payment (purchase_id, reference, method, amount, answer, paid_at) VALUES (?, ?, ?, ?, ?, NOW(6))', [
    purchase,
    reference,
    chance.upTo(3),
    chance.upTo(90_000) / 100,
    JSON.stringify({ code: chance.upTo(99), text: 'reçu ✓' }),
  ]);
  await on.query('INSERT INTO shop.shipment (purchase_id, warehouse_id, tracking, label, sent_at) VALUES (?, ?, ?, ?, NOW(6))', [
    purchase,
    chance.upTo(4),
    `TRK-${reference.slice(0, 20)}`,
    randomBytes(200),
  ]);
  await on.query(`UPDATE shop.purchase SET status = 'shipped' WHERE id = ?`, [purchase]);
}

/** The purchase goes, and its lines, payments and shipments with it, by cascade. */
async function returnPurchase(on: Connection, chance: Chance): Promise<void> {
  const purchase = chance.upTo(PURCHASES);
  await on.query('UPDATE shop.purchase SET note = NULL WHERE id = ?', [purchase]);
  await on.query('DELETE FROM shop.purchase WHERE id = ?', [purchase]);
}

/** The trigger writes the change down; the target must not write it a second time. */
async function reprice(on: Connection, chance: Chance): Promise<void> {
  const product = chance.upTo(HOT_PRODUCTS);
  await on.query('UPDATE shop.product SET price = price + 0.01 WHERE id = ?', [product]);
  await on.query('CALL shop.restock(?, ?)', [product, chance.upTo(20)]);
}

async function signIn(on: Connection, chance: Chance): Promise<void> {
  const customer = chance.upTo(CUSTOMERS);
  await on.query(
    'INSERT INTO shop.session (token, customer_id, state, cart, expires_at) SELECT ?, id, ?, ?, NOW() + INTERVAL 1 HOUR FROM shop.customer WHERE id = ?',
    [randomBytes(16), randomBytes(120), chance.upTo(4_095), customer],
  );
  await on.query('UPDATE shop.customer SET seen_at = NOW(3) WHERE id = ?', [customer]);
  await on.query('DELETE FROM shop.session WHERE customer_id = ? ORDER BY expires_at LIMIT 1', [chance.upTo(CUSTOMERS)]);
}

/** Two rows swap a unique value in one transaction: applied in another order, each would stand in the other's way. */
async function tradeTelephones(on: Connection, chance: Chance): Promise<void> {
  const [rows] = await on.query('SELECT id, phone FROM shop.customer WHERE id IN (?, ?) AND phone IS NOT NULL ORDER BY id FOR UPDATE', [
    chance.upTo(400),
    chance.upTo(400),
  ]);
  const [one, other] = rows as { id: number; phone: string }[];
  if (one === undefined || other === undefined) return;
  await on.query('UPDATE shop.customer SET phone = NULL WHERE id = ?', [one.id]);
  await on.query('UPDATE shop.customer SET phone = ? WHERE id = ?', [one.phone, other.id]);
  await on.query('UPDATE shop.customer SET phone = ? WHERE id = ?', [other.phone, one.id]);
}

/** Addresses and sessions go by cascade; reviews and purchases lose their customer (SET NULL). Then somebody new takes the e-mail address. */
async function leave(on: Connection, chance: Chance): Promise<void> {
  const customer = chance.upTo(CUSTOMERS);
  const [{ affectedRows }] = await on.query<ResultSetHeader>('DELETE FROM shop.customer WHERE id = ?', [customer]);
  if (affectedRows === 0) return;
  const [{ insertId }] = await on.query<ResultSetHeader>(
    `INSERT INTO shop.customer (email, full_name, country, tier, preferences, created_at) VALUES (?, 'Nouvelle Cliente', 'FR', 'bronze', '{"nouveau": true}', NOW(6))`,
    [`customer${customer}@shop.example`],
  );
  await on.query(`INSERT INTO shop.address (customer_id, kind, street, city) VALUES (?, 'billing', 'rue Neuve', 'Paris')`, [insertId]);
}

/** A row with its key changed, and one that is written, changed and removed again before anybody else sees it. */
async function rewrite(on: Connection, chance: Chance): Promise<void> {
  await on.query('UPDATE shop.coupon SET code = ? WHERE code = ?', [
    `N${randomBytes(4).toString('hex')}`,
    `C${String(chance.upTo(500)).padStart(5, '0')}`,
  ]);
  const name = `draft-${randomBytes(6).toString('hex')}`;
  await on.query('INSERT INTO shop.setting VALUES (?, ?)', [name, 'un']);
  await on.query('UPDATE shop.setting SET value = ? WHERE name = ?', ['deux', name]);
  await on.query('DELETE FROM shop.setting WHERE name = ?', [name]);
}

/** Reproducible chance (xorshift32): the same seed makes the same people. */
class Chance {
  constructor(private state: number) {
    this.state = Math.imul(state, 0x9e3779b1) | 1;
  }
  /** 1 to `most`. */
  upTo(most: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return 1 + ((this.state >>> 0) % most);
  }
  /** Once in `times`. */
  of(times: number): boolean {
    return this.upTo(times) === 1;
  }
  weighted(kinds: readonly Kind[]): Kind {
    let draw = this.upTo(kinds.reduce((sum, it) => sum + it.weight, 0));
    for (const kind of kinds) {
      draw -= kind.weight;
      if (draw <= 0) return kind;
    }
    throw new Error('weights are positive');
  }
}
