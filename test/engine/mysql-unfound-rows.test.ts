/** What the preflight of a MySQL source refuses: the target's server itself doesn't find such rows again. It halts there, and passes nothing over. */
import { expect, it } from 'vitest';
import { MysqlReplica } from './mysql-replica.js';

it('rows of a table without key that MySQL looks up by a SPATIAL index', async () => {
  const replica = await MysqlReplica.start('mysql', ['d']);
  try {
    await replica.run(
      'CREATE DATABASE d; CREATE TABLE d.place (p POINT NOT NULL SRID 0, SPATIAL INDEX at (p)); INSERT INTO d.place VALUES (POINT(1, 2)), (POINT(3, 4))',
    );
    await replica.source.sql('DELETE FROM d.place WHERE ST_X(p) = 1');
    await expect(replica.replicate()).rejects.toMatchObject({ code: 'target-divergence' });
    expect(await replica.target.sql('SELECT COUNT(*) AS n FROM d.place')).toEqual([{ n: '2' }]);
    // The preflight's advice, here at the target: then they are found.
    await replica.target.sql('ALTER TABLE d.place DROP INDEX at');
    await replica.replicate();
    expect(await replica.target.sql('SELECT ST_X(p) AS x FROM d.place')).toEqual([{ x: 3 }]);
  } finally {
    await replica.remove();
  }
});
