/** Applies what the inbox holds, train by train: verified, opened, written with the ledger in one transaction, receipted. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import { toErrorReport } from '../../temporal/failures.js';
import { isPoison } from '../../temporal/poison.js';
import type { ApplyInput, ApplyOutcome, WagonRef } from '../contracts.js';
import type { ApplyResult, Ledger, TargetEngine, WagonPlace } from '../engines/engine.js';
import { faultPoint } from '../fault-points.js';
import type { TargetSite } from '../site.js';
import type { Sequence, StreamName, WagonHash } from '../vocabulary.js';
import type { ChangesBody } from '../wagon/body.js';
import type { WagonExpectation, WagonHeader } from '../wagon/contract.js';
import { giveReceipt, settle, settleApplied } from './applied-receipts.js';
import { requireSelection } from './established-selection.js';
import { type Heartbeat, withHeartbeat } from './heartbeat.js';
import { trainsAfter } from './inbox-chain.js';
import { viewOf } from './read-ledger.js';
import { requireInScope } from './require-in-scope.js';
import { SingleFlight } from './single-flight.js';
import { damagedWagon } from './spooled-header.js';
import { writeDeadLetter } from './target-facts.js';

/**
 * Takes the inbox's whole trains up to the last wagon named, from the ledger on; a train whose rest hasn't arrived waits.
 * In front of a wagon that can't be applied it stops and returns what it has done; called with such a wagon first, it writes
 * a `refused` receipt and the dead letter, and throws.
 */
export function createApplyWagons(site: TargetSite): (input: ApplyInput) => Promise<ApplyOutcome> {
  const flights = new SingleFlight('applying wagons of');
  return async (input) =>
    await withHeartbeat(
      async (heartbeat) =>
        await flights.run(input.stream, heartbeat, async (signal) => new Applying(site, input, { ...heartbeat, signal }).run()),
    );
}

const NONE_DISCARDED: ReadonlyMap<WagonHash, number> = new Map();

class Applying {
  private readonly engine: TargetEngine;
  private readonly applied: Sequence[] = [];
  private readonly alreadyApplied: Sequence[] = [];
  private readonly rows = { inserted: 0, updated: 0, deleted: 0 };
  private changes = 0;
  private readonly milliseconds = { open: 0, apply: 0 };

  constructor(
    private readonly site: TargetSite,
    private readonly input: ApplyInput,
    private readonly heartbeat: Heartbeat,
  ) {
    this.engine = site.stream(input.stream).engine;
  }

  async run(): Promise<ApplyOutcome> {
    const { site, input } = this;
    const { stream } = input;
    let ledger = await this.ledger(stream);
    // Asked by the ledger's reading too; but the worker may have got another config since this cycle began.
    await requireSelection(site, stream);
    const inbox = await site.inbox.list(stream, 'chain');
    if (input.dryRun !== true) await this.settleKnown(ledger, inbox);
    const wanted = input.wagons.filter((wagon) => wagon.epoch === ledger.epoch && wagon.sequence > ledger.sequence);
    this.requirePresent(wanted, inbox);
    const upTo = Math.max(0, ...wanted.map((wagon) => wagon.sequence));
    for (const train of trainsAfter(ledger, inbox)) {
      if ((train[0]?.sequence ?? Number.POSITIVE_INFINITY) > upTo) break;
      this.heartbeat.signal.throwIfAborted();
      try {
        ledger = await this.applyTrain(ledger, train);
      } catch (error) {
        if (error instanceof SrdfError && isPoison(error.code)) await this.requireUndamaged(train);
        if (this.applied.length > 0 && error instanceof SrdfError && isPoison(error.code)) break;
        await this.refuse(ledger, train, error);
        throw error;
      }
    }
    const { open, apply } = this.milliseconds;
    return {
      applied: this.applied,
      alreadyApplied: this.alreadyApplied,
      changes: this.changes,
      rows: this.rows,
      ledger: viewOf(ledger),
      milliseconds: { open: Math.round(open), apply: Math.round(apply) },
    };
  }

  private async ledger(stream: StreamName): Promise<Ledger> {
    const ledger = await this.engine.readLedger(stream);
    if (ledger !== null) return ledger;
    throw new SrdfError('ledger-missing', {
      tried: `applying wagons of ${stream}`,
      found: 'the target database has no ledger of this stream',
      action: `Establish the stream: srdf establish ${stream}`,
    });
  }

  /** Receipts of what is applied already. With its inbox lost, the target still vouches for the wagon its ledger names. */
  private async settleKnown(ledger: Ledger, inbox: readonly WagonRef[]): Promise<void> {
    await settleApplied(this.site, ledger, inbox);
    for (const wagon of this.input.wagons) {
      if (wagon.epoch !== ledger.epoch || wagon.sequence > ledger.sequence) continue;
      if (wagon.sequence === ledger.sequence && ledger.position !== null) {
        if (wagon.hash !== ledger.wagonHash)
          throw new SrdfError('wagon-fork', {
            tried: `giving the receipt of wagon ${wagon.sequence} of epoch ${wagon.epoch} of ${wagon.stream}`,
            found: `the source has ${wagon.hash.slice(0, 16)}…, the ledger has applied ${ledger.wagonHash.slice(0, 16)}…`,
            action: 'Two versions of the stream exist. Suspend it, compare the sides (srdf verify) and see who else seals for this source',
          });
        await settle(this.site, wagon, ledger.position, await this.engine.discardedWagons(wagon.stream));
      }
      this.alreadyApplied.push(wagon.sequence);
    }
  }

  private requirePresent(wanted: readonly WagonRef[], inbox: readonly WagonRef[]): void {
    for (const wagon of wanted) {
      const here = inbox.find((it) => it.epoch === wagon.epoch && it.sequence === wagon.sequence);
      if (here?.hash === wagon.hash) continue;
      const tried = `applying wagon ${wagon.sequence} of epoch ${wagon.epoch} of ${wagon.stream}`;
      if (here === undefined)
        throw new SrdfError('wagon-missing', {
          tried,
          found: 'the inbox does not hold it',
          action: 'The next cycle sends it again; if it keeps missing, look at the disk of the target',
        });
      throw new SrdfError('wagon-fork', {
        tried,
        found: `the inbox has ${here.hash.slice(0, 16)}…, the source announces ${wagon.hash.slice(0, 16)}…`,
        action: 'Two versions of the stream exist. Suspend it, compare the sides (srdf verify) and see who else seals for this source',
      });
    }
  }

  /** A wagon that can't be opened because this disk has damaged it says nothing about the source: it is sent again. */
  private async requireUndamaged(train: readonly WagonRef[]): Promise<void> {
    for (const wagon of train) if (await this.site.inbox.removeIfDamaged(wagon)) throw damagedWagon(wagon);
  }

  private async applyTrain(ledger: Ledger, train: readonly WagonRef[]): Promise<Ledger> {
    const started = performance.now();
    const openedBefore = this.milliseconds.open;
    const result = await this.write(ledger, train);
    this.milliseconds.apply += performance.now() - started - (this.milliseconds.open - openedBefore);
    if (result === null) return ledger;
    if (result.outcome === 'already-applied')
      // Somebody else has moved the ledger meanwhile: a receipt only for what its hash vouches for.
      await settleApplied(this.site, result.ledger, await this.site.inbox.list(this.input.stream, 'chain'));
    for (const wagon of train) {
      if (result.outcome === 'applied' && result.ledger.position !== null)
        await settle(this.site, wagon, result.ledger.position, NONE_DISCARDED);
      (result.outcome === 'applied' ? this.applied : this.alreadyApplied).push(wagon.sequence);
    }
    this.rows.inserted += result.rows.inserted;
    this.rows.updated += result.rows.updated;
    this.rows.deleted += result.rows.deleted;
    this.changes += result.rows.inserted + result.rows.updated + result.rows.deleted;
    this.heartbeat.report({ applied: result.ledger.sequence, changes: this.changes });
    return result.ledger;
  }

  /** null: a dry run, which opens everything and writes nothing. */
  private async write(ledger: Ledger, train: readonly WagonRef[]): Promise<ApplyResult | null> {
    const expectation: WagonExpectation = {
      stream: this.input.stream,
      sourceSite: this.site.source,
      targetSite: this.site.site,
      epoch: ledger.epoch,
    };
    const [first] = train;
    await faultPoint('wagon-opening');
    if (first?.kind === 'ddl') {
      const { header, hash, body } = await this.open(first, expectation);
      if (body.kind !== 'ddl') throw this.otherKind(first, body.kind);
      return this.input.dryRun === true ? null : await this.engine.applyDdl(placeOf(header, hash), body);
    }
    // Every wagon of a train is verified before the first is opened: a forged last one mustn't cost an hour of applying.
    const places: WagonPlace[] = [];
    for (const wagon of train) {
      const { header, hash } = await this.site.opener.verify(await this.site.inbox.read(wagon), expectation);
      places.push(placeOf(header, hash));
    }
    const bodies = this.bodies(train, expectation);
    if (this.input.dryRun !== true) return await this.engine.applyTrain(places, bodies);
    for await (const _ of bodies);
    return null;
  }

  /** The next wagon is opened while the one before is applied: two bodies in memory, whatever the train's length. */
  private async *bodies(train: readonly WagonRef[], expectation: WagonExpectation): AsyncGenerator<ChangesBody, void, void> {
    const begin = (wagon: WagonRef) => {
      const opening = this.open(wagon, expectation);
      opening.catch(() => undefined); // awaited when its turn comes
      return opening;
    };
    let [wagon, ...rest] = train;
    let opening = wagon === undefined ? null : begin(wagon);
    while (wagon !== undefined && opening !== null) {
      const { body } = await opening;
      if (body.kind !== 'changes') throw this.otherKind(wagon, body.kind);
      this.heartbeat.signal.throwIfAborted();
      const current = wagon;
      [wagon, ...rest] = rest;
      opening = wagon === undefined ? null : begin(wagon);
      this.heartbeat.report({ applying: current.sequence });
      yield body;
    }
  }

  private async open(wagon: WagonRef, expectation: WagonExpectation) {
    const started = performance.now();
    try {
      const opened = await this.site.opener.open(await this.site.inbox.read(wagon), expectation);
      requireInScope(this.site.stream(wagon.stream), wagon, opened.body);
      return opened;
    } finally {
      this.milliseconds.open += performance.now() - started;
    }
  }

  private otherKind(wagon: WagonRef, kind: string): SrdfError {
    return new SrdfError('wagon-malformed', {
      tried: `opening wagon ${wagon.sequence} of epoch ${wagon.epoch} of ${wagon.stream}`,
      found: `its header says ${wagon.kind}, its body is ${kind}`,
      action: 'The wagon is refused. Report it, with the versions of both sites',
    });
  }

  /** The operator's case: the facts on this disk for `status`, a signed refusal for the source. */
  private async refuse(ledger: Ledger, train: readonly WagonRef[], error: unknown): Promise<void> {
    const [wagon] = train;
    const report = toErrorReport(error);
    if (this.input.dryRun === true || wagon === undefined || !isPoison(report.code)) return;
    for (const refused of train)
      await giveReceipt(this.site, refused, { status: 'refused', position: ledger.position, reason: report.code });
    const { epoch, sequence, hash } = wagon;
    await writeDeadLetter(this.site, ledger, { epoch, sequence, hash, error: report, since: Date.now() });
  }
}

export const placeOf = (header: WagonHeader, hash: WagonPlace['hash']): WagonPlace => ({
  stream: header.stream,
  epoch: header.epoch,
  sequence: header.sequence,
  previousHash: header.previousHash,
  hash,
  positionFrom: header.positionFrom,
  positionTo: header.positionTo,
  train: header.train,
});
