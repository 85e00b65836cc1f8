import { afterAll, describe, expect, it } from 'vitest';
import { DatabaseServer } from './database-server.js';

describe.each(['mariadb', 'mysql'] as const)('a throw-away %s', (kind) => {
  let server: DatabaseServer | undefined;
  afterAll(async () => await server?.remove());
  it('starts, survives kill -9 with its data, and dumps', async () => {
    server = await DatabaseServer.start({ kind });
    await server.sql('create database d; create table d.t (id int primary key, v varchar(10)); insert into d.t values (1, "é")');
    await server.kill();
    await server.run();
    expect(await server.sql('select v from d.t')).toEqual([{ v: 'é' }]);
    expect(await server.dump(['d'])).toContain('INSERT INTO `t`');
  });
});
