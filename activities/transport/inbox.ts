/** The target's inbox: wagons received whole and verified, waiting to be applied, and those still on their way in. */
import { open, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { WagonRef } from '../contracts.js';
import { faultPoint } from '../fault-points.js';
import { NO_WAGON, type Sequence, type WagonHash } from '../vocabulary.js';
import { linkNew, makeFolder, namesIn, removeFile, sizeOf, syncFolder, writeFully } from './atomic-file.js';
import type { Inbox, WagonAddress, WagonState } from './contract.js';
import { FileStore, type StoreOptions } from './file-store.js';
import { type Announcement, Upload } from './upload.js';
import { folderOf, isChained, isStreamName, parseAddress, parseDecimal, placeOf } from './wagon-address.js';
import { encodeTrailer, TRAILER_BYTES } from './wagon-file.js';

/** What the inbox knows of a wagon that is announced. */
export type Arrival =
  | { readonly state: 'expected'; readonly offset: number }
  /** Here already, or applied already, with the same bytes. */
  | { readonly state: 'complete' }
  /** The sequence was taken by other bytes, which nothing may replace: those of a whole train, which can be applied any moment. */
  | { readonly state: 'fork'; readonly present: WagonHash };

interface Partial extends Announcement {
  readonly path: string;
  readonly address: WagonAddress;
  /** When it was last written, ms since 1970. */
  touched: number;
}

/** An upload that nobody goes on with is thrown away after a day; its sender begins anew. */
const UNFINISHED_KEPT_MILLISECONDS = 86_400_000;
/** Unfinished uploads at most: however small each says it is, it takes a file. */
const UNFINISHED_MOST = 1_000;

const PARTIAL = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.([0-9a-f]{64})\.([1-9]\d*)\.part$/;

/** The inbox as the receiver uses it. */
export class ReceivingInbox extends FileStore implements Inbox {
  private readonly partials = new Map<string, Partial>();
  private readonly active = new Map<string, Upload>();

  static async open(options: StoreOptions): Promise<ReceivingInbox> {
    const inbox = new ReceivingInbox(options, 'inbox');
    await inbox.load();
    await inbox.loadPartials();
    await inbox.expireUploads();
    return inbox;
  }

  async wagonState(address: WagonAddress): Promise<WagonState | null> {
    const wagon = await this.find(address);
    if ((await this.receiptOf(address, 'applied')) !== null) return 'applied';
    if ((await this.receiptOf(address, 'refused')) !== null) return 'refused';
    return wagon !== null || (await this.receiptOf(address, 'received')) !== null ? 'received' : null;
  }

  async received(address: WagonAddress): Promise<number> {
    const upload = this.active.get(placeOf(address));
    if (upload !== undefined) return upload.offset;
    const partial = this.partials.get(placeOf(address));
    // A crash between the trailer and the final name leaves a file that is longer than the wagon.
    return partial === undefined ? 0 : Math.min(await sizeOf(partial.path), partial.bytes);
  }

  /** How an announced wagon stands here; asks nothing of the network. */
  async arrival(address: WagonAddress, announced: Announcement): Promise<Arrival> {
    const wagon = await this.lying(address);
    // Applied and released: its hash stays with the receipts.
    const applied = await this.receiptOf(address, 'applied');
    const appliedHash = applied === null || applied.wagonHash === NO_WAGON ? undefined : applied.wagonHash;
    const present = wagon?.hash ?? appliedHash;
    if (present === announced.hash && (wagon !== null || (await this.receiptOf(address, 'received')) !== null))
      return { state: 'complete' };
    if (present !== undefined && present !== announced.hash && (isChained(address.kind) || appliedHash !== undefined)) {
      if (wagon === null || appliedHash !== undefined || (await this.liesInWholeTrain(wagon))) return { state: 'fork', present };
    }
    const partial = this.partials.get(placeOf(address));
    if (partial?.hash !== announced.hash || partial.bytes !== announced.bytes) return { state: 'expected', offset: 0 };
    return { state: 'expected', offset: await this.received(address) };
  }

  /**
   * Takes over the receiving of a wagon: an upload of the same address that is still running is fenced first and can't
   * write any more. Bytes of another announcement are thrown away. Throws `inbox-full` before anything is written.
   */
  async beginUpload(address: WagonAddress, announced: Announcement): Promise<Upload> {
    const place = placeOf(address);
    for (let running = this.active.get(place); running !== undefined; running = this.active.get(place)) await running.fence();
    const upload = this.occupy(place, announced); // before any await: whoever comes now fences this one
    try {
      let partial = this.partials.get(place);
      if (partial !== undefined && (partial.hash !== announced.hash || partial.bytes !== announced.bytes)) {
        await this.discard(address);
        partial = undefined;
      }
      if (partial === undefined) {
        await this.makeRoom(announced.bytes + TRAILER_BYTES);
        this.reserve(announced.bytes + TRAILER_BYTES, address);
        partial = { ...announced, path: this.partialPath(address, announced), address, touched: Date.now() };
        this.partials.set(place, partial);
      }
      // Somebody may have deleted it since the upload began.
      await makeFolder(dirname(partial.path));
      await upload.start(partial.path);
      return upload;
    } catch (error) {
      await upload.close();
      throw error;
    }
  }

  /** Throws unfinished uploads away that nobody has gone on with for a day. `now`: ms since 1970. */
  async expireUploads(now = Date.now()): Promise<void> {
    for (const [place, partial] of this.idlePartials()) {
      if (partial.touched < now - UNFINISHED_KEPT_MILLISECONDS) await this.throwAway(place, partial, 'nobody went on with it for a day');
    }
  }

  /** Unfinished uploads give way to one that is under way, the longest untouched first, if that is enough to let it in. */
  private async makeRoom(bytes: number): Promise<void> {
    const idle = this.idlePartials();
    let reserved = 0;
    for (const [, partial] of idle) reserved += partial.bytes + TRAILER_BYTES;
    if (bytes > this.space.free + reserved) return;
    for (const [place, partial] of idle) {
      if (bytes <= this.space.free && this.partials.size < UNFINISHED_MOST) return;
      await this.throwAway(place, partial, 'its room is needed');
    }
  }

  /** Those that nobody is writing, the longest untouched first. */
  private idlePartials(): readonly (readonly [string, Partial])[] {
    return [...this.partials].filter(([place]) => !this.active.has(place)).sort(([, a], [, b]) => a.touched - b.touched);
  }

  private async throwAway(place: string, partial: Partial, why: string): Promise<void> {
    if (this.active.has(place) || this.partials.get(place) !== partial) return;
    // Held like an upload, so that one that begins meanwhile waits until the file is gone.
    const held = this.occupy(place, partial);
    try {
      await this.discard(partial.address);
      this.log.info({ place, bytes: partial.bytes, why }, 'inbox: threw an unfinished upload away');
    } finally {
      await held.close();
    }
  }

  private occupy(place: string, announced: Announcement): Upload {
    const upload = new Upload(announced, () => {
      const partial = this.partials.get(place);
      if (partial !== undefined) partial.touched = Date.now();
      if (this.active.get(place) === upload) this.active.delete(place);
    });
    this.active.set(place, upload);
    return upload;
  }

  /** The received bytes, whole, in memory: for the verifier. */
  async readUpload(address: WagonAddress): Promise<Uint8Array> {
    const partial = this.partials.get(placeOf(address));
    return partial === undefined ? new Uint8Array() : (await readFile(partial.path)).subarray(0, partial.bytes);
  }

  /** Makes a received and verified wagon visible: trailer, fsync, final name, fsync of the folder. */
  async accept(address: WagonAddress, prefix: Uint8Array): Promise<WagonRef> {
    const partial = this.partials.get(placeOf(address));
    if (partial === undefined) throw new Error('no upload to accept'); // a caller's error: accept follows beginUpload
    const ref = this.referenceFor(address, prefix, partial.hash, partial.bytes);
    const handle = await open(partial.path, 'r+');
    try {
      await writeFully(handle, encodeTrailer({ bytes: partial.bytes, hash: partial.hash, wagonHash: partial.hash }), partial.bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const path = this.pathOf(address);
    await makeFolder(dirname(path));
    await faultPoint('inbox-synced');
    if (isChained(address.kind)) {
      const present = await this.lying(address);
      if (present !== null && present.hash !== ref.hash && !(await this.liesInWholeTrain(present))) await this.giveWay(present);
      if (!(await linkNew(partial.path, path))) {
        // Another process put one there since: `arrival` tells the next attempt whether it is the same.
        await this.discard(address);
        const winner = await this.find(address);
        if (winner?.hash !== ref.hash) throw new Error('another wagon took the place');
        return winner;
      }
      await removeFile(partial.path);
    } else {
      await this.receipts.remove(address); // of the wagon that is replaced
      await rename(partial.path, path);
    }
    await syncFolder(dirname(path));
    this.partials.delete(placeOf(address));
    this.free(partial.bytes + TRAILER_BYTES);
    this.enter(ref);
    return ref;
  }

  /**
   * If not, the source has lost the rest of the train before it could be sent, and the transaction is on its way anew. A train whose cars get
   * their applied receipts and go, the first one first, was whole.
   */
  private async liesInWholeTrain(car: WagonRef): Promise<boolean> {
    const first = (car.sequence - car.train.index) as Sequence;
    const cars = await this.epochFrom(car, first);
    const train = cars.slice(0, cars.findIndex((it) => it.train.last) + 1);
    if (train.length > 0 && train.every((it, index) => it.sequence === first + index && it.train.index === index)) return true;
    return (await this.receiptOf({ ...car, sequence: first }, 'applied')) !== null;
  }

  /** What hangs on the hash of one that goes could never be applied: it goes as well, from the end, so that a crash leaves no gap. */
  private async giveWay(car: WagonRef): Promise<void> {
    const gone = await this.epochFrom(car, car.sequence);
    this.log.warn(
      { from: placeOf(car), wagons: gone.length },
      'inbox: the beginning of a train gives way to the one the source has cut anew',
    );
    for (const wagon of gone.toReversed()) {
      await this.release(wagon);
      await this.receipts.remove(wagon);
    }
  }
  private async epochFrom({ stream, epoch }: WagonRef, sequence: number): Promise<readonly WagonRef[]> {
    return (await this.list(stream, 'chain')).filter((it) => it.epoch === epoch && it.sequence >= sequence);
  }

  /** Throws the bytes of an unfinished upload away. */
  async discard(address: WagonAddress): Promise<void> {
    const partial = this.partials.get(placeOf(address));
    if (partial === undefined) return;
    await removeFile(partial.path);
    this.partials.delete(placeOf(address));
    this.free(partial.bytes + TRAILER_BYTES);
  }

  override async clear(stream: WagonAddress['stream']): Promise<void> {
    for (const [place, upload] of [...this.active]) if (place.startsWith(`${stream}/`)) await upload.fence();
    for (const [place, partial] of [...this.partials]) {
      if (!place.startsWith(`${stream}/`)) continue;
      this.partials.delete(place);
      this.free(partial.bytes + TRAILER_BYTES);
    }
    await super.clear(stream);
  }

  /** Uploads of a former process go on where they stopped; those of wagons that have arrived since are removed. */
  private async loadPartials(): Promise<void> {
    for (const stream of await namesIn(this.directory)) {
      if (!isStreamName(stream)) continue;
      for (const kind of ['changes', 'schema', 'range'] as const) {
        const folder = join(this.directory, stream, 'arriving', folderOf(kind));
        for (const name of await namesIn(folder)) {
          const [, epoch = '', sequence = '', hash = '', bytes = ''] = PARTIAL.exec(name) ?? [];
          const address = parseAddress(stream, kind, epoch, sequence);
          const path = join(folder, name);
          const facts = await stat(path).catch(() => null);
          const announced = { hash: hash as WagonHash, bytes: parseDecimal(bytes) ?? 0 };
          // Longer than announced: it was being made visible. Its bytes are checked and its trailer is written again.
          const usable =
            address !== null &&
            facts !== null &&
            hash !== '' &&
            announced.bytes > 0 &&
            facts.size <= announced.bytes + TRAILER_BYTES &&
            !this.partials.has(placeOf(address));
          if (usable && this.tryReserve(announced.bytes + TRAILER_BYTES)) {
            this.partials.set(placeOf(address), { ...announced, path, address, touched: facts.mtimeMs });
          } else {
            await removeFile(path);
          }
        }
      }
    }
  }

  private partialPath(address: WagonAddress, announced: Announcement): string {
    const name = `${address.epoch}.${address.sequence}.${announced.hash}.${announced.bytes}.part`;
    return join(this.directory, address.stream, 'arriving', folderOf(address.kind), name);
  }
}

/** Opens the folder, making it if need be; half received wagons of a former run can go on. Throws `inbox-full` on upload, before writing. */
export function openInbox(options: StoreOptions): Promise<ReceivingInbox> {
  return ReceivingInbox.open(options);
}
