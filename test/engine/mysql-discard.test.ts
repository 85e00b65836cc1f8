/** Wagons that an operator leaves out, on real servers: the ledger passes them whole, fenced, and nothing else is written. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BootstrapId, WagonHash } from '../../activities/vocabulary.js';
import type { ServerKind } from '../servers/database-server.js';
import { BOOTSTRAP, MysqlReplica, STREAM, type Wagon } from './mysql-replica.js';

const placesOf = (wagons: readonly Wagon[]) => wagons.map((it) => it.place);

describe.each<ServerKind>(['mariadb', 'mysql'])('%s: discarding', (kind) => {
  let replica: MysqlReplica;
  beforeAll(async () => {
    replica = await MysqlReplica.start(kind, ['shop']);
    await replica.run('CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY, n INT)');
    await replica.run('INSERT INTO shop.item VALUES (1, 1), (2, 2)');
  });
  afterAll(async () => await replica?.remove());
  const rows = async () => await replica.target.sql('SELECT * FROM shop.item ORDER BY id');

  it('passes a statement that was begun and failed, and what comes behind it is applied', async () => {
    await replica.target.sql('ALTER TABLE shop.item ADD COLUMN extra INT');
    await replica.source.sql('ALTER TABLE shop.item ADD COLUMN extra INT');
    const wagons = await replica.cut();
    await expect(replica.apply(wagons)).rejects.toMatchObject({ code: 'ddl-failed' });
    expect((await replica.ledger()).intent).not.toBeNull();
    const before = await rows();
    const ledger = await replica.engine.discardTrain(placesOf(wagons), 'alice');
    expect(ledger).toMatchObject({ intent: null, sequence: wagons.at(-1)?.place.sequence, position: wagons.at(-1)?.place.positionTo });
    expect(await replica.engine.readLedger(STREAM)).toMatchObject({ sequence: ledger.sequence, wagonHash: ledger.wagonHash, intent: null });
    expect(await rows()).toEqual(before);
    await replica.run('INSERT INTO shop.item VALUES (3, 3, 3)');
    expect(await rows()).toHaveLength(3);
  });

  it('passes a whole train or nothing of it, once, and only the next', async () => {
    replica.maxChanges = 2;
    await replica.source.sql('INSERT INTO shop.item VALUES (10, 1, 1), (11, 1, 1), (12, 1, 1), (13, 1, 1), (14, 1, 1)');
    const train = await replica.cut();
    replica.maxChanges = 20_000;
    expect(train.length).toBeGreaterThan(1);
    const before = await replica.ledger();
    const forged = placesOf(train).map((it) => ({ ...it, previousHash: 'f'.repeat(64) as WagonHash }));
    await expect(replica.engine.discardTrain(forged, 'mallory')).rejects.toMatchObject({ code: 'wagon-gap' });
    await expect(replica.engine.discardTrain(placesOf(train.slice(1)), 'mallory')).rejects.toMatchObject({ code: 'wagon-gap' });
    expect(await replica.ledger()).toEqual(before);

    await replica.engine.discardTrain(placesOf(train), 'alice');
    await replica.engine.discardTrain(placesOf(train), 'alice');
    const discarded = await replica.engine.discardedWagons(STREAM);
    for (const { place } of train) expect(discarded.get(place.hash)).toBeGreaterThan(Date.now() - 60_000);
    expect(await rows()).toHaveLength(3);
    await replica.run('UPDATE shop.item SET n = 9 WHERE id = 3');
    expect((await rows()).map((row) => row.n)).toEqual([1, 2, 9]);
  });

  it('never calls discarded what was applied', async () => {
    await replica.source.sql('UPDATE shop.item SET n = 10 WHERE id = 3');
    const wagons = await replica.replicate();
    await expect(replica.engine.discardTrain(placesOf(wagons), 'alice')).rejects.toMatchObject({ code: 'stream-halted' });
    const discarded = await replica.engine.discardedWagons(STREAM);
    expect(wagons.some((it) => discarded.has(it.place.hash))).toBe(false);
  });

  it('is of no copy but the one it was decided for', async () => {
    const { epoch, bootstrap } = await replica.ledger();
    await replica.engine.beginLoading(STREAM, bootstrap ?? BOOTSTRAP, epoch);
    expect((await replica.engine.discardedWagons(STREAM)).size).toBeGreaterThan(1);
    await replica.target.sql('DELETE FROM srdf.ledger');
    await replica.engine.beginLoading(STREAM, 'anew' as BootstrapId, epoch);
    expect((await replica.engine.discardedWagons(STREAM)).size).toBe(0);
  });
});
