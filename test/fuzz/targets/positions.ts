/** Positions and GTID sets of the ledger: refused, or written again as the same. */
import { MysqlGtidSet, parseGtidSet } from '../../../activities/engines/mysql/binlog/gtid-set.js';
import { formatPosition, parsePosition, reached } from '../../../activities/engines/mysql/position.js';
import type { Position } from '../../../activities/vocabulary.js';
import { type FuzzTarget, require } from '../contract.js';
import { mutateText } from '../mutate-bytes.js';

const UUID = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const WORDS = [
  '=',
  ';',
  ',',
  ':',
  '-',
  'gtid',
  'file',
  'offset',
  'server',
  'parts',
  'known',
  '0',
  '00',
  '1',
  '9007199254740993',
  '99999999999999999999',
  UUID,
  'tag',
  ' ',
  '\n',
  '0-1-1',
];

export const position: FuzzTarget = {
  name: 'position',
  refusals: new Set(['ledger-inconsistent']),
  corpus: () =>
    [
      'server=7;file=binlog.000004;offset=4;gtid=',
      'server=7;file=binlog.000004;offset=1234;parts=2;gtid=0-1-7,1-2-9;known=0-1-7',
      `server=${UUID};file=binlog.000123;offset=99;gtid=${UUID}:1-5:7;known=all`,
    ].map((it) => Buffer.from(it)),
  mutate: (input, random) => mutateText(input, WORDS, random),
  run: (input) => {
    const text = Buffer.from(input).toString('utf8') as Position;
    const parsed = parsePosition(text);
    const again = formatPosition(parsed);
    require(formatPosition(parsePosition(again)) === again, () => `reads back as another position: ${again}`);
    require(Number.isSafeInteger(parsed.offset) && Number.isSafeInteger(parsed.parts), () => `no place in a file: ${again}`);
    require(reached(again, again), () => `not reached at itself: ${again}`);
  },
};

export const gtidSet: FuzzTarget = {
  name: 'gtid-set',
  refusals: new Set(['ledger-inconsistent']),
  corpus: () => [`${UUID}:1-5:7, ${UUID.replace('3', '4')}:9:tag:1-3`, '0-1-7,1-2-9', ''].map((it) => Buffer.from(it)),
  mutate: (input, random) => mutateText(input, WORDS, random),
  run: (input) => {
    const text = Buffer.from(input).toString('utf8');
    const family = /^\s*\d+-\d+-/.test(text) ? 'mariadb' : 'mysql';
    const set = parseGtidSet(family, text);
    const again = parseGtidSet(family, set.toString());
    require(again.toString() === set.toString(), () => `a set reads back as another: ${set}`);
    require(set.containsAll(again) && again.containsAll(set), () => `a set is not what it is written as: ${set}`);
    if (set instanceof MysqlGtidSet) set.encode();
  },
};
