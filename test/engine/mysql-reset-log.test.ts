/** A source whose log was reset and has grown past the place at which it was read: names, offsets and GTIDs are the same, the log isn't. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePosition } from '../../activities/engines/mysql/position.js';
import { currentPosition, readLog } from '../../activities/engines/mysql/read-log.js';
import type { Position } from '../../activities/vocabulary.js';
import { DatabaseServer } from '../servers/database-server.js';

describe.each(['mariadb', 'mysql'] as const)('%s', (kind) => {
  const reset = kind === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER';
  let server: DatabaseServer;
  const source = () => ({
    server: { host: '127.0.0.1', port: server.port, user: 'root' },
    password: null,
    role: 'source' as const,
    serverId: 9_001,
  });
  const write = async (value: number): Promise<void> => {
    for (const id of [1, 2, 3]) await server.sql(`REPLACE INTO shop.item VALUES (${id}, ${value})`);
  };
  /** Positions of what is read from there to the end. */
  const read = async (from: Position): Promise<Position[]> => {
    const positions: Position[] = [];
    for await (const { items } of readLog(source(), from, { selection: { databases: ['shop'], include: [], exclude: [] } }))
      for (const item of items) if (item.kind === 'commit') positions.push(item.position);
    return positions;
  };

  beforeAll(async () => {
    server = await DatabaseServer.start({ kind });
    await server.sql(`CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY, n INT); ${reset}`);
  });
  afterAll(async () => await server.remove());

  it('is refused, from a noted position and from one that was read', async () => {
    const start = await currentPosition(source());
    await write(1);
    const [first] = await read(start);
    const noted = await currentPosition(source());
    if (first === undefined) throw new Error('nothing was read');
    const { made, file } = parsePosition(first);
    expect(parsePosition(noted)).toMatchObject({ made, file });

    const now = async (): Promise<number> => Number((await server.sql('SELECT UNIX_TIMESTAMP() AS now'))[0]?.now);
    while ((await now()) === made) await new Promise((resolve) => setTimeout(resolve, 50));
    await server.sql(reset);
    await write(2);
    await write(3);
    const again = await currentPosition(source());
    // All that was compared before is the same: the file's name, an event that begins at that offset, the GTIDs up to it.
    expect(parsePosition(again).file).toBe(file);
    for (const at of [first, noted, start])
      await expect(read(at)).rejects.toMatchObject({ code: 'position-purged', facts: { found: expect.stringContaining('reset') } });
  });

  it('is read on after a restart and in new files', async () => {
    const from = await currentPosition(source());
    await write(4);
    await server.sql('FLUSH BINARY LOGS');
    await write(5);
    await server.stop();
    await server.run();
    await write(6);
    const positions = await read(from);
    expect(positions).toHaveLength(9);
    for (const at of positions) await read(at);
    expect(await read(positions[4] as Position)).toHaveLength(4);
    expect(await read(await currentPosition(source()))).toEqual([]);
  });
});
