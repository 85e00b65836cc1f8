/** Reads the log from where the stream stands to its end now, and lays sealed wagons into the spool. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { CutFrom, CutInput, CutResult, WagonRef } from '../contracts.js';
import { faultPoint } from '../fault-points.js';
import type { SourceSite, SourceStream } from '../site.js';
import type { Sequence, StreamName } from '../vocabulary.js';
import { cutBodies } from '../wagon/cut.js';
import type { CutPiece, CutWithdrawal } from '../wagon/cut-piece.js';
import { giveBack } from '../wagon/give-back.js';
import { FollowedLog } from './follow-log.js';
import { type Heartbeat, withHeartbeat } from './heartbeat.js';
import { SingleFlight } from './single-flight.js';
import { chainAfter, type SpoolChain, type SpooledWagon } from './spool-chain.js';
import { readHeaderOf } from './spooled-header.js';
import { removeNote, writeNote } from './wagon-notes.js';

const UNCONFIRMED_TOLD = 64;
/** The references of a train travel in one payload, of which the Temporal server takes 2 MB: some 2,500 wagons, 50 million changes of usual size. */
const TRAIN_REFERENCES_BYTES = 1_000_000;
/** How many ordinary wagons one holds when the stream is behind. */
const BEHIND = 2;

export function createCutWagons(site: SourceSite): (input: CutInput) => Promise<CutResult> {
  const flights = new SingleFlight('cutting the log of');
  return async (input) =>
    await withHeartbeat(
      async (heartbeat) => await flights.run(input.stream, heartbeat, async (signal) => await cut(site, input, { ...heartbeat, signal })),
    );
}

async function cut(site: SourceSite, input: CutInput, heartbeat: Heartbeat): Promise<CutResult> {
  const stream = site.stream(input.stream);
  const chain = await spoolAfter(site, input);
  if (chain.offered.length === 0) await requireUnconfirmed(site, input, (input.after.sequence + 1) as Sequence);
  if (chain.lost !== null) await requireUnconfirmed(site, input, chain.lost);
  if (input.dryRun !== true)
    for (const torn of chain.torn) {
      await site.spool.release(torn);
      await removeNote(site.stateDirectory, torn);
    }
  const work = new Cutting(site, stream, input, chain, heartbeat);
  if (input.spoolOnly !== true && chain.offered.length < input.maxWagons) {
    try {
      await work.readLog();
    } catch (error) {
      // What lies whole in the spool goes on its way all the same: the next cut meets the trouble with nothing before it.
      const ended = heartbeat.signal.aborted || input.dryRun === true;
      if (ended || !(error instanceof SrdfError) || !work.keepWhole()) throw error;
    }
  }
  return work.result(input.spoolOnly === true);
}

/**
 * A wagon whose receipt was verified is never cut a second time: its sequence is taken, by other bytes than the new ones would be.
 * Asked after the spool was listed, since a receipt is saved before its wagon goes.
 */
async function requireUnconfirmed(site: SourceSite, { stream, after }: CutInput, sequence: Sequence): Promise<void> {
  if ((await site.spool.readReceipt({ stream, kind: 'changes', epoch: after.epoch, sequence }, 'applied')) === null) return;
  throw new SrdfError('spool-inconsistent', {
    tried: `going on after wagon ${after.sequence} of epoch ${after.epoch} of ${stream}`,
    found: `wagon ${sequence} is confirmed already: the ledger this cycle began with is of the past`,
    action:
      'If another cycle ran beside this one, the next one goes on by itself. If not, the database of the target was put back to an ' +
      'earlier state: establish the stream again (srdf establish)',
  });
}

/** A spool that contradicts the ledger is read once more without what is damaged in it. */
async function spoolAfter(site: SourceSite, { stream, after }: CutInput): Promise<SpoolChain> {
  const wagons = await spooled(site, stream);
  try {
    return chainAfter(after, wagons);
  } catch (error) {
    let damaged = false;
    for (const { ref } of wagons) damaged = (await site.spool.removeIfDamaged(ref)) || damaged;
    if (!damaged) throw error;
    return chainAfter(after, await spooled(site, stream));
  }
}

/** What the spool holds. A wagon that is confirmed and let go between being listed and being read was there in vain. */
async function spooled({ spool }: SourceSite, stream: StreamName): Promise<readonly SpooledWagon[]> {
  const refs = await spool.list(stream, 'chain');
  const wagons = await Promise.all(
    refs.map(async (ref) => {
      try {
        const { previousHash, positionFrom } = await readHeaderOf(spool, ref);
        return [{ ref, previousHash, positionFrom }];
      } catch (error) {
        if ((await spool.wagonState(ref)) === 'confirmed') return [];
        throw error;
      }
    }),
  );
  return wagons.flat();
}

type Counted = Omit<CutPiece, 'body'>;

class Cutting {
  private readonly wagons: WagonRef[];
  /** Where the next sealed wagon hangs on. */
  private at: CutFrom;
  /** What was cut this time, without the bodies. */
  private readonly fresh: Counted[] = [];
  private caughtUp = false;
  private trainReferencesBytes = 0;
  private readonly milliseconds = { read: 0, compact: 0, seal: 0 };

  constructor(
    private readonly site: SourceSite,
    private readonly stream: SourceStream,
    private readonly input: CutInput,
    private readonly chain: SpoolChain,
    private readonly heartbeat: Heartbeat,
  ) {
    this.wagons = [...chain.offered];
    this.at = after(this.wagons.at(-1)) ?? input.after;
  }

  /** A cut never stops inside a transaction: a train lies in the spool whole before any of it is offered. */
  async readLog(): Promise<void> {
    const { engine, selection, config } = this.stream;
    const { signal } = this.heartbeat;
    await faultPoint('log-opening');
    const started = performance.now();
    const times = this.input.behind === true ? BEHIND : 1;
    const schemaInFlight =
      this.input.schemaInFlight === true || [...this.chain.passed, ...this.chain.offered].some((wagon) => wagon.kind === 'ddl');
    const { follow } = this.input;
    // What lies in the spool already mustn't wait for more.
    const followed =
      follow === undefined || this.chain.offered.length > 0
        ? null
        : new FollowedLog((stop) => engine.readLog(this.at.position, { selection, follow: true, signal: stop }), follow, signal);
    const pieces = cutBodies(followed?.batches() ?? engine.readLog(this.at.position, { selection, signal }), {
      from: this.at.position,
      rowFormat: engine.rowFormat,
      reached: engine.reached,
      logFileOf: engine.logFileOf,
      boundaries: this.input.boundaries,
      maxChanges: config.wagon.changes * times,
      maxBytes: config.wagon.bytes * times,
      foreignKeys: async () => (schemaInFlight ? 'unknown' : await this.site.sender.foreignKeys(this.input.stream, signal)),
    });
    // One wagon is sealed while the next is read: their order is kept, since each names the hash of the one before.
    let sealing: Promise<void> = Promise.resolve();
    let enough = false;
    try {
      for await (const piece of pieces) {
        await sealing;
        signal.throwIfAborted();
        if ('withdraw' in piece) {
          await this.withdraw(piece);
          continue;
        }
        this.count(piece);
        await faultPoint('wagon-cut');
        sealing = this.input.dryRun === true ? Promise.resolve() : this.seal(piece);
        sealing.catch(() => undefined); // awaited below or in the next round
        enough = piece.train.last && this.chain.offered.length + this.fresh.length >= this.input.maxWagons;
        if (enough && this.input.dryRun !== true) break;
        enough = false;
      }
    } finally {
      await sealing;
    }
    this.caughtUp = !enough && (followed?.reachedEnd ?? true);
    this.milliseconds.read = Math.max(0, performance.now() - started - this.milliseconds.compact);
  }

  private count({ body: _body, ...counted }: CutPiece): void {
    this.fresh.push(counted);
    this.milliseconds.compact += counted.compactMilliseconds;
    this.heartbeat.report({ wagons: this.fresh.length, changes: this.sum('captured'), log: this.sum('logBytes') });
  }
  private sum(of: 'transactions' | 'captured' | 'carried' | 'logBytes' | 'rawBytes'): number {
    return this.fresh.reduce((sum, it) => sum + it[of], 0);
  }

  /** After a failure: only what can be offered counts. Whether that is anything. */
  keepWhole(): boolean {
    const whole = this.wagons.findLastIndex((wagon) => wagon.train.last) + 1;
    this.wagons.splice(whole);
    this.fresh.splice(Math.max(0, whole - this.chain.offered.length));
    return whole > 0;
  }

  /** Wagons of a transaction that the source has rolled back. None was offered yet, so their sequences are free again. */
  private async withdraw({ withdraw }: CutWithdrawal): Promise<void> {
    if (withdraw > this.fresh.length)
      throw new SrdfError('spool-inconsistent', {
        tried: `taking back ${withdraw} wagons of ${this.input.stream}`,
        found: `only ${this.fresh.length} were cut this time`,
        action: 'This is an error of the program: please report it with this message',
      });
    this.fresh.splice(-withdraw);
    if (this.input.dryRun === true) return;
    // The last first: a kill in between leaves a train without its end, which the next cut takes away.
    for (const wagon of this.wagons.splice(-withdraw).reverse()) {
      await this.site.spool.release(wagon);
      await removeNote(this.site.stateDirectory, wagon);
    }
    this.at = after(this.wagons.at(-1)) ?? this.input.after;
  }

  private async seal(piece: CutPiece): Promise<void> {
    const { site, at } = this;
    const started = performance.now();
    const sequence = (at.sequence + 1) as Sequence;
    const address = { stream: this.input.stream, kind: piece.body.kind, epoch: at.epoch, sequence };
    const { positionFrom, positionTo, train } = piece;
    if (positionFrom !== at.position)
      throw new SrdfError('spool-inconsistent', {
        tried: `sealing wagon ${sequence} of ${address.stream}`,
        found: `it begins at ${positionFrom}, the one before it ends at ${at.position}`,
        action: 'This is an error of the program: please report it with this message',
      });
    const sealed = await site.sealer.seal(
      {
        ...address,
        previousHash: at.wagonHash,
        sourceSite: site.site,
        targetSite: site.target,
        createdAt: Date.now(),
        positionFrom,
        positionTo,
        train,
      },
      piece.body,
    );
    // What was netted lives on in what was sealed; source order refers to the log's own buffers, which the next piece may still need.
    if (piece.body.kind === 'changes')
      for (const { deletes, updates, inserts } of piece.body.net) for (const { bytes } of [deletes, updates, inserts]) giveBack(bytes);
    // A call that was given up while it sealed mustn't write any more: its successor may have begun.
    this.heartbeat.signal.throwIfAborted();
    const { transactions, captured, carried, logBytes, rawBytes, committed } = piece;
    const wireBytes = sealed.bytes.length;
    await writeNote(site.stateDirectory, address, { transactions, captured, carried, logBytes, rawBytes, wireBytes, committed });
    await faultPoint('spool-writing');
    const put = await site.spool.put(address, sealed.bytes);
    await faultPoint('spool-named');
    if (put.hash !== sealed.hash)
      throw new SrdfError('spool-inconsistent', {
        tried: `storing wagon ${sequence} of epoch ${at.epoch} of ${address.stream}`,
        found: 'another wagon has taken its place since this cut began',
        action: 'Nothing is lost: the next cycle offers the one that is there. See that one source worker alone runs for this site',
      });
    giveBack(sealed.bytes);
    const wagon: WagonRef = { ...address, hash: sealed.hash, bytes: put.bytes, positionTo, train };
    this.requireTellable(wagon);
    this.milliseconds.seal += performance.now() - started;
    this.at = after(wagon) ?? at;
    this.wagons.push(wagon);
  }

  private requireTellable(wagon: WagonRef): void {
    const before = wagon.train.index === 0 ? 0 : this.trainReferencesBytes;
    this.trainReferencesBytes = before + JSON.stringify(wagon).length;
    if (this.trainReferencesBytes <= TRAIN_REFERENCES_BYTES) return;
    throw new SrdfError('wagon-too-large', {
      tried: `cutting one transaction of ${this.input.stream} that ends behind ${wagon.train.index} wagons`,
      found: 'more wagons than can be handed on together, and a transaction is only ever applied whole',
      action:
        'Nothing was sent of it. Raise wagon.changes and wagon.bytes of this stream in the srdf.yaml of the source, so that it takes fewer, and ' +
        'start its worker again',
    });
  }

  /** A train goes whole, whatever was asked for: offered in parts, its rest could be lost or cut anew behind those that have left. */
  result(spoolOnly: boolean): CutResult {
    const asked = this.wagons.slice(0, this.input.maxWagons);
    const rest =
      asked.at(-1)?.train.last === false ? this.wagons.findIndex(({ train }, index) => index >= asked.length && train.last) + 1 : 0;
    const wagons = rest > 0 ? this.wagons.slice(0, rest) : asked;
    const whole = wagons.length === this.wagons.length;
    const { read, compact, seal } = this.milliseconds;
    const committed = this.fresh.flatMap((it) => (it.committed === null ? [] : [it.committed]));
    const [first, last] = [committed[0]?.first, committed.at(-1)?.last];
    return {
      wagons,
      unconfirmed: this.chain.passed.slice(0, UNCONFIRMED_TOLD),
      fresh: this.input.dryRun === true ? 0 : this.fresh.length,
      caughtUp: whole && (this.caughtUp || spoolOnly),
      next: after(wagons.at(-1)) ?? this.input.after,
      transactions: this.sum('transactions'),
      changes: { captured: this.sum('captured'), carried: this.sum('carried') },
      bytes: {
        log: this.sum('logBytes'),
        raw: this.sum('rawBytes'),
        wire: this.wagons.slice(this.chain.offered.length).reduce((sum, wagon) => sum + wagon.bytes, 0),
      },
      committed: first === undefined || last === undefined ? null : { first, last },
      milliseconds: { read: Math.round(read), compact: Math.round(compact), seal: Math.round(seal) },
    };
  }
}

const after = (wagon: WagonRef | undefined): CutFrom | null =>
  wagon === undefined ? null : { epoch: wagon.epoch, sequence: wagon.sequence, wagonHash: wagon.hash, position: wagon.positionTo };
