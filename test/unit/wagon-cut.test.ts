import { describe, expect, it } from 'vitest';
import type { RowImages } from '../../activities/engines/changes.js';
import type { DdlStatement, ForeignKeyFact, LogBatch, LogItem } from '../../activities/engines/engine.js';
import { sessionUntold } from '../../activities/engines/mysql/binlog/query-event.js';
import { type CutOptions, cutBodies } from '../../activities/wagon/cut.js';
import type { CutPiece } from '../../activities/wagon/cut-piece.js';
import { factsOf, modelFormat, type Row, rowImages, type Schema, shapesOf } from './compaction-model.js';
import { codeOf, position } from './wagon-fixture.js';

const SCHEMA: Schema = [
  { keyed: true, uniqueSecond: false, reference: null },
  { keyed: true, uniqueSecond: false, reference: { parent: 0, parentColumn: 0, onDelete: 'cascade', onUpdate: 'restrict' } },
  { keyed: false, uniqueSecond: false, reference: null },
];
const [PARENT, CHILD, KEYLESS] = shapesOf(SCHEMA);

const begin: LogItem = { kind: 'begin' };
const insert = (table = PARENT, ...rows: Row[]): LogItem => {
  if (table === undefined) throw new RangeError('no table');
  return { kind: 'rows', table, operation: 'insert', rows: rowImages(...rows), foreignKeyChecks: true, uniqueChecks: true };
};
const row = (key: number, data = 0): Row => [key, 0, 0, data];
const commit = (at: string, over: { logBytes?: number; committedAt?: number } = {}): LogItem => ({
  kind: 'commit',
  position: position(at),
  committedAt: over.committedAt ?? 1000 + Number(at),
  transaction: at,
  logBytes: over.logBytes ?? 100,
});
const statement: DdlStatement = {
  sql: new Uint8Array(Buffer.from('CREATE TABLE t')),
  defaultDatabase: 'model',
  session: sessionUntold(5),
  classification: { verb: 'create', object: 'table', names: [{ database: 'model', table: 't' }] },
};
const ddl = (resumeAfter: string): LogItem => ({ kind: 'ddl', statement, resumeAfter: position(resumeAfter) });

async function cut(items: readonly LogItem[], over: Partial<CutOptions> = {}): Promise<CutPiece[]> {
  const pieces: CutPiece[] = [];
  const log = async function* (): AsyncGenerator<LogBatch> {
    yield { items };
  };
  const options: CutOptions = {
    from: position('00'),
    rowFormat: modelFormat,
    reached: (at, mark) => at >= mark,
    logFileOf: () => 'log',
    boundaries: [],
    maxChanges: 1000,
    maxBytes: 2 ** 20,
    foreignKeys: async () => factsOf(SCHEMA),
    ...over,
  };
  for await (const piece of cutBodies(log(), options)) {
    if ('withdraw' in piece) pieces.splice(-piece.withdraw);
    else pieces.push(piece);
  }
  return pieces;
}
/** `from-to` of each piece, `*` for a statement, `#n` for a car of a train with more behind it, and the changes in it. */
const outline = (pieces: readonly CutPiece[]) =>
  pieces.map(({ positionFrom, positionTo, body, train, captured }) => {
    const car = train.last && train.index === 0 ? '' : `#${train.index}${train.last ? ' last' : ''}`;
    return `${positionFrom}-${positionTo}${body.kind === 'ddl' ? '*' : ''}${car} (${captured})`;
  });
const transaction = (at: string, ...rows: Row[]) => [begin, ...rows.map((it) => insert(PARENT, it)), commit(at)];
const boundaries = (...marks: string[]) => ({ boundaries: marks.map(position) });

describe('transactions', () => {
  it('are gathered whole until a threshold is reached, and what is left comes at the end of the log', async () => {
    const log = [...transaction('01', row(1)), ...transaction('02', row(2), row(3)), ...transaction('03', row(4))];
    expect(outline(await cut(log))).toEqual(['00-03 (4)']);
    expect(outline(await cut(log, { maxChanges: 3 }))).toEqual(['00-02 (3)', '02-03 (1)']);
    expect(outline(await cut(log, { maxChanges: 2 }))).toEqual(['00-01 (1)', '01-02 (2)', '02-03 (1)']);
    expect(outline(await cut(log, { maxBytes: 8 }))).toEqual(['00-01 (1)', '01-02 (2)', '02-03 (1)']);
  });

  it('are counted with their times, captured and carried', async () => {
    const [piece] = await cut([
      begin,
      commit('01', { logBytes: 7, committedAt: 1 }),
      ...transaction('02', row(1), row(2)),
      begin,
      {
        kind: 'rows',
        table: PARENT ?? raise(),
        operation: 'update',
        rows: rowImages(row(1), row(1, 9)),
        foreignKeyChecks: true,
        uniqueChecks: true,
      },
      commit('03'),
      begin,
      commit('04', { committedAt: 9999 }),
    ]);
    expect(piece).toMatchObject({ transactions: 2, captured: 3, carried: 2, logBytes: 307, committed: { first: 1002, last: 1003 } });
    expect(piece?.body).toMatchObject({ counts: { transactions: 2, captured: 3, carried: 2, logBytes: 307 } });
    expect(piece?.positionTo).toBe('04');
  });

  it('that the log breaks off in are left for the next cut', async () => {
    expect(outline(await cut([...transaction('01', row(1)), begin, insert(PARENT, row(2))]))).toEqual(['00-01 (1)']);
  });
});

function raise(): never {
  throw new RangeError('no table');
}

describe('a transaction larger than a wagon', () => {
  const large = [begin, ...[1, 2, 3, 4, 5].map((it) => insert(PARENT, row(it))), commit('02')];

  it('becomes a train whose position moves only with its last car', async () => {
    const log = [...transaction('01', row(9)), ...large, ...transaction('03', row(8))];
    const pieces = await cut(log, { maxChanges: 2 });
    expect(outline(pieces)).toEqual(['00-01 (1)', '01-01#0 (2)', '01-01#1 (2)', '01-02#2 last (1)', '02-03 (1)']);
    expect(pieces.map((piece) => piece.transactions)).toEqual([1, 0, 0, 1, 1]);
    expect(pieces.map((piece) => piece.committed?.last ?? null)).toEqual([1001, null, null, 1002, 1003]);
  });

  it('is cut inside one large rows event too', async () => {
    const rows = Array.from({ length: 10 }, (_, index) => row(index + 1));
    expect(outline(await cut([begin, insert(PARENT, ...rows), commit('01')], { maxChanges: 4 }))).toEqual([
      '00-00#0 (4)',
      '00-00#1 (4)',
      '00-01#2 last (2)',
    ]);
  });

  it('never holds more than two cars in memory', async () => {
    let produced = 0;
    const log = async function* (): AsyncGenerator<LogBatch> {
      yield { items: [begin] };
      for (let key = 0; key < 10_000; key++) {
        produced++;
        yield { items: [insert(PARENT, row(key % 256))] };
      }
      yield { items: [commit('01')] };
    };
    let cars = 0;
    let received = 0;
    const options = {
      from: position('00'),
      rowFormat: modelFormat,
      reached: (a: string, b: string) => a >= b,
      logFileOf: () => 'log',
      boundaries: [],
      maxChanges: 100,
      maxBytes: 2 ** 30,
    };
    for await (const piece of cutBodies(log(), { ...options, foreignKeys: async () => [] })) {
      if ('withdraw' in piece) continue;
      cars++;
      received += piece.captured;
      expect(produced - received).toBeLessThanOrEqual(2 * 100 + 1);
    }
    expect([cars, received]).toEqual([100, 10_000]);
  });

  it('that the log breaks off in, after cars were given out, is an error instead of a train without end', async () => {
    expect(await codeOf(() => cut(large.slice(0, -1), { maxChanges: 1 }))).toBe('log-corrupt');
    expect(await codeOf(() => cut([begin, insert(PARENT, row(1)), begin]))).toBe('log-corrupt');
  });
});

describe('a transaction that the source rolled back when it was killed', () => {
  const abandon: LogItem = { kind: 'abandon' };
  const half = [begin, insert(PARENT, row(1)), insert(PARENT, row(2)), insert(PARENT, row(3))];

  it('leaves nothing, and the next piece begins where it did', async () => {
    expect(outline(await cut([...half, abandon, ...transaction('02', row(1))]))).toEqual(['00-02 (1)']);
    expect(outline(await cut([...transaction('01', row(9)), ...half, abandon]))).toEqual(['00-01 (1)']);
  });
  it('takes back the cars that were given out, and nothing before them', async () => {
    const log = [...transaction('01', row(9)), ...half, abandon, ...transaction('02', row(1))];
    expect(outline(await cut(log, { maxChanges: 1 }))).toEqual(['00-01 (1)', '01-02 (1)']);
    const kinds: string[] = [];
    const batches = async function* (): AsyncGenerator<LogBatch> {
      yield { items: log };
    };
    const options = {
      from: position('00'),
      rowFormat: modelFormat,
      reached: (a: string, b: string) => a >= b,
      logFileOf: () => 'log',
      boundaries: [],
      maxChanges: 1,
      maxBytes: 2 ** 30,
    };
    for await (const piece of cutBodies(batches(), { ...options, foreignKeys: async () => [] }))
      kinds.push('withdraw' in piece ? `withdraw ${piece.withdraw}` : piece.positionTo);
    // Three cars were cut, of which the last was held back.
    expect(kinds).toEqual(['01', '01', 'withdraw 1', '02']);
  });
  it('takes back its statement too, and the log before it is counted all the same', async () => {
    const quiet = [begin, commit('01', { logBytes: 2 ** 20 })];
    for (const rest of [[], [insert(PARENT, row(1))], [ddl('01+2')]]) {
      expect(
        outline(await cut([...transaction('01', row(9)), begin, ddl('01+1'), ...rest, abandon, ...transaction('02', row(1))])),
      ).toEqual(['00-01 (1)', '01-02 (1)']);
      const [piece] = await cut([...quiet, begin, ddl('01+1'), ...rest, abandon]);
      expect(piece).toMatchObject({ positionFrom: '00', positionTo: '01', logBytes: 2 ** 20 });
    }
  });
});

describe('a schema statement', () => {
  it('is alone in its wagon, in its place', async () => {
    const log = [...transaction('01', row(1)), begin, ddl('02+1'), commit('02'), ...transaction('03', row(2))];
    const pieces = await cut(log);
    expect(outline(pieces)).toEqual(['00-01 (1)', '01-02* (0)', '02-03 (1)']);
    expect(pieces[1]?.body).toEqual({ kind: 'ddl', statement, committed: { first: 1002, last: 1002 }, logBytes: 100 });
  });

  it('with rows behind it in its transaction gives them a wagon of their own, from the place between', async () => {
    expect(outline(await cut([begin, ddl('00+1'), insert(PARENT, row(1)), insert(PARENT, row(2)), commit('01')]))).toEqual([
      '00-00+1* (0)',
      '00+1-01 (2)',
    ]);
    expect(outline(await cut([begin, ddl('00+1'), ddl('00+2'), commit('01')]))).toEqual(['00-00+1* (0)', '00+1-01* (0)']);
    // Where the log breaks off behind a statement, the next cut goes on from there.
    expect(outline(await cut([begin, ddl('00+1'), insert(PARENT, row(1))]))).toEqual(['00-00+1* (0)']);
  });

  it('leaves everything behind it in source order, since what was known of foreign keys may be stale', async () => {
    const twice: LogItem = {
      kind: 'rows',
      table: PARENT ?? raise(),
      operation: 'update',
      rows: rowImages(row(1), row(1, 2)),
      foreignKeyChecks: true,
      uniqueChecks: true,
    };
    const log = [
      begin,
      insert(PARENT, row(1)),
      twice,
      commit('01'),
      begin,
      ddl('01+1'),
      commit('02'),
      begin,
      insert(PARENT, row(2)),
      commit('03'),
    ];
    const [before, , after] = await cut(log);
    expect(before?.body).toMatchObject({ ordered: [], net: [{ table: 0 }] });
    expect(after?.body).toMatchObject({ net: [], ordered: [{ operation: 'insert' }] });
  });

  it('behind rows of its own transaction is refused', async () => {
    expect(await codeOf(() => cut([begin, insert(PARENT, row(1)), ddl('x'), commit('01')]))).toBe('log-event-unsupported');
  });
});

describe('boundaries', () => {
  it('are what the target was copied before: until the last is reached, a row that came and went is deleted all the same', async () => {
    const comesAndGoes = (at: string, key: number): LogItem[] => {
      const came = insert(CHILD, row(key));
      return [begin, came, { ...came, operation: 'delete' } as LogItem, commit(at)];
    };
    const log = [...comesAndGoes('01', 1), ...comesAndGoes('02', 2), ...comesAndGoes('03', 3)];
    const deleted = (await cut(log, boundaries('01', '02'))).map(({ body }) =>
      body.kind === 'changes' ? body.net.reduce((sum, it) => sum + it.deletes.images, 0) : -1,
    );
    expect(deleted).toEqual([1, 1, 0]);
  });
  const log = ['01', '02', '03', '04'].flatMap((at, index) => transaction(at, row(index + 1)));

  it('end a wagon where a transaction ends on one', async () => {
    expect(outline(await cut(log, boundaries('02')))).toEqual(['00-02 (2)', '02-04 (2)']);
    expect(outline(await cut(log, boundaries('00', '04', '09')))).toEqual(['00-04 (4)']);
  });
  it('part the transactions before from those after, where none ends on one', async () => {
    for (const { positionFrom, positionTo, captured } of await cut(log, boundaries('02x', '03'))) {
      // Every transaction inside ended at or before the mark, or every one after it.
      for (const mark of ['02x', '03']) if (positionTo >= mark && positionFrom < mark && positionTo !== mark) expect(captured).toBe(1);
    }
    expect(outline(await cut(log, boundaries('02x')))).toEqual(['00-02 (2)', '02-03 (1)', '03-04 (1)']);
  });
  it('are passed visibly even when nothing in scope happened there', async () => {
    expect(outline(await cut([begin, commit('01'), begin, commit('02')], boundaries('01')))).toEqual(['00-01 (0)']);
    expect(outline(await cut([begin, commit('01'), begin, commit('02')], boundaries('01x')))).toEqual(['00-02 (0)']);
    expect(await cut([begin, commit('01')])).toEqual([]);
  });
});

describe('log out of scope', () => {
  const quiet = (at: string, logBytes: number) => [begin, commit(at, { logBytes })];

  it('moves the position in an empty wagon once there is much of it', async () => {
    expect(await cut(quiet('01', 2 ** 20 - 1))).toEqual([]);
    const [piece, more] = await cut([...quiet('01', 2 ** 19), ...quiet('02', 2 ** 19)]);
    expect(more).toBeUndefined();
    expect(piece).toMatchObject({
      positionFrom: '00',
      positionTo: '02',
      transactions: 0,
      captured: 0,
      committed: null,
      train: { index: 0, last: true },
    });
    expect(piece?.body).toMatchObject({ tables: [], ordered: [], net: [], counts: { transactions: 0, logBytes: 2 ** 20 } });
  });
  it('moves it on the way through very much of it', async () => {
    expect(outline(await cut([...quiet('01', 2 ** 26), ...quiet('02', 2 ** 26), ...quiet('03', 1)]))).toEqual(['00-01 (0)', '01-02 (0)']);
  });
  it('moves it when a new log file began', async () => {
    const logFileOf = (at: string) => at.slice(0, 1);
    expect(outline(await cut([...quiet('01', 10), ...quiet('10', 10)], { logFileOf }))).toEqual(['00-10 (0)']);
    expect(await cut([...quiet('01', 10)], { logFileOf })).toEqual([]);
  });
  it('never asks for foreign keys', async () => {
    const asked = async (items: readonly LogItem[]) => {
      let times = 0;
      await cut(items, {
        maxChanges: 1,
        foreignKeys: async () => {
          times++;
          return [];
        },
      });
      return times;
    };
    expect(await asked(quiet('01', 2 ** 21))).toBe(0);
    expect(await asked(['01', '02', '03'].flatMap((at) => transaction(at, row(1))))).toBe(1);
  });
});

describe('compaction', () => {
  const change = (operation: 'update' | 'delete', table = PARENT, ...rows: Row[]): LogItem => ({
    kind: 'rows',
    table: table ?? raise(),
    operation,
    rows: rowImages(...rows),
    foreignKeyChecks: true,
    uniqueChecks: true,
  });
  const bodyOf = async (items: readonly LogItem[], facts: readonly ForeignKeyFact[] | 'unknown' = factsOf(SCHEMA)) => {
    const [piece] = await cut([begin, ...items, commit('01')], { foreignKeys: async () => facts });
    if (piece?.body.kind !== 'changes') throw new Error('no changes');
    return piece.body;
  };
  const counts = ({
    ordered,
    net,
  }: {
    ordered: readonly unknown[];
    net: readonly { deletes: RowImages; updates: RowImages; inserts: RowImages }[];
  }) => ({
    ordered: ordered.length,
    net: net.map(({ deletes, updates, inserts }) => [deletes.images, updates.images / 2, inserts.images].join(' ')),
  });

  it('leaves one change a key: insert then update, update twice, insert then delete, delete then insert', async () => {
    const body = await bodyOf([
      insert(PARENT, row(1)),
      change('update', PARENT, row(1), row(1, 5)),
      change('update', PARENT, row(2), row(2, 5), row(2, 5), row(2, 6)),
      insert(PARENT, row(3)),
      change('delete', CHILD, row(9)),
      change('update', PARENT, row(4), row(4, 1), row(4, 1), row(4)),
      insert(CHILD, row(9, 1)),
    ]);
    expect(counts(body)).toEqual({ ordered: 0, net: ['0 1 2', '0 1 0'] });
    expect(body.counts).toMatchObject({ captured: 9, carried: 4 });
  });
  it('keeps source order for a whole family of tables once a parent of a cascading key is deleted', async () => {
    const body = await bodyOf([change('update', CHILD, row(1), row(1, 2)), change('delete', PARENT, row(1)), insert(CHILD, row(2))]);
    expect(counts(body)).toEqual({ ordered: 3, net: [] });
  });
  it('keeps it for a table without key, beside tables that are netted', async () => {
    const body = await bodyOf([insert(KEYLESS, row(1)), insert(PARENT, row(1)), insert(KEYLESS, row(1))]);
    expect(counts(body)).toEqual({ ordered: 1, net: ['0 0 1'] });
    expect(body.tables.map(({ table }) => table)).toEqual(['t2', 't0']);
  });
  it('keeps it where images do not follow from each other', async () => {
    const body = await bodyOf([change('update', PARENT, row(1), row(1, 2)), change('update', PARENT, row(1, 3), row(1, 4))]);
    expect(counts(body)).toEqual({ ordered: 1, net: [] });
  });
  it('keeps it for everything while the foreign keys cannot be known', async () => {
    expect(counts(await bodyOf([insert(PARENT, row(1)), insert(CHILD, row(1))], 'unknown'))).toEqual({ ordered: 2, net: [] });
  });
});
