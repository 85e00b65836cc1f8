import { describe, expect, it } from 'vitest';
import { MysqlGtidSet, parseGtidSet } from '../../activities/engines/mysql/binlog/gtid-set.js';
import { formatPosition, parsePosition, reached } from '../../activities/engines/mysql/position.js';
import type { Position } from '../../activities/vocabulary.js';

const U = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const V = '4e11fa47-71ca-11e1-9e33-c80aa9429562';

describe('positions', () => {
  it('come back from their text', () => {
    for (const it of [
      { server: 'a', file: 'bin.000001', offset: 4, parts: 0, gtid: '', known: '' },
      { server: 'a/b+c', file: 'bin.1000000', offset: 2 ** 40, parts: 3, gtid: '0-1-5,7-2-9', known: '0-1-5' },
      { server: 'a', file: 'bin.000001', offset: 4, parts: 0, made: 1_700_000_000, gtid: '', known: '' },
    ])
      expect(parsePosition(formatPosition(it))).toEqual(it);
    expect(() => parsePosition('0/16B3748' as Position)).toThrow(/is not one/);
  });

  it('are ordered by file number, offset and parts; not by the text', () => {
    const at = (file: string, offset: number, parts = 0): Position =>
      formatPosition({ server: 's', file, offset, parts, gtid: '', known: '' });
    expect(reached(at('b.000010', 4), at('b.000009', 900))).toBe(true);
    expect(reached(at('b.1000000', 4), at('b.999999', 4))).toBe(true);
    expect(reached(at('b.000009', 900), at('b.000010', 4))).toBe(false);
    expect(reached(at('b.000009', 1000), at('b.000009', 900))).toBe(true);
    expect(reached(at('b.000009', 900), at('b.000009', 900))).toBe(true);
    expect(reached(at('b.000009', 900, 1), at('b.000009', 900, 2))).toBe(false);
    expect(reached(at('b.000009', 900, 1), at('b.000009', 900))).toBe(true);
  });

  it('of two servers are compared by GTID, and refused without', () => {
    const at = (server: string, gtid: string): Position =>
      formatPosition({ server, file: 'b.000001', offset: 4, parts: 0, gtid, known: '' });
    expect(reached(at('x', '0-1-10,1-2-3'), at('y', '0-1-9'))).toBe(true);
    expect(reached(at('x', '0-1-10'), at('y', '0-1-9,1-2-3'))).toBe(false);
    expect(reached(at('x', `${U}:1-10`), at('y', `${U}:1-9`))).toBe(true);
    expect(reached(at('x', `${U}:1-8:10`), at('y', `${U}:1-9`))).toBe(false);
    expect(() => reached(at('x', ''), at('y', '0-1-9'))).toThrow(/no GTIDs/);
  });
});

describe('GTID sets', () => {
  it('of MySQL join intervals, whatever order transactions come in', () => {
    const set = parseGtidSet('mysql', `${U}:1-3:7`);
    for (const sequence of [5, 4, 8, 6]) set.add({ source: U, server: 0, sequence });
    set.add({ source: `${U}:tag`, server: 0, sequence: 2 });
    expect(set.toString()).toBe(`${U}:1-8,${U}:tag:2`);
    expect(parseGtidSet('mysql', `${U}:1-8:tag:2,\n${V}:4`).toString()).toBe(`${U}:1-8,${U}:tag:2,${V}:4`);
    expect(set.contains({ source: U, server: 0, sequence: 9 })).toBe(false);
    expect(set.contains({ source: V, server: 0, sequence: 1 })).toBe(false);
  });
  it('of MariaDB keep the last of each domain', () => {
    const set = parseGtidSet('mariadb', '7-2-9,0-1-5');
    set.add({ source: '0', server: 3, sequence: 6 });
    expect(set.toString()).toBe('0-3-6,7-2-9');
    expect(set.containsAll(parseGtidSet('mariadb', '0-1-5'))).toBe(true);
    expect(set.containsAll(parseGtidSet('mariadb', '1-1-1'))).toBe(false);
  });
  it('of MySQL are sent as COM_BINLOG_DUMP_GTID wants them', () => {
    const sent = MysqlGtidSet.parse(`${U}:1-3:7`).encode();
    expect(sent.toString('hex')).toBe(
      `0100000000000000${U.replaceAll('-', '')}02000000000000000100000000000000040000000000000007000000000000000800000000000000`,
    );
  });
  it.each(['0-1', 'x', `${U}`, `${U}:0`, `${U}:5-3`])('refuse %s', (text) => {
    expect(() => parseGtidSet(text.startsWith('0') ? 'mariadb' : 'mysql', text)).toThrow(/is not one/);
  });
});
