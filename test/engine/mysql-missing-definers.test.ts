/** Accounts aren't replicated: what the source's server defines in the name of one that the target lacks, on real servers. */
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Selection, SourceEngine } from '../../activities/engines/engine.js';
import { openConnection } from '../../activities/engines/mysql/connection.js';
import { createSchema } from '../../activities/engines/mysql/schema/create-schema.js';
import { grantStatements } from '../../activities/engines/mysql/target-privileges.js';
import { DatabaseServer, type ServerKind } from '../servers/database-server.js';
import { BOOTSTRAP, beginLoading, openTarget, STREAM, sourceOf } from './mysql-copy-between.js';

const SELECTION: Selection = { databases: ['shop'], include: [], exclude: [] };

describe.each<ServerKind>(['mariadb', 'mysql'])('%s: definers without an account', (kind) => {
  let paris: DatabaseServer;
  let frankfurt: DatabaseServer;
  let source: SourceEngine;
  let target: Connection;
  beforeAll(async () => {
    const options = ['--log-bin-trust-function-creators=ON'];
    [paris, frankfurt] = await Promise.all([
      DatabaseServer.start({ kind, name: 'paris', options }),
      DatabaseServer.start({ kind, name: 'frankfurt', options }),
    ]);
    await paris.sql(`CREATE USER 'app'@'%'; GRANT ALL ON *.* TO 'app'@'%'; CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY); USE shop;
      CREATE DEFINER='app'@'%' VIEW plain AS SELECT id FROM item; CREATE DEFINER='app'@'%' VIEW nested AS SELECT id FROM plain`);
    await frankfurt.sql("CREATE USER 'srdf'@'%'");
    const version = kind === 'mariadb' ? 101_100 : 90_700;
    for (const statement of grantStatements(kind, version, "'srdf'@'%'", SELECTION.databases)) await frankfurt.sql(statement);
    source = sourceOf(paris);
    const admin = await openTarget(frankfurt);
    await beginLoading(admin);
    admin.destroy();
    target = await openConnection({ server: { host: '127.0.0.1', port: frankfurt.port, user: 'srdf' }, password: null, role: 'target' });
  });
  afterAll(async () => {
    target?.destroy();
    await source?.close();
    await paris?.remove();
    await frankfurt?.remove();
  });
  const create = async (stage: 'before-data' | 'after-data') =>
    await createSchema(target, STREAM, BOOTSTRAP, await source.describeSchema(SELECTION, stage));

  it('a view over a view is refused with what mends it, and created once the account is there', async () => {
    await create('before-data');
    await expect(create('after-data')).rejects.toMatchObject({
      code: 'ddl-failed',
      facts: {
        tried: 'creating the view shop.nested on the target',
        action: expect.stringMatching(/account.*isn’t on the target.*SHOW CREATE USER/),
      },
    });
    await frankfurt.sql("CREATE USER 'app'@'%'; GRANT SELECT ON shop.* TO 'app'@'%'");
    await create('after-data');
    expect(await frankfurt.sql('SELECT * FROM shop.nested')).toEqual([]);
  });
});
