/**
 * Foreign keys' actions while a target catches up with tables that were copied at different moments: what the log doesn't tell
 * can't be repeated there, and must not be passed over.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BootstrapId, Epoch } from '../../activities/vocabulary.js';
import type { ServerKind } from '../servers/database-server.js';
import { MysqlReplica, STREAM } from './mysql-replica.js';

const SCHEMA = `CREATE DATABASE d; USE d;
  CREATE TABLE parent (id INT PRIMARY KEY, n INT);
  CREATE TABLE child (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE);
  CREATE TABLE grandchild (id INT PRIMARY KEY, child INT, FOREIGN KEY (child) REFERENCES child (id) ON DELETE CASCADE);
  INSERT INTO parent VALUES (1, 1), (2, 2), (3, 3)`;

/** MySQL logs what its foreign keys do from 9.6 on; before, and with this option, InnoDB does it unseen, as in MariaDB. */
const OPTIONS: Readonly<Record<ServerKind, readonly string[]>> = { mariadb: [], mysql: ['--innodb-native-foreign-keys=ON'] };

describe.each<ServerKind>(['mariadb', 'mysql'])('%s: cascades between tables copied at different moments', (kind) => {
  let replica: MysqlReplica;
  beforeAll(async () => {
    replica = await MysqlReplica.start(kind, ['d'], OPTIONS[kind]);
  });
  afterAll(async () => await replica?.remove());

  /** `meanwhile` runs behind P0; `copiedAgain` is as the source has it afterwards; the other table is as it was at P0. */
  const catchUp = async (rows: string, meanwhile: string, copiedAgain: 'parent' | 'child', baseline = true): Promise<void> => {
    await replica.source.sql(`DROP DATABASE IF EXISTS d; ${SCHEMA}; ${rows}`);
    await replica.target.sql(`DROP DATABASE IF EXISTS d; ${SCHEMA}; ${rows}; DELETE FROM srdf.ledger; DELETE FROM srdf.table_baselines`);
    const bootstrap = 'b2' as BootstrapId;
    await replica.engine.beginLoading(STREAM, bootstrap, 1 as Epoch);
    const from = await replica.position();
    await replica.source.sql(meanwhile, 'd');
    const values = (await replica.source.sql(`SELECT * FROM d.${copiedAgain}`)).map((row) => `(${Object.values(row).join(', ')})`);
    await replica.target.sql(
      `SET foreign_key_checks=0; DELETE FROM d.${copiedAgain}; ${values.length === 0 ? 'DO 0' : `INSERT INTO d.${copiedAgain} VALUES ${values.join(', ')}`}`,
    );
    // Without one, the table was copied in the first round: all of its changes behind P0 are applied again.
    if (baseline)
      await replica.target.sql(
        `INSERT INTO srdf.table_baselines VALUES ('${STREAM}', 'table', 'd', '${copiedAgain}', '${await replica.position()}')`,
      );
    await replica.source.sql('INSERT INTO d.parent VALUES (99, 99)');
    await replica.engine.beginCatchUp(STREAM, bootstrap, from, await replica.position());
    await replica.replicate();
  };
  const expectEqual = async (): Promise<void> => {
    const { source, target } = await replica.dumps();
    expect(target).toBe(source);
    expect((await replica.ledger()).phase).toBe('consistent');
  };
  const refused = { code: 'bootstrap-unsettled', facts: { found: expect.stringContaining('child') } };

  it('a child copied later is not emptied by the deletion of its parent’s former self', async () => {
    const rows = 'INSERT INTO child VALUES (1, 1)';
    await expect(
      catchUp(rows, 'DELETE FROM parent WHERE id = 1; INSERT INTO parent VALUES (1, 1); INSERT INTO child VALUES (1, 1)', 'child'),
    ).rejects.toMatchObject(refused);
    expect(await replica.target.sql('SELECT id FROM d.child')).toEqual([{ id: 1 }]);
    expect((await replica.ledger()).phase).toBe('catching-up');
  });

  it.each(['DELETE FROM parent WHERE id = 1', 'UPDATE parent SET id = 11 WHERE id = 1'])(
    'a parent copied later leaves no child behind: %s',
    async (meanwhile) => {
      await expect(catchUp('INSERT INTO child VALUES (1, 1)', meanwhile, 'parent')).rejects.toMatchObject(refused);
      expect((await replica.ledger()).phase).toBe('catching-up');
    },
  );

  it('a grandchild isn’t left behind by a child that was copied after it', async () => {
    const rows = 'INSERT INTO child VALUES (1, 1), (2, 2); INSERT INTO grandchild VALUES (1, 1), (2, 2)';
    await expect(catchUp(rows, 'DELETE FROM parent WHERE id = 1', 'child')).rejects.toMatchObject({ code: 'bootstrap-unsettled' });
    expect((await replica.ledger()).phase).toBe('catching-up');
  });

  it('a key that moves with its children is refused: a child copied behind the move would lose what an older change takes from the key', async () => {
    const meanwhile = 'DELETE FROM parent WHERE id = 3; UPDATE parent SET id = 3 WHERE id = 1';
    await expect(catchUp('INSERT INTO child VALUES (1, 1)', meanwhile, 'child', false)).rejects.toMatchObject({
      code: 'bootstrap-unsettled',
      facts: { found: expect.stringContaining('ON UPDATE') },
    });
    expect(await replica.target.sql('SELECT parent FROM d.child')).toEqual([{ parent: 3 }]);
    expect((await replica.ledger()).phase).toBe('catching-up');
  });

  it.each(['parent', 'child'] as const)('what touches no row of the other goes through, with %s copied later', async (later) => {
    const meanwhile = 'DELETE FROM parent WHERE id = 2; UPDATE parent SET n = 7 WHERE id = 1; INSERT INTO child VALUES (5, 3)';
    await catchUp('INSERT INTO child VALUES (1, 1)', meanwhile, later);
    await expectEqual();
  });
});
