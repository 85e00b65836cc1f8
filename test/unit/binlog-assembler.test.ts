/** Events that a test server doesn't write on demand: made by hand, byte for byte as the servers' sources describe them. */
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { EngineName } from '../../activities/engines/engine.js';
import { EVENT } from '../../activities/engines/mysql/binlog/event-types.js';
import { mysqlRowFormat } from '../../activities/engines/mysql/binlog/row-format.js';
import { TransactionAssembler } from '../../activities/engines/mysql/binlog/transaction-assembler.js';
import { offsetAt } from '../../activities/engines/row-images.js';
import { SrdfError } from '../../temporal/error-catalogue.js';

const u = (width: number, value: number): Buffer => {
  const bytes = Buffer.alloc(width);
  bytes.writeUIntLE(value, 0, Math.min(width, 6));
  return bytes;
};
function event(type: number, body: Buffer, options: { end?: number; flags?: number; server?: number; time?: number } = {}): Buffer {
  const head = Buffer.concat([
    u(4, options.time ?? 1_700_000_000),
    u(1, type),
    u(4, options.server ?? 1),
    u(4, 19 + body.length + 4),
    u(4, options.end ?? 0),
    u(2, options.flags ?? 0),
  ]);
  const bytes = Buffer.concat([head, body]);
  return Buffer.concat([bytes, u(4, crc32(bytes))]);
}
const rotate = (file: string, offset: number) =>
  event(EVENT.ROTATE, Buffer.concat([u(8, offset), Buffer.from(file)]), { flags: 0x20, time: 0 });
const description = (created = 0, end = 0) =>
  event(EVENT.FORMAT_DESCRIPTION, Buffer.concat([u(2, 4), Buffer.alloc(50), u(4, created), u(1, 19), Buffer.alloc(40), u(1, 1)]), { end });
/** FL_TRANSACTIONAL is 4. */
const mariadbGtid = (domain: number, sequence: number, server = 1, end = 0, flags = 4) =>
  event(EVENT.MARIADB_GTID, Buffer.concat([u(8, sequence), u(4, domain), u(1, flags), Buffer.alloc(6)]), { server, end });
const gtidList = (...gtids: readonly (readonly [domain: number, server: number, sequence: number])[]) =>
  event(
    EVENT.MARIADB_GTID_LIST,
    Buffer.concat([
      u(4, gtids.length),
      ...gtids.map(([domain, server, sequence]) => Buffer.concat([u(4, domain), u(4, server), u(8, sequence)])),
    ]),
  );
const xid = (end = 0) => event(EVENT.XID, u(8, 1), { end });
/** shop.t (id INT PRIMARY KEY, v VARCHAR(100), w VARCHAR(100)) with FULL metadata, and a row of it. */
const shape = Buffer.concat([
  Buffer.from('\x04shop\0\x01t\0', 'latin1'),
  Buffer.from([3, 3, 15, 15, 4, 100, 0, 100, 0, 0b110]),
  Buffer.from([1, 1, 0]),
  Buffer.from([4, 7, 2]),
  Buffer.from('id\x01v\x01w', 'latin1'),
  Buffer.from([8, 1, 0]),
]);
const tableMap = (id = 9) => event(EVENT.TABLE_MAP, Buffer.concat([u(6, id), u(2, 1), shape]));
const image = (id: number, v: string | null, w: string) =>
  Buffer.concat([
    Buffer.from([v === null ? 0b010 : 0]),
    u(4, id),
    v === null ? Buffer.alloc(0) : Buffer.concat([u(1, v.length), Buffer.from(v)]),
    u(1, w.length),
    Buffer.from(w),
  ]);
const insert = (flags = 1, id = 9) =>
  event(EVENT.WRITE_ROWS_V1, Buffer.concat([u(6, id), u(2, flags), Buffer.from([3, 7]), image(1, 'a', 'b'), image(2, null, 'c')]));

const assembler = (family: EngineName, from: Partial<{ file: string; offset: number; gtid: string; known: string }> = {}) =>
  new TransactionAssembler({
    family,
    server: 's',
    source: 'paris',
    selection: { databases: ['shop'], include: [], exclude: [] },
    from: { server: 's', file: 'b.000001', offset: 4, parts: 0, gtid: '', known: '', ...from },
    rows: true,
  });
function feed(it: TransactionAssembler, ...events: Buffer[]): TransactionAssembler {
  for (const bytes of events) it.event(bytes, 0, bytes.length);
  return it;
}
const positions = (it: TransactionAssembler) => it.batch.items.flatMap((item) => (item.kind === 'commit' ? [String(item.position)] : []));
const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'nothing thrown';
  } catch (error) {
    return error instanceof SrdfError ? error.code : String(error);
  }
};

describe('positions', () => {
  it('are counted where MariaDB 11.4 writes 0 inside a transaction', () => {
    const it = feed(assembler('mariadb'), rotate('b.000007', 300), description(), mariadbGtid(0, 1), tableMap(), insert(), xid());
    const length = [mariadbGtid(0, 1), tableMap(), insert(), xid()].reduce((sum, bytes) => sum + bytes.length, 0);
    expect(positions(it)).toEqual([`server=s;file=b.000007;offset=${300 + length};made=1700000000;gtid=0-1-1`]);
  });
  it('go beyond the 32 bits of an event header', () => {
    const start = 2 ** 32 - 10;
    const gtid = mariadbGtid(0, 1);
    const end = start + gtid.length;
    const it = feed(
      assembler('mariadb'),
      rotate('b.000007', start),
      description(),
      mariadbGtid(0, 1, 1, end % 2 ** 32),
      tableMap(),
      insert(),
      xid(end - 2 ** 32 + 500),
    );
    expect(positions(it)).toEqual([`server=s;file=b.000007;offset=${end + 500};made=1700000000;gtid=0-1-1`]);
  });
  it('never stand inside a transaction that the log breaks off', () => {
    const it = feed(assembler('mariadb'), rotate('b.000007', 4), description(), mariadbGtid(0, 1), tableMap(), insert());
    expect(it.inTransaction).toBe(true);
    expect(codeOf(() => feed(it, rotate('b.000008', 4), description()))).toBe('log-corrupt');
    expect(positions(it)).toEqual([]);
  });
});

describe('a log that a killed server broke off', () => {
  const STARTED = 1_700_000_000;
  const FIRST_END = 4 + description().length;
  const start = () => description(STARTED, FIRST_END);
  const kinds = (it: TransactionAssembler) => it.batch.items.map((item) => item.kind).join(' ');
  const whole = (sequence: number) => [mariadbGtid(0, sequence), tableMap(), insert(), xid()];
  const upToHalf = (flags = 4) =>
    feed(assembler('mariadb'), rotate('b.000007', 4), description(), ...whole(1), mariadbGtid(0, 2, 1, 0, flags), tableMap(), insert());

  it('goes on in the file the server began when it started, with the same number for another transaction', () => {
    const it = feed(upToHalf(), rotate('b.000008', 4), start(), gtidList([0, 1, 1]), ...whole(2));
    expect(kinds(it)).toBe('begin rows commit begin rows abandon begin rows commit');
    expect(positions(it).map((text) => text.replace(/offset=\d+;/, ''))).toEqual([
      'server=s;file=b.000007;made=1700000000;gtid=0-1-1',
      'server=s;file=b.000008;made=1700000000;gtid=0-1-2',
    ]);
  });
  it('is not at its end before that is proven', () => {
    const it = upToHalf();
    for (const bytes of [rotate('b.000008', 4), start()]) {
      feed(it, bytes);
      expect([it.inTransaction, kinds(it)]).toEqual([true, 'begin rows commit begin rows']);
    }
    feed(it, gtidList([0, 1, 1]));
    expect(it.inTransaction).toBe(false);
  });
  it('and in which an event is torn, goes on likewise, in a transaction and outside', () => {
    const inside = upToHalf();
    expect(inside.tornEvent()).toBe(true);
    expect(kinds(feed(inside, rotate('b.000008', 4), start(), gtidList([0, 1, 1]), ...whole(2)))).toContain('abandon');
    const between = feed(assembler('mariadb'), rotate('b.000007', 4), description(), ...whole(1));
    expect([between.tornEvent(), between.inTransaction]).toEqual([true, true]);
    expect(kinds(feed(between, rotate('b.000008', 4), start(), gtidList([0, 1, 1]), ...whole(2)))).toBe(
      'begin rows commit begin rows commit',
    );
  });
  it('goes on behind a file in which the server was killed at once again', () => {
    const it = feed(upToHalf(), rotate('b.000008', 4), start(), rotate('b.000009', 4), start(), gtidList([0, 1, 1]), ...whole(2));
    expect(positions(it).at(-1)).toMatch(/file=b\.000009;.*gtid=0-1-2/);
  });
  it.each([
    ['the server had not started', [rotate('b.000008', 4), description(0, FIRST_END), gtidList([0, 1, 1])]],
    ['the description was only sent again', [rotate('b.000008', 4), description(STARTED, 0), gtidList([0, 1, 1])]],
    ['the server started in the middle of the file', [start(), gtidList([0, 1, 1])]],
    ['the file ended in order', [event(EVENT.ROTATE, Buffer.concat([u(8, 4), Buffer.from('b.000008')]), { end: 9999 }), start()]],
    ['the next file knows of the transaction', [rotate('b.000008', 4), start(), gtidList([0, 1, 2])]],
    ['the next file knows of another server', [rotate('b.000008', 4), start(), gtidList([0, 2, 1])]],
    ['the next file knows of another domain', [rotate('b.000008', 4), start(), gtidList([0, 1, 1], [7, 1, 1])]],
    ['the next file says nothing of it', [rotate('b.000008', 4), start(), mariadbGtid(0, 2)]],
    [
      'the next file was turned in order',
      [rotate('b.000008', 4), start(), rotate('b.000009', 4), description(0, FIRST_END), gtidList([0, 1, 1])],
    ],
    ['the transaction just goes on', [rotate('b.000008', 4), insert()]],
  ])('is damaged when %s', (_what, events) => {
    expect(codeOf(() => feed(upToHalf(), ...events))).toBe('log-corrupt');
  });
  it('is damaged when what lies behind a torn event is missing', () => {
    const it = feed(assembler('mariadb'), rotate('b.000007', 4), description(), ...whole(1));
    it.tornEvent();
    expect(codeOf(() => feed(it, rotate('b.000008', 4), start(), gtidList([0, 1, 5])))).toBe('log-corrupt');
  });
  it('stops the stream where a rollback cannot put everything back', () => {
    const next = [rotate('b.000008', 4), start(), gtidList([0, 1, 1])];
    expect(codeOf(() => feed(upToHalf(0), ...next))).toBe('incident');
    const behindStatement = feed(
      new TransactionAssembler({
        family: 'mariadb',
        server: 's',
        source: 'paris',
        selection: { databases: ['shop'], include: [], exclude: [] },
        from: { server: 's', file: 'b.000007', offset: 4, parts: 1, gtid: '0-1-1', known: '' },
        rows: true,
      }),
      ...[rotate('b.000007', 4), description(), mariadbGtid(0, 2), tableMap(), insert()],
    );
    expect(codeOf(() => feed(behindStatement, ...next))).toBe('incident');
  });
  it('of MySQL is damaged: MySQL trims the file itself', () => {
    const gtid = event(
      EVENT.GTID,
      Buffer.concat([u(1, 1), Buffer.alloc(16, 7), u(8, 1)].concat([u(1, 2), Buffer.alloc(16), Buffer.alloc(7)])),
    );
    const it = feed(assembler('mysql'), rotate('b.000007', 4), description(), gtid, tableMap(), insert());
    expect(it.tornEvent()).toBe(false);
    expect(codeOf(() => feed(it, rotate('b.000008', 4), start()))).toBe('log-corrupt');
  });
});

describe('after a move to another server', () => {
  it('reads over what the stream has of each domain, once in that order and never again', () => {
    const it = feed(
      assembler('mariadb', { gtid: '0-1-5,1-2-7', known: '0-1-5,1-2-7' }),
      rotate('b.000003', 4),
      description(),
      ...[mariadbGtid(0, 5), xid(), mariadbGtid(0, 6), xid(), mariadbGtid(1, 7, 2), xid(), mariadbGtid(1, 8, 2), xid()],
    );
    expect(positions(it).map((text) => text.replace(/.*;gtid=/, ''))).toEqual(['0-1-6,1-2-7;known=1-2-7', '0-1-6,1-2-8']);
  });
  it('stops when a log without such a move repeats a transaction', () => {
    expect(codeOf(() => feed(assembler('mariadb', { gtid: '0-1-5' }), rotate('b.000003', 4), description(), mariadbGtid(0, 5)))).toBe(
      'position-purged',
    );
    expect(codeOf(() => feed(assembler('mariadb', { gtid: '0-1-5' }), rotate('b.000003', 4), description(), mariadbGtid(0, 3, 2)))).toBe(
      'nothing thrown',
    );
  });
});

describe('what is not understood stops the stream', () => {
  const inTransaction = () => feed(assembler('mariadb'), rotate('b.000007', 4), description(), mariadbGtid(0, 1), tableMap());
  it.each([
    ['an INCIDENT', event(EVENT.INCIDENT, Buffer.from([1, 0, 0])), 'incident'],
    ['PARTIAL_UPDATE_ROWS', event(EVENT.PARTIAL_UPDATE_ROWS, Buffer.alloc(20)), 'log-event-unsupported'],
    ['MariaDB event 172', event(EVENT.PARTIAL_ROW_DATA, Buffer.alloc(20)), 'log-event-unsupported'],
    ['LOAD DATA as a statement', event(EVENT.BEGIN_LOAD_QUERY, Buffer.alloc(20)), 'log-event-unsupported'],
    ['an unknown event', event(99, Buffer.alloc(20)), 'log-event-unsupported'],
    ['an unknown event that says it may be ignored', event(99, Buffer.alloc(20), { flags: 0x80 }), 'nothing thrown'],
    ['rows with an unknown flag', insert(0x21), 'log-event-unsupported'],
    [
      'rows that end in the middle',
      event(EVENT.WRITE_ROWS_V1, Buffer.concat([u(6, 9), u(2, 1), Buffer.from([3, 7]), image(1, 'a', 'b').subarray(0, -1)])),
      'log-corrupt',
    ],
    [
      'rows without all columns',
      event(EVENT.WRITE_ROWS_V1, Buffer.concat([u(6, 9), u(2, 1), Buffer.from([3, 5]), image(1, 'a', 'b')])),
      'source-preflight',
    ],
    [
      'rows of a table nobody announced',
      event(EVENT.WRITE_ROWS_V1, Buffer.concat([u(6, 8), u(2, 1), Buffer.from([3, 7]), image(1, 'a', 'b')])),
      'log-corrupt',
    ],
    [
      'an unknown status variable',
      event(
        EVENT.QUERY,
        Buffer.concat([u(8, 0), u(1, 0), u(2, 0), u(2, 1), Buffer.from([77, 0]), Buffer.from('ALTER TABLE shop.t ADD x INT')]),
      ),
      'log-event-unsupported',
    ],
    [
      'a COMPRESSED column',
      event(
        EVENT.TABLE_MAP,
        Buffer.concat([u(6, 10), u(2, 1), Buffer.from('\x04shop\0\x01c\0', 'latin1'), Buffer.from([1, 140, 1, 2, 0])]),
      ),
      'log-event-unsupported',
    ],
    [
      'a table map without names',
      event(EVENT.TABLE_MAP, Buffer.concat([u(6, 10), u(2, 1), Buffer.from('\x04shop\0\x01c\0', 'latin1'), Buffer.from([1, 3, 0, 0])])),
      'source-preflight',
    ],
  ])('%s', (_what, bytes, code) => {
    expect(codeOf(() => feed(inTransaction(), bytes))).toBe(code);
  });
  it('rows and commits outside a transaction', () => {
    const outside = () => feed(assembler('mariadb'), rotate('b.000007', 4), description());
    for (const bytes of [insert(), xid()]) expect(codeOf(() => feed(outside(), bytes))).toBe('log-corrupt');
  });
});

describe.each([0xff_ffff, 0xffff_ffff_ffff])('table id %i, by which servers end a statement without rows', (id) => {
  const read = (...events: Buffer[]) =>
    feed(assembler('mariadb'), rotate('b.000007', 4), description(), mariadbGtid(0, 1), ...events, xid()).batch.items;
  const dummy = (type: number, ...behind: number[]) => event(type, Buffer.concat([u(6, id), u(2, 1), Buffer.from(behind)]));

  it('is as any other once a table has it', () => {
    expect(read(tableMap(id), insert(1, id)).map((it) => it.kind)).toEqual(['begin', 'rows', 'commit']);
  });
  it('stops the stream with rows of a table nobody announced', () => {
    expect(codeOf(() => read(insert(1, id)))).toBe('log-corrupt');
    expect(codeOf(() => read(tableMap(9), insert(1, id)))).toBe('log-corrupt');
  });
  it.each([
    ['nothing behind its flags', dummy(EVENT.WRITE_ROWS_V1)],
    ['one column', dummy(EVENT.WRITE_ROWS_V1, 1, 1)],
    ['one column, in version 2', dummy(EVENT.WRITE_ROWS, 2, 0, 1, 1)],
    ['one column, twice in an update', dummy(EVENT.UPDATE_ROWS_V1, 1, 1, 1)],
  ])('is passed over without table and rows: %s', (_what, bytes) => {
    expect(read(tableMap(), insert(), bytes).map((it) => it.kind)).toEqual(['begin', 'rows', 'commit']);
  });
  it('stops the stream when its end isn’t where it says', () => {
    expect(codeOf(() => read(dummy(EVENT.WRITE_ROWS_V1, 1)))).toBe('log-corrupt');
  });
});

describe('what rows say of themselves', () => {
  const rowsOf = (flags: number) =>
    feed(
      assembler('mariadb'),
      rotate('b.000007', 4),
      description(),
      mariadbGtid(0, 1),
      tableMap(),
      insert(flags),
      xid(),
    ).batch.items.flatMap((it) => (it.kind === 'rows' ? [it] : []));
  it.each([
    [1, true, true],
    [1 | 2, false, true],
    [1 | 4, true, false],
    // MySQL 9.6 and later: cascades ran in the SQL layer and are in the log themselves.
    [1 | 0x10, false, true],
  ])('with flags %i: foreign keys %s, unique checks %s', (flags, foreignKeyChecks, uniqueChecks) => {
    expect(rowsOf(flags)).toMatchObject([{ operation: 'insert', foreignKeyChecks, uniqueChecks }]);
  });
  it('keys and equal columns are read from images without decoding them', () => {
    const [item] = rowsOf(1);
    if (item === undefined) throw new Error('no rows');
    const reader = mysqlRowFormat.open(item.table);
    expect(reader.columns).toEqual(['id', 'v', 'w']);
    expect(reader.keyed).toBe(true);
    const { bytes } = item.rows;
    const [first, second] = [offsetAt(item.rows, 0), offsetAt(item.rows, 1)];
    expect(reader.keyOf(bytes, first)).toBe('\x01\0\0\0');
    expect(reader.keyOf(bytes, second)).toBe('\x02\0\0\0');
    const other = new Uint8Array(Buffer.concat([image(1, 'a', 'x'), image(1, null, 'b'), image(1, '', 'b')]));
    const nullAt = image(1, 'a', 'x').length;
    const emptyAt = nullAt + image(1, null, 'b').length;
    expect(reader.equalIn(['id', 'v'], bytes, first, other, 0)).toBe(true);
    expect(reader.equalIn(['w'], bytes, first, other, 0)).toBe(false);
    expect(reader.equalIn(['v'], other, nullAt, other, emptyAt)).toBe(false);
    expect(reader.equalIn(['v'], other, nullAt, bytes, second)).toBe(true);
    expect(reader.equalIn(['gone'], bytes, first, bytes, first)).toBe(false);
  });
});
