/** A source on which nothing in scope happens for long, as over holidays: its log files come and go all the same. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CutResult } from '../../activities/contracts.js';
import { createSourceEngine } from '../../activities/engines/mysql/source.js';
import type { Position, StreamName } from '../../activities/vocabulary.js';
import { DatabaseServer } from '../servers/database-server.js';
import { ScriptedTarget } from './scripted-engines.js';
import { exchangedKeys, openPair, type ScriptedPair } from './scripted-pair.js';

const stream = 'shop' as StreamName;

describe.each(['mariadb', 'mysql'] as const)('%s', (kind) => {
  let directory: string;
  let server: DatabaseServer;
  let pair: ScriptedPair;
  const target = new ScriptedTarget();
  const engine = () =>
    createSourceEngine({
      name: kind,
      server: { host: '127.0.0.1', port: server.port, user: 'root' },
      password: undefined,
      serverId: 9_002,
    });

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'srdf-quiet-'));
    await exchangedKeys(directory);
    server = await DatabaseServer.start({ kind });
    await server.sql(
      'CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY); CREATE DATABASE other; CREATE TABLE other.tick (n INT)',
    );
    const source = engine();
    if (target.ledger === null) throw new Error('no ledger');
    target.ledger = { ...target.ledger, position: await source.currentPosition() };
    pair = await openPair(directory, source, target);
  });
  afterAll(async () => {
    await pair?.close();
    await server?.remove();
    await rm(directory, { recursive: true, force: true });
  });

  const cycle = async (): Promise<CutResult> => {
    const { ledger } = await pair.readLedger({ stream });
    const after = { ...ledger, position: ledger.position as Position };
    const result = await pair.cutWagons({ stream, after, maxWagons: 100, boundaries: [] });
    if (result.wagons.length === 0) return result;
    await pair.shipWagons({ stream, wagons: result.wagons });
    await pair.applyWagons({ stream, wagons: result.wagons });
    await pair.confirmWagons({ stream, wagons: result.wagons });
    return result;
  };
  const files = async (): Promise<string[]> => (await server.sql('SHOW BINARY LOGS')).map((row) => String(row.Log_name));

  it.each([
    ['nothing at all', ''],
    ['a little out of scope', 'INSERT INTO other.tick VALUES (1)'],
  ])('goes on behind files that were purged, with %s in them', async (_, statement) => {
    expect((await cycle()).wagons).toEqual([]);
    const moved: number[] = [];
    for (let day = 0; day < 3; day++) {
      await server.sql('FLUSH BINARY LOGS');
      if (statement !== '') await server.sql(statement);
      moved.push((await cycle()).wagons.length);
      expect((await cycle()).wagons).toEqual([]);
      await server.sql(`PURGE BINARY LOGS TO '${(await files()).at(-1)}'`);
      expect(await files()).toHaveLength(1);
    }
    await server.sql(`INSERT INTO shop.item VALUES (${statement.length})`);
    expect((await cycle()).changes).toEqual({ captured: 1, carried: 1 });
    // One wagon a file, and then the stream is at rest again.
    expect(moved).toEqual([1, 1, 1]);
  });
});
