/** A transaction of a million rows through the whole pair: neither worker holds it in memory, and the target has it at once or not at all. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { peakResidentBytes } from '../servers/process-memory.js';
import { sameOnBoth } from './expect-identical.js';
import { Pair, type Side } from './pair.js';

const ROWS = 1_000_000;
const LIMIT_MIB = 400;
/** A busy machine takes minutes for two such transactions. */
const PATIENCE_MILLISECONDS = 600_000;

describe('mariadb: a huge transaction', { timeout: PATIENCE_MILLISECONDS }, () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await Pair.start({ kind: 'mariadb', name: 'large' });
    await pair.source.sql(
      `CREATE DATABASE large CHARACTER SET utf8mb4; USE large;
       CREATE TABLE wide (id INT PRIMARY KEY, n INT NOT NULL, v VARCHAR(20), KEY (n));
       INSERT INTO wide VALUES (-1, 0, 'é')`,
    );
    await pair.establish();
  });
  afterAll(async () => await pair?.remove());

  /** The most memory that a worker has ever had, MiB. */
  const peak = async (side: Side): Promise<number> => (await peakResidentBytes(pair.workers[side].pid)) / 2 ** 20;

  it('inserted, then updated and deleted, arrives whole', async () => {
    const counts = async (): Promise<string> => String((await pair.target.sql('SELECT COUNT(*) AS n FROM large.wide'))[0]?.n);
    await pair.source.sql(`INSERT INTO wide SELECT seq, seq % 1000, CONCAT('v', seq) FROM seq_1_to_${ROWS}`, 'large');
    const seen = new Set<string>();
    const cycle = pair.cycle();
    let running = true;
    const watching = (async () => {
      while (running) {
        seen.add(await counts());
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    })();
    const result = await cycle.finally(() => {
      running = false;
    });
    await watching;
    seen.add(await counts());
    expect(result).toMatchObject({ outcome: 'replicated', counts: { captured: ROWS, rows: { inserted: ROWS } } });
    expect(result.counts.wagons.captured).toBeGreaterThan(10);
    expect([...seen].sort()).toEqual(['1', String(ROWS + 1)]);
    await pair.source.sql(
      `BEGIN; UPDATE wide SET n = n + 1 WHERE id % 4 = 0; DELETE FROM wide WHERE id % 4 = 1; UPDATE wide SET id = id + 2000000 WHERE id % 100 = 2 AND id > 0; COMMIT`,
      'large',
    );
    await pair.waitConfirmed();
    const [sums] = await sameOnBoth(
      pair,
      'SELECT COUNT(*) AS n, SUM(id) AS ids, SUM(n) AS ns, SUM(CRC32(CONCAT_WS(0x2c, id, n, v))) AS crc, BIT_XOR(CRC32(CONCAT_WS(0x2c, v, id, n))) AS x FROM large.wide',
    );
    expect(sums).toMatchObject({ n: String((ROWS * 3) / 4 + 1) });
    await sameOnBoth(pair, 'CHECKSUM TABLE large.wide');
    for (const side of ['source', 'target'] as const) {
      const most = await peak(side);
      expect(most).toBeGreaterThan(20);
      expect(most, `${side} worker, MiB`).toBeLessThan(LIMIT_MIB);
    }
  });
});
