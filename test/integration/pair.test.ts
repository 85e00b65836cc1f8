import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerKind } from '../servers/database-server.js';
import { Pair } from './pair.js';

/** The whole way from a committed transaction to a verified receipt, through the real workers, with a power cut at each site. */
describe.each<ServerKind>(['mariadb', 'mysql'])('a pair of %s servers', (kind) => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await Pair.start({ kind });
    await pair.source.sql(
      `CREATE DATABASE shop;
       CREATE TABLE shop.customer (id INT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(100) UNIQUE);
       CREATE TABLE shop.purchase (id INT PRIMARY KEY AUTO_INCREMENT, customer_id INT NOT NULL, total DECIMAL(10,2),
         FOREIGN KEY (customer_id) REFERENCES shop.customer (id) ON DELETE CASCADE);
       INSERT INTO shop.customer VALUES (1, 'a'), (2, 'b'), (3, NULL);
       INSERT INTO shop.purchase VALUES (1, 1, 9.99), (2, 2, 0.01), (3, 2, 5)`,
    );
    await pair.establish();
  });
  afterAll(async () => await pair?.remove());

  const expectIdentical = async (): Promise<void> => {
    expect((await pair.compareBySql()).differences).toEqual([]);
    expect(await pair.compareByDump()).toEqual([]);
  };

  it('is identical once established', async () => {
    await pair.waitConfirmed();
    await expectIdentical();
  });

  it('replicates transactions, a cascade, a unique swap and an ALTER', async () => {
    await pair.source.sql(
      `BEGIN; UPDATE shop.customer SET email = NULL WHERE id = 1; UPDATE shop.customer SET email = 'a' WHERE id = 2;
       UPDATE shop.customer SET email = 'b' WHERE id = 1; COMMIT;
       DELETE FROM shop.customer WHERE id = 2; ALTER TABLE shop.customer ADD COLUMN tier INT NOT NULL DEFAULT 7 FIRST;
       INSERT INTO shop.customer (email) VALUES ('é')`,
    );
    const result = await pair.cycle();
    expect(result).toMatchObject({ outcome: 'replicated', error: null });
    expect(result.counts.wagons.confirmed).toBe(result.counts.wagons.captured);
    await pair.waitConfirmed();
    expect(await pair.target.sql('SELECT COUNT(*) AS n FROM shop.purchase')).toEqual([{ n: '1' }]);
    await expectIdentical();
  });

  it('differs by a table that only the target has, created there or left there', async () => {
    expect(await pair.must('verify', pair.name)).toContain('both sides are identical');
    await pair.target.sql('CREATE TABLE shop.extra (id INT PRIMARY KEY)');
    const { exitCode, stdout, stderr } = await pair.srdf('verify', pair.name);
    expect(exitCode, stderr).toBe(52);
    expect(stdout).toMatch(/shop\.extra +only at the target\n/);
    expect(stdout).toContain('the sides differ');
    expect(stderr).toContain('only at the target: shop.extra');
    expect((await pair.srdf('verify', pair.name, 'shop.customer')).exitCode).toBe(0);
    await pair.target.sql('DROP TABLE shop.extra');
    expect(await pair.must('verify', pair.name)).toContain('both sides are identical');
  });

  it.each(['source', 'target'] as const)('is identical after kill -9 of the %s worker in a cycle', async (side) => {
    await pair.source.sql("INSERT INTO shop.customer (email) SELECT CONCAT(UUID(), '@x') FROM shop.customer");
    const cycle = pair.srdf('cycle', pair.name);
    await expect.poll(async () => (await pair.runningActivities()).length, { timeout: 30_000, interval: 10 }).toBeGreaterThan(0);
    await pair.killWorker(side);
    await pair.startWorker(side);
    await cycle;
    await pair.waitConfirmed();
    await expectIdentical();
  });
});
