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

  describe('rows that were moved under a deleted key before they were copied', () => {
    const CHAIN = (last: string): string => `
      CREATE TABLE a (id INT PRIMARY KEY);
      CREATE TABLE b (id VARCHAR(9) PRIMARY KEY, a INT, n INT, FOREIGN KEY (a) REFERENCES a (id) ON DELETE CASCADE);
      CREATE TABLE c (id INT PRIMARY KEY, b VARCHAR(9), FOREIGN KEY (b) REFERENCES b (id) ON DELETE ${last});
      INSERT INTO a VALUES (1), (2), (3);
      INSERT INTO b VALUES ('x', 2, 0), ('y', 1, 0), ('z', 3, 0); INSERT INTO c VALUES (1, 'x'), (2, 'y'), (3, 'z')`;
    const TREE = `
      CREATE TABLE tree (id INT PRIMARY KEY, up INT, n INT, FOREIGN KEY (up) REFERENCES tree (id) ON DELETE CASCADE);
      INSERT INTO tree VALUES (1, NULL, 0), (2, NULL, 0), (10, 2, 0), (11, 10, 0), (12, 11, 0)`;

    /** `meanwhile` runs behind P0, and all tables are copied behind its first part. `apart`: each statement is a wagon. */
    const copied = async (schema: string, before: readonly string[], after: readonly string[] = [], apart = false): Promise<void> => {
      const fresh = `DROP DATABASE IF EXISTS d; CREATE DATABASE d; USE d; CREATE TABLE re (id INT PRIMARY KEY); ${schema}`;
      await replica.source.sql(fresh);
      await replica.target.sql(`${fresh}; DELETE FROM srdf.ledger; DELETE FROM srdf.table_baselines`);
      const bootstrap = 'b3' as BootstrapId;
      await replica.engine.beginLoading(STREAM, bootstrap, 1 as Epoch);
      const from = await replica.position();
      for (const statement of before) await replica.source.sql(statement, 'd');
      const { source } = await replica.dumps();
      await replica.target.sql(`SET foreign_key_checks=0; ${source}`);
      for (const statement of after) await replica.source.sql(statement, 'd');
      await replica.source.sql('INSERT INTO re VALUES (1)', 'd');
      await replica.engine.beginCatchUp(STREAM, bootstrap, from, await replica.position());
      replica.maxChanges = apart ? 1 : 20_000;
    };
    const taken = async (): Promise<unknown[]> => await replica.target.sql('SELECT table_name FROM srdf.taken_rows');
    const expectRefused = async (table: string): Promise<void> => {
      const { target } = await replica.dumps();
      await expect(replica.replicate()).rejects.toMatchObject({
        code: 'bootstrap-unsettled',
        facts: { tried: expect.stringContaining(table), found: expect.stringContaining('moved under another') },
      });
      expect((await replica.ledger()).phase).toBe('catching-up');
      if (replica.maxChanges > 1) expect((await replica.dumps()).target).toBe(target);
    };
    const expectEqualAtLast = async (): Promise<void> => {
      await replica.replicate();
      await expectEqual();
      expect(await taken()).toEqual([]);
    };

    const treeMoves = ['DELETE FROM tree WHERE id = 1; INSERT INTO tree VALUES (1, NULL, 0)', 'REPLACE INTO tree VALUES (1, NULL, 0)'];
    it.each(treeMoves.flatMap((it) => [[it, false] as const, [it, true] as const]))('a tree: %s, wagons apart: %s', async (anew, apart) => {
      await copied(TREE, [anew, 'UPDATE tree SET up = 1 WHERE id = 10'], [], apart);
      await expectRefused('d.tree');
    });

    it('a tree: what was moved under a row that is rightly taken', async () => {
      const meanwhile = 'INSERT INTO tree VALUES (1, NULL, 0); INSERT INTO tree VALUES (20, 1, 0); UPDATE tree SET up = 20 WHERE id = 11';
      await copied(TREE, ['DELETE FROM tree WHERE id = 1', ...meanwhile.split('; ')]);
      await expectRefused('d.tree');
    });

    const moved = ['REPLACE INTO a VALUES (1)', "UPDATE b SET a = 1 WHERE id = 'x'"];
    it.each(['CASCADE', 'SET NULL'].flatMap((it) => [[it, false] as const, [it, true] as const]))(
      'three tables, ON DELETE %s at their end, wagons apart: %s',
      async (last, apart) => {
        await copied(CHAIN(last), moved, [], apart);
        await expectRefused('d.b');
      },
    );

    it('a move that comes with a new primary key', async () => {
      const schema = CHAIN('CASCADE')
        .replaceAll('REFERENCES b (id)', 'REFERENCES b (n)')
        .replace('c (id INT PRIMARY KEY, b VARCHAR(9)', 'c (id INT PRIMARY KEY, b INT');
      const rows = "INSERT INTO b VALUES ('x', 2, 5); INSERT INTO c VALUES (1, 5)";
      const withKey = `${schema.slice(0, schema.indexOf('INSERT INTO b')).replace('n INT, FOREIGN', 'n INT UNIQUE, FOREIGN')} ${rows}`;
      await copied(withKey, ['REPLACE INTO a VALUES (1)', "UPDATE b SET id = 'w', a = 1 WHERE id = 'x'"]);
      await expectRefused('d.b');
    });

    it('a deletion without checks of such a row', async () => {
      await copied(CHAIN('CASCADE'), moved, ["SET foreign_key_checks=0; DELETE FROM b WHERE id = 'x'"]);
      await expectRefused('d.b');
    });

    it.each([
      ['CASCADE', false],
      ['CASCADE', true],
      ['SET NULL', false],
      ['SET NULL', true],
    ])('ordinary deletions on three levels go through, ON DELETE %s at their end, wagons apart: %s', async (last, apart) => {
      const before = [
        'DELETE FROM a WHERE id = 1',
        "INSERT INTO a VALUES (1); INSERT INTO b VALUES ('y', 1, 1)",
        "REPLACE INTO c VALUES (2, 'y'); UPDATE b SET n = 2 WHERE id = 'y'",
        'REPLACE INTO a VALUES (3)',
      ];
      const after = ["UPDATE b SET n = 3 WHERE id = 'y'; DELETE FROM a WHERE id IN (1, 2)", 'INSERT INTO a VALUES (4)'];
      await copied(CHAIN(last), before, after, apart);
      await expectEqualAtLast();
    });

    it('so do those in a tree, and a moved row that nothing hangs on', async () => {
      const before = ['REPLACE INTO tree VALUES (1, NULL, 0)', 'UPDATE tree SET up = 1 WHERE id = 12', 'DELETE FROM tree WHERE id = 2'];
      await copied(TREE, before, ['INSERT INTO tree VALUES (2, 1, 0), (10, 2, 0)', 'DELETE FROM tree WHERE id = 1']);
      await expectEqualAtLast();
    });

    it('a copy that began under a version without this table is remembered for from now on', async () => {
      await copied(CHAIN('CASCADE'), moved, [], true);
      await replica.target.sql('DROP TABLE srdf.taken_rows');
      await expectRefused('d.b');
    });

    it('what is remembered of a copy that was given up doesn’t trouble the next', async () => {
      await copied(CHAIN('CASCADE'), [], ['DELETE FROM a WHERE id = 1'], true);
      const [first] = await replica.cut();
      if (first !== undefined) await replica.apply([first]);
      expect(await taken()).toEqual([{ table_name: 'b' }]);
      await copied(CHAIN('CASCADE'), [], ['DELETE FROM a WHERE id = 1'], true);
      expect(await taken()).toEqual([]);
      await expectEqualAtLast();
    });
  });
});
