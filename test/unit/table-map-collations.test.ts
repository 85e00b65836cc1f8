/** On logs that real servers have written (test/fuzz/corpus): their table holds every kind of column, a GEOMETRY among those of text. */
import { expect, it } from 'vitest';
import { parseTableMap } from '../../activities/engines/mysql/binlog/table-map.js';
import { corpusFiles } from '../fuzz/corpus.js';
import { decodeBinlog } from '../fuzz/decode-binlog.js';

const BINARY = 63;

it.each(['mariadb-plain', 'mysql-plain'])('each column of %s has its own character set, behind a GEOMETRY too', (name) => {
  const file = corpusFiles('binlog').find((it) => it.name === name);
  if (file === undefined) throw new Error(`${name} is missing`);
  const rows = decodeBinlog(file.bytes).flatMap((item) => (item.kind === 'rows' && item.table.table === 'every' ? [item] : []));
  const [first] = rows;
  if (first === undefined) throw new Error('no rows of it');
  const { metadata } = parseTableMap(Buffer.from(first.table.bytes));
  const isBinary = (column: string): boolean => metadata.collations[metadata.names?.indexOf(column) ?? -1] === BINARY;
  expect(['code', 'name', 'wide', 'note', 'state', 'tags'].filter(isBinary)).toEqual([]);
  expect(['raw', 'data'].filter(isBinary)).toEqual(['raw', 'data']);
  // MariaDB's JSON is text; MySQL's has no character set.
  expect(isBinary('doc')).toBe(false);
});
