/** A transaction of hundreds of wagons: one cycle brings all of it, however many events a wagon takes of its history. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sameOnBoth } from './expect-identical.js';
import { Pair } from './pair.js';

const CHANGES_A_WAGON = 20;
const ROWS = 6_000;

describe('mariadb: a transaction of 300 wagons', { timeout: 300_000 }, () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await Pair.start({ kind: 'mariadb', name: 'train', stream: { wagon: { changes: CHANGES_A_WAGON } } });
    await pair.source.sql('CREATE DATABASE train; USE train; CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))');
    await pair.establish();
  });
  afterAll(async () => await pair?.remove());

  it('arrives in one cycle, and what is committed behind it in the same', async () => {
    await pair.source.sql(`INSERT INTO t SELECT seq, CONCAT('v', seq) FROM seq_1_to_${ROWS}; INSERT INTO t VALUES (0, 'behind')`, 'train');
    const { outcome, counts } = await pair.cycle();
    expect(outcome).toBe('replicated');
    const { captured, confirmed } = counts.wagons;
    expect(captured).toBeGreaterThan(ROWS / CHANGES_A_WAGON);
    expect([confirmed, counts.captured]).toEqual([captured, ROWS + 1]);
    await sameOnBoth(pair, 'CHECKSUM TABLE train.t');
    await sameOnBoth(pair, 'SELECT COUNT(*) AS n FROM train.t');
  });
});
