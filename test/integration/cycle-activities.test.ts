/** The cycle's activities with real keys, spool, inbox and HTTPS between them; log and ledger are written by hand, so that crashes come exactly where they hurt. */
import { cp, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CutFrom, CutResult } from '../../activities/contracts.js';
import type { StreamName } from '../../activities/vocabulary.js';
import { SrdfError } from '../../temporal/error-catalogue.js';
import { BODIES } from '../unit/wagon-fixture.js';
import { logPosition, ScriptedSource, ScriptedTarget } from './scripted-engines.js';
import { exchangedKeys, openPair, type ScriptedPair } from './scripted-pair.js';

const stream = 'shop' as StreamName;

let directory: string;
let source: ScriptedSource;
let target: ScriptedTarget;
let pair: ScriptedPair;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'srdf-cycle-'));
  await exchangedKeys(directory);
  source = new ScriptedSource();
  target = new ScriptedTarget();
  pair = await openPair(directory, source, target);
});
afterEach(async () => {
  await pair?.close();
  await rm(directory, { recursive: true, force: true });
});

/** Both processes killed and started again on the same disks. */
async function restart(): Promise<void> {
  await pair.close();
  pair = await openPair(directory, source, target);
}
const start = async (): Promise<CutFrom> => {
  const { ledger } = await pair.readLedger({ stream });
  if (ledger.position === null) throw new Error('no position');
  return { epoch: ledger.epoch, sequence: ledger.sequence, wagonHash: ledger.wagonHash, position: ledger.position };
};
const cut = async (maxWagons = 100, after?: CutFrom): Promise<CutResult> =>
  await pair.cutWagons({ stream, after: after ?? (await start()), maxWagons, boundaries: [] });
const sequences = (wagons: CutResult['wagons']) => wagons.map((wagon) => wagon.sequence);
/** One cycle, as the workflow runs it. */
async function cycle(): Promise<CutResult> {
  const { inbox } = await pair.readLedger({ stream });
  if (inbox.length > 0) await pair.applyWagons({ stream, wagons: inbox });
  const result = await cut();
  if (result.unconfirmed.length > 0) {
    await pair.applyWagons({ stream, wagons: result.unconfirmed });
    await pair.confirmWagons({ stream, wagons: result.unconfirmed });
  }
  if (result.wagons.length === 0) return result;
  await pair.shipWagons({ stream, wagons: result.wagons });
  await pair.applyWagons({ stream, wagons: result.wagons });
  await pair.confirmWagons({ stream, wagons: result.wagons });
  return result;
}
const everythingOnce = () => source.transactions.flatMap((rows, at) => Array.from({ length: rows }, () => at));

describe('the way of a wagon', () => {
  it('ends confirmed: applied once, receipt verified, spool and inbox empty', async () => {
    source.transactions.push(1, 2, 3, 1);
    const result = await cycle();
    expect(result.caughtUp).toBe(true);
    expect(target.rows).toEqual(everythingOnce());
    const [first] = result.wagons;
    expect(first && (await pair.spool.wagonState(first))).toBe('confirmed');
    expect(await pair.spool.list(stream, 'chain')).toEqual([]);
    expect(await pair.inbox.list(stream, 'chain')).toEqual([]);
    expect((await cycle()).wagons).toEqual([]);
  });

  it('can be told of while the source database is away, with what to do about that', async () => {
    source.transactions.push(1);
    await cut();
    source.currentPosition = async () => {
      throw new SrdfError('source-unreachable', { tried: 'connecting', found: 'nobody there', action: 'Start it' });
    };
    expect(await pair.readSpool({ stream, ledger: null })).toMatchObject({
      wagons: 1,
      logEnd: null,
      away: { code: 'source-unreachable', tried: 'connecting', found: 'nobody there', action: 'Start it' },
    });
    source.currentPosition = async () => await new Promise(() => undefined);
    expect(await pair.readSpool({ stream, ledger: null })).toMatchObject({ wagons: 1, away: { found: 'no answer in 5 s' } });
  });

  it('counts what has reached each of the four states', async () => {
    const counts = async (): Promise<number[]> => {
      const { epoch, sequence } = (await pair.readLedger({ stream })).ledger;
      const { states } = await pair.readSpool({ stream, ledger: { epoch, sequence } });
      return [states.captured, states.received, states.applied, states.confirmed].map((it) => it.changes);
    };
    source.transactions.push(1, 2);
    expect(await counts()).toEqual([0, 0, 0, 0]);
    const { wagons } = await cut();
    expect(await counts()).toEqual([3, 0, 0, 0]);
    await pair.shipWagons({ stream, wagons });
    expect(await counts()).toEqual([3, 3, 0, 0]);
    await pair.applyWagons({ stream, wagons });
    expect(await counts()).toEqual([3, 3, 3, 0]);
    await pair.confirmWagons({ stream, wagons });
    expect(await counts()).toEqual([3, 3, 3, 3]);
  });

  it('counts a schema change that waits in the spool among them', async () => {
    const body = BODIES.find((it) => it.kind === 'ddl');
    if (body?.kind !== 'ddl') throw new Error('no statement');
    source.transactions.push(1);
    source.readLog = async function* () {
      yield {
        items: [
          { kind: 'begin' },
          { kind: 'ddl', statement: body.statement, resumeAfter: logPosition(1) },
          { kind: 'commit', position: logPosition(1), committedAt: 1_700_000_000_000, transaction: '1', logBytes: 100 },
        ],
      };
    };
    const { wagons } = await cut();
    expect(wagons.map((wagon) => wagon.kind)).toEqual(['ddl']);
    const told = async () => await pair.readSpool({ stream, ledger: null });
    expect(await told()).toMatchObject({ wagons: 1, states: { captured: { wagons: 1 }, received: { wagons: 0 } } });
    await pair.shipWagons({ stream, wagons });
    expect(await told()).toMatchObject({ wagons: 1, states: { captured: { wagons: 1 }, received: { wagons: 1 } } });
  });

  it('tells what it carried and how late it was, when it is confirmed', async () => {
    source.transactions.push(1, 1);
    const { wagons } = await cut();
    await pair.shipWagons({ stream, wagons });
    await pair.applyWagons({ stream, wagons });
    const result = await pair.confirmWagons({ stream, wagons });
    expect(result.contents).toEqual({ transactions: 2, captured: 2, carried: 2, logBytes: 200 });
    expect(result.lagMilliseconds[0]).toBeGreaterThan(0);
    expect((await pair.confirmWagons({ stream, wagons })).confirmed).toEqual([]);
  });

  it('is the same bytes when a cut is asked for again', async () => {
    source.transactions.push(4, 4);
    const first = await cut();
    const again = await cut();
    expect(again.wagons).toEqual(first.wagons);
    expect([first.fresh, again.fresh]).toEqual([2, 0]);
  });

  it('goes its way when the log can’t be read any further; the next cut says why', async () => {
    source.transactions.push(4, 4, 11);
    const broken = new SrdfError('source-unreachable', { tried: 'reading', found: 'the server is gone', action: 'Wait' });
    source.before = (transaction) => {
      if (transaction === 3) throw broken;
    };
    const { wagons, caughtUp, fresh } = await cut();
    expect([sequences(wagons), caughtUp, fresh]).toEqual([[1, 2], false, 2]);
    source.before = () => {
      throw broken;
    };
    expect(sequences((await cut()).wagons)).toEqual([1, 2]);
    await pair.shipWagons({ stream, wagons });
    await pair.applyWagons({ stream, wagons });
    await expect(cut()).rejects.toBe(broken);
    source.before = () => undefined;
    await cycle();
    expect(target.rows).toEqual(everythingOnce());
  });

  it('goes on from what a first cut returned', async () => {
    source.transactions.push(4, 4, 4, 4);
    const first = await cut(1);
    expect([sequences(first.wagons), first.caughtUp]).toEqual([[1], false]);
    const second = await cut(100, first.next);
    expect([sequences(second.wagons), second.caughtUp]).toEqual([[2, 3, 4], true]);
  });

  it('writes nothing in a dry run', async () => {
    source.transactions.push(4, 4);
    const after = await start();
    const result = await pair.cutWagons({ stream, after, maxWagons: 10, boundaries: [], dryRun: true });
    expect(result).toMatchObject({ wagons: [], transactions: 2, changes: { captured: 8 } });
    expect(await pair.spool.list(stream, 'chain')).toEqual([]);
    await pair.shipWagons({ stream, wagons: (await cut()).wagons });
    const { inbox } = await pair.readLedger({ stream });
    expect(await pair.applyWagons({ stream, wagons: inbox, dryRun: true })).toMatchObject({ applied: [], changes: 0 });
    expect(target.rows).toEqual([]);
    expect(await pair.inbox.list(stream, 'chain')).toHaveLength(2);
  });
});

describe('a transaction larger than a wagon', () => {
  it('travels as a train, offered whole whatever was asked for, and is applied in one piece', async () => {
    source.transactions.push(1, 11, 1);
    const { wagons, next } = await cut(2);
    expect(wagons.map((wagon) => wagon.train.last)).toEqual([true, false, false, true]);
    const begun = wagons.slice(0, 2);
    await pair.shipWagons({ stream, wagons: begun });
    expect((await pair.applyWagons({ stream, wagons: begun })).applied).toEqual([1]);
    expect(target.rows).toEqual([0]);
    await pair.shipWagons({ stream, wagons });
    await pair.applyWagons({ stream, wagons });
    await pair.confirmWagons({ stream, wagons });
    expect(sequences((await cut(100, next)).wagons)).toEqual([5]);
    await cycle();
    expect(target.rows).toEqual(everythingOnce());
  });

  it.each([
    ['is lost', [1, 2, 3, 4, 5]],
    ['has lost a car', [3]],
    ['has lost its end', [4, 5]],
  ])('arrives once when half of it has left and the spool %s', async (_, lost) => {
    source.transactions.push(1, 11, 1);
    const { wagons } = await cut();
    await pair.shipWagons({ stream, wagons: wagons.slice(0, 3) });
    await pair.applyWagons({ stream, wagons: wagons.slice(0, 1) });
    for (const wagon of wagons) if (lost.includes(wagon.sequence)) await pair.spool.release(wagon);
    await restart();
    await cycle();
    expect(target.rows).toEqual(everythingOnce());
    expect(await pair.spool.list(stream, 'chain')).toEqual([]);
    expect(await pair.inbox.list(stream, 'chain')).toEqual([]);
  });

  it('of more wagons than can be handed on together is refused whole, and what came before it goes its way', async () => {
    source.positionBytes = 30_000;
    source.transactions.push(1, 140, 1);
    expect(sequences((await cycle()).wagons)).toEqual([1]);
    await expect(cycle()).rejects.toMatchObject({ code: 'wagon-too-large' });
    expect(target.rows).toEqual([0]);
  });

  it('whose cut was killed in the middle is cut again; no half of it was ever offered', async () => {
    source.transactions.push(1, 11, 1);
    const after = await start();
    // What a kill -9 leaves: the train's first wagons, not its last.
    const whole = await cut();
    for (const wagon of whole.wagons.slice(2)) await pair.spool.release(wagon);
    await restart();
    const again = await cut(100, after);
    expect(again.wagons[0]).toEqual(whole.wagons[0]);
    expect(again.wagons[1]?.hash).not.toBe(whole.wagons[1]?.hash);
    await cycle();
    expect(target.rows).toEqual(everythingOnce());
  });
});

describe('a transaction that the source rolled back when it was killed', () => {
  it('leaves nothing behind, and its wagons numbers to the next', async () => {
    source.transactions.push(1, -11, 2, 11, -3);
    const result = await cut();
    expect(sequences(result.wagons)).toEqual([1, 2, 3, 4, 5]);
    expect(result).toMatchObject({ fresh: 5, transactions: 3, changes: { captured: 14 }, bytes: { log: 300 } });
    expect(await pair.spool.list(stream, 'chain')).toEqual(result.wagons);
    expect(await readdir(join(directory, 'paris', 'notes', stream))).toHaveLength(5);
    await restart();
    await cycle();
    expect(target.rows).toEqual(everythingOnce());
    expect(await pair.spool.list(stream, 'chain')).toEqual([]);
  });
  it('counts for nothing in a dry run', async () => {
    source.transactions.push(1, -11, 2);
    expect(await pair.cutWagons({ stream, after: await start(), maxWagons: 10, boundaries: [], dryRun: true })).toMatchObject({
      transactions: 2,
      changes: { captured: 3 },
    });
  });
});

describe('after a crash', () => {
  it('between commit and receipt, the receipt is given again', async () => {
    source.transactions.push(4, 4, 4);
    target.afterCommit = ({ 0: place }) => {
      if (place?.sequence === 2) throw new SrdfError('apply-interrupted', { tried: 'applying', found: 'power cut', action: 'Wait' });
    };
    await expect(cycle()).rejects.toMatchObject({ code: 'apply-interrupted' });
    await restart();
    await cycle();
    expect(target.rows).toEqual(everythingOnce());
    expect(await pair.spool.list(stream, 'chain')).toEqual([]);
    expect(await pair.inbox.list(stream, 'chain')).toEqual([]);
  });

  it('between apply and confirm, the next cycle confirms', async () => {
    source.transactions.push(4, 4);
    const { wagons } = await cut();
    await pair.shipWagons({ stream, wagons });
    await pair.applyWagons({ stream, wagons });
    await restart();
    expect(sequences((await cycle()).unconfirmed)).toEqual([1, 2]);
    expect(await pair.spool.list(stream, 'chain')).toEqual([]);
  });

  it('a cut goes on while wagons that it has listed are confirmed and let go', async () => {
    source.transactions.push(4, 4);
    const { wagons } = await cut();
    await pair.shipWagons({ stream, wagons });
    await pair.applyWagons({ stream, wagons });
    source.transactions.push(4);
    const after = await start();
    const { open } = pair.spool;
    pair.spool.open = async (address, offset) => {
      pair.spool.open = open.bind(pair.spool);
      await pair.confirmWagons({ stream, wagons });
      return await pair.spool.open(address, offset);
    };
    const next = await cut(10, after);
    expect(sequences(next.wagons)).toEqual([3]);
    // The headers are read side by side: the second one may have been read before it went.
    expect(sequences(next.unconfirmed)).not.toContain(1);
  });

  it('that lost the spool, the source cuts the same sequence again from the ledger', async () => {
    source.transactions.push(4, 4);
    await cycle();
    source.transactions.push(4);
    await cut();
    await pair.close();
    await rm(join(directory, 'paris'), { recursive: true });
    pair = await openPair(directory, source, target);
    expect(sequences((await cycle()).wagons)).toEqual([3]);
    expect(target.rows).toEqual(everythingOnce());
  });

  it('that lost the spool after shipping, what the inbox holds goes first', async () => {
    source.transactions.push(4, 4);
    await pair.shipWagons({ stream, wagons: (await cut()).wagons });
    source.transactions.push(4);
    await pair.close();
    await rm(join(directory, 'paris'), { recursive: true });
    pair = await openPair(directory, source, target);
    expect(sequences((await cycle()).wagons)).toEqual([3]);
    expect(target.rows).toEqual(everythingOnce());
  });

  it('that lost the inbox, the wagons are sent again, and the last one vouches for lost receipts', async () => {
    source.transactions.push(4, 4, 4);
    const { wagons } = await cut();
    await pair.shipWagons({ stream, wagons });
    await pair.applyWagons({ stream, wagons: wagons.slice(0, 2) });
    await pair.close();
    await rm(join(directory, 'frankfurt'), { recursive: true });
    pair = await openPair(directory, source, target);
    await cycle();
    expect(target.rows).toEqual(everythingOnce());
    expect(await pair.spool.list(stream, 'chain')).toEqual([]);
  });

  it('that had its spool put back from a backup, without receipts for what lay in it: nothing is released, and what is printed helps', async () => {
    const [paris, backup] = [join(directory, 'paris', 'spool'), join(directory, 'backup')];
    source.transactions.push(4);
    const { wagons } = await cut();
    await cp(paris, backup, { recursive: true });
    await pair.shipWagons({ stream, wagons });
    await pair.applyWagons({ stream, wagons });
    await pair.confirmWagons({ stream, wagons });
    source.transactions.push(4);
    await cycle();
    await pair.close();
    await rm(paris, { recursive: true });
    await cp(backup, paris, { recursive: true });
    // Ten thousand wagons later.
    const receipts = join(directory, 'frankfurt', 'inbox', stream, 'chain', '1');
    for (const name of await readdir(receipts)) if (name.startsWith('0000000000000001.')) await rm(join(receipts, name));
    pair = await openPair(directory, source, target);
    source.transactions.push(4);
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(cycle()).rejects.toMatchObject({
        code: 'wagon-missing',
        facts: { action: expect.stringContaining('move the folder `spool` in its state folder away') },
      });
    expect(await pair.spool.list(stream, 'chain')).toMatchObject([{ sequence: 1 }, { sequence: 3 }]);
    await pair.close();
    await rename(paris, `${paris}.old`);
    pair = await openPair(directory, source, target);
    await cycle();
    expect(target.rows).toEqual(everythingOnce());
    expect(await pair.spool.list(stream, 'chain')).toEqual([]);
  });
  it('of the target database put back to yesterday, nothing is guessed', async () => {
    source.transactions.push(4, 4);
    const yesterday = target.ledger;
    await cycle();
    source.transactions.push(4);
    await cut();
    target.ledger = yesterday;
    await expect(cut()).rejects.toMatchObject({ code: 'spool-inconsistent' });
  });

  it('of the same, with nothing in the spool, no sequence is used twice', async () => {
    source.transactions.push(4, 4);
    const yesterday = target.ledger;
    await cycle();
    target.ledger = yesterday;
    await expect(cut()).rejects.toMatchObject({ code: 'spool-inconsistent' });
    expect(await pair.spool.list(stream, 'chain')).toEqual([]);
  });
});

describe('a wagon that cannot be applied', () => {
  const poison = (sequence: number) => {
    target.beforeCommit = ({ 0: place }) => {
      if (place?.sequence === sequence)
        throw new SrdfError('target-divergence', { tried: 'applying', found: 'a row is not as it was', action: 'Compare' });
    };
  };

  it('stops after the one before it, is refused in writing, and is applied once it can be', async () => {
    source.transactions.push(4, 4, 4);
    poison(3);
    const { wagons } = await cut();
    await pair.shipWagons({ stream, wagons });
    expect((await pair.applyWagons({ stream, wagons })).applied).toEqual([1, 2]);
    expect((await pair.readLedger({ stream })).deadLetter).toBeNull();
    await expect(pair.applyWagons({ stream, wagons })).rejects.toMatchObject({ code: 'target-divergence' });
    await restart();
    const { deadLetter } = await pair.readLedger({ stream });
    expect(deadLetter).toMatchObject({ sequence: 3, error: { code: 'target-divergence', found: 'a row is not as it was' } });
    expect(wagons[2] && (await pair.inbox.wagonState(wagons[2]))).toBe('refused');

    if (deadLetter === null) throw new Error('no dead letter');
    const { sequence, hash } = deadLetter;
    expect(await pair.releaseDeadLetter({ stream, sequence: 2 as never, hash })).toEqual({ released: false });
    // The same number, in a stream that was established anew.
    expect(await pair.releaseDeadLetter({ stream, sequence, hash: 'f'.repeat(64) as typeof hash })).toEqual({ released: false });
    // Asked twice, as when the first answer was lost.
    for (let time = 1; time <= 2; time++) expect(await pair.releaseDeadLetter({ stream, sequence, hash })).toEqual({ released: true });
    expect((await pair.readLedger({ stream })).deadLetter).toBeNull();
    target.beforeCommit = () => undefined;
    await cycle();
    expect(target.rows).toEqual(everythingOnce());
    expect(wagons[2] && (await pair.inbox.wagonState(wagons[2]))).toBe('applied');
  });

  it('is refused before anything of it is applied when it holds what is not the stream’s by the target’s config', async () => {
    source.transactions.push(4);
    target.strange = 'rows of mysql.user';
    await expect(cycle()).rejects.toMatchObject({ code: 'wagon-scope' });
    expect([target.rows, target.ledger?.sequence]).toEqual([[], 0]);
    expect((await pair.readLedger({ stream })).deadLetter).toMatchObject({ sequence: 1, error: { code: 'wagon-scope' } });
  });

  it('is left out by decision: its receipt never says applied, not even after a crash right behind the commit', async () => {
    source.transactions.push(4, 11, 4);
    poison(2);
    const { wagons } = await cut();
    await pair.shipWagons({ stream, wagons });
    await pair.applyWagons({ stream, wagons });
    await expect(pair.applyWagons({ stream, wagons })).rejects.toMatchObject({ code: 'target-divergence' });
    const dead = (await pair.readLedger({ stream })).deadLetter;
    if (dead === null) throw new Error('no dead letter');
    const decision = { stream, epoch: dead.epoch, sequence: dead.sequence, hash: dead.hash, by: 'alice' };
    await expect(pair.discardDeadLetter({ ...decision, hash: 'f'.repeat(64) as typeof dead.hash })).rejects.toMatchObject({
      code: 'wagon-missing',
    });
    target.afterCommit = () => {
      throw new Error('power cut');
    };
    await expect(pair.discardDeadLetter(decision)).rejects.toThrow('power cut');
    target.afterCommit = () => undefined;
    await restart();
    await pair.discardDeadLetter(decision);
    const train = wagons.filter((wagon) => !wagon.train.last || wagon.train.index > 0);
    expect(train).toHaveLength(3);
    for (const wagon of train) expect(await pair.inbox.wagonState(wagon)).toBe('refused');
    // A refused receipt is no confirmation until it says that the wagon was passed; then it lets the spool go, counted apart.
    const passed = wagons.filter((wagon) => wagon.sequence <= 4);
    const { confirmed, discarded } = await pair.confirmWagons({ stream, wagons: passed });
    expect([confirmed, discarded]).toEqual([[1], [2, 3, 4]]);
    expect(await pair.confirmWagons({ stream, wagons: passed })).toMatchObject({ confirmed: [], discarded: [] });
    expect(await pair.readLedger({ stream, withDiscarded: true })).toMatchObject({ discarded: { wagons: 3 } });
    expect(await pair.readLedger({ stream })).not.toHaveProperty('discarded');
    await cycle();
    expect(target.rows).toEqual([0, 0, 0, 0, 2, 2, 2, 2]);
    expect(await pair.spool.list(stream, 'chain')).toEqual([]);
  });

  it('is none when only the target is away', async () => {
    source.transactions.push(4);
    target.beforeCommit = () => {
      throw new SrdfError('target-unreachable', { tried: 'applying', found: 'connection lost', action: 'Wait' });
    };
    await expect(cycle()).rejects.toMatchObject({ code: 'target-unreachable' });
    expect((await pair.readLedger({ stream })).deadLetter).toBeNull();
  });
});

describe('two attempts at once', () => {
  it('of a cut: the newer ends the older, and every row travels once', async () => {
    source.transactions.push(4, 4, 4, 4);
    const after = await start();
    let arrive = (): void => undefined;
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    source.before = async (transaction, signal) => {
      if (transaction !== 3) return;
      source.before = () => undefined;
      arrive();
      await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
    };
    const older = cut(100, after);
    const expectation = expect(older).rejects.toMatchObject({ code: 'worker-silent' });
    await arrived;
    const newer = await cut(100, after);
    await expectation;
    expect(sequences(newer.wagons)).toEqual([1, 2, 3, 4]);
    await cycle();
    expect(target.rows).toEqual(everythingOnce());
  });
});
