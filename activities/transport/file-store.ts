/**
 * Sealed wagons as files, what spool and inbox have in common:
 *
 *     <directory>/<stream>/<chain|schema|range>/<epoch>/<sequence>.wagon  and its receipts beside it
 *
 * Sizes and references are kept in memory, read from the disk once at open and whenever another process has added a file.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Logger } from 'pino';
import type { WagonRef } from '../contracts.js';
import { NO_WAGON, type StreamName, type WagonHash } from '../vocabulary.js';
import type { WagonHeader } from '../wagon/contract.js';
import { errorCode, isDiskFull, makeFolder, namesIn, removeFile, sizeOf, writeFully, writeWhole } from './atomic-file.js';
import type { ReceiptStatus, Spool, WagonAddress } from './contract.js';
import { ReceiptFiles } from './receipt-files.js';
import { fullDisk, fullStore, misplaced, missingFrom, noAddress, otherKind, type StoreName } from './store-errors.js';
import { scanStore } from './store-scan.js';
import { StoreSpace } from './store-space.js';
import {
  describeAddress,
  folderOf,
  isStreamName,
  isValidAddress,
  parseAddress,
  placeOf,
  type WagonFolder,
  whyNotAt,
} from './wagon-address.js';
import { encodeTrailer, HEADER_BYTES_MOST, HEADER_BYTES_USUAL, inspectFile, isDamaged, readWhole, TRAILER_BYTES } from './wagon-file.js';

/** `parseHeader` of activities/wagon/header.ts: reads a header from a wagon's first bytes, throws on anything else. */
export type ReadHeader = (prefix: Uint8Array) => { readonly header: WagonHeader };
export type StoreLog = Pick<Logger, 'info' | 'warn' | 'error'>;

export interface StoreOptions {
  readonly directory: string;
  /** The most it may hold. */
  readonly maxBytes: number;
  readonly readHeader: ReadHeader;
  readonly log?: StoreLog;
  /** Wagons of a stream whose receipts are kept; default 10,000. */
  readonly receiptsKept?: number;
}

const SILENT: StoreLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

export abstract class FileStore implements Omit<Spool, 'wagonState'> {
  protected readonly directory: string;
  protected readonly log: StoreLog;
  protected readonly receipts: ReceiptFiles;
  private readonly readHeader: ReadHeader;
  private readonly entries = new Map<string, WagonRef>();
  protected readonly space: StoreSpace;

  constructor(
    options: StoreOptions,
    private readonly called: StoreName,
  ) {
    this.directory = options.directory;
    this.readHeader = options.readHeader;
    this.log = options.log ?? SILENT;
    this.space = new StoreSpace(options.maxBytes, (facts) => this.log.warn(facts, `${this.called}: at least 80 % full`));
    this.receipts = new ReceiptFiles(
      (address, suffix) => this.pathOf(address, suffix),
      (address) => this.entries.has(placeOf(address)),
      options.receiptsKept,
    );
  }

  /** Takes up what lies on the disk: whole wagons, receipts; removes leftovers of dead writers and files that aren't whole. */
  protected async load(): Promise<void> {
    await makeFolder(this.directory);
    const found = await scanStore(this.directory);
    for (const path of found.leftovers) {
      if (await removeFile(path)) this.log.info({ path }, `${this.called}: removed what a killed writer left`);
    }
    for (const path of found.wagons) await this.adopt(path.stream, path.epoch, path.name, path.folder);
    await this.receipts.adopt(found.receipts);
    // A release isn't fsynced: a wagon that came back after a power cut has its applied receipt beside it.
    for (const ref of [...this.entries.values()]) {
      if ((await this.receiptOf(ref, 'applied')) !== null) await this.release(ref);
    }
  }

  async put(
    address: WagonAddress,
    sealed: AsyncIterable<Uint8Array> | Uint8Array,
  ): Promise<{ readonly hash: WagonHash; readonly bytes: number; readonly existed: boolean }> {
    const there = await this.find(address);
    if (there !== null) return { hash: there.hash, bytes: there.bytes, existed: true };
    const chunks = sealed instanceof Uint8Array ? [sealed] : sealed;
    const hasher = createHash('sha256');
    const prefix: Uint8Array[] = [];
    let bytes = 0;
    let reserved = 0;
    try {
      this.reserve(TRAILER_BYTES + (sealed instanceof Uint8Array ? sealed.length : 0), address);
      reserved = TRAILER_BYTES + (sealed instanceof Uint8Array ? sealed.length : 0);
      let ref: WagonRef | null = null;
      const write = async (handle: FileHandle) => {
        for await (const chunk of chunks) {
          if (!(sealed instanceof Uint8Array)) {
            this.reserve(chunk.length, address);
            reserved += chunk.length;
          }
          if (bytes < HEADER_BYTES_MOST) prefix.push(chunk.slice(0, HEADER_BYTES_MOST - bytes));
          hasher.update(chunk);
          await writeFully(handle, chunk, bytes);
          bytes += chunk.length;
        }
        const hash = hasher.digest('hex') as WagonHash;
        ref = this.referenceFor(address, Buffer.concat(prefix), hash, bytes);
        await writeFully(handle, encodeTrailer({ bytes, hash, wagonHash: hash }), bytes);
      };
      const created = await writeWhole(this.pathOf(address), 'create', write, 'spool-synced');
      if (created && ref !== null) {
        const { hash } = ref as WagonRef;
        // The reservation becomes the entry's own size.
        this.free(reserved);
        reserved = 0;
        this.enter(ref);
        return { hash, bytes, existed: false };
      }
    } catch (error) {
      throw isDiskFull(error) ? fullDisk(this.called, address, error) : error;
    } finally {
      this.free(reserved);
    }
    // Another writer was first: its wagon counts.
    const winner = await this.find(address);
    if (winner === null) throw missingFrom(this.called, `storing the ${describeAddress(address)}`);
    return { hash: winner.hash, bytes: winner.bytes, existed: true };
  }

  async open(address: WagonAddress, offset = 0): Promise<{ readonly stream: NodeJS.ReadableStream; readonly bytes: number }> {
    const ref = await this.find(address);
    if (ref === null) throw missingFrom(this.called, `opening the ${describeAddress(address)}`);
    if (offset >= ref.bytes) return { stream: Readable.from([]), bytes: ref.bytes };
    try {
      const handle = await open(this.pathOf(ref), 'r');
      return { stream: handle.createReadStream({ start: offset, end: ref.bytes - 1, highWaterMark: 256 * 1024 }), bytes: ref.bytes };
    } catch (error) {
      // Released since it was looked for.
      throw errorCode(error) === 'ENOENT' ? missingFrom(this.called, `opening the ${describeAddress(address)}`) : error;
    }
  }

  async read(address: WagonAddress): Promise<Uint8Array> {
    this.check(address);
    const found = await readWhole(this.pathOf(address));
    if (found.state === 'whole') return found.content;
    // Cut short since it was listed: it would be listed again each time, and never sent again.
    if (found.state === 'damaged') await this.removeIfDamaged(address);
    throw missingFrom(this.called, `reading the ${describeAddress(address)}`);
  }

  async removeIfDamaged(address: WagonAddress): Promise<boolean> {
    this.check(address);
    const path = this.pathOf(address);
    if (!(await isDamaged(path))) return false;
    await this.release(address);
    this.log.error({ path }, `${this.called}: removed a damaged wagon (bad disk?)`);
    return true;
  }

  /** References in order of epoch and sequence. */
  async list(stream: StreamName, folder: WagonFolder): Promise<readonly WagonRef[]> {
    const directory = join(this.directory, isStreamName(stream) ? stream : '-', folder);
    const refs: WagonRef[] = [];
    for (const epoch of await namesIn(directory)) {
      for (const name of await namesIn(join(directory, epoch))) {
        if (!name.endsWith('.wagon')) continue;
        const ref = await this.adopt(stream, epoch, name, folder);
        if (ref !== null) refs.push(ref);
      }
    }
    return refs.sort((a, b) => a.epoch - b.epoch || a.sequence - b.sequence);
  }

  /** The wagon at an address, null when there is none. Throws `wagon-fork` when the chain holds one of the other kind there. */
  async find(address: WagonAddress): Promise<WagonRef | null> {
    const found = await this.lying(address);
    if (found !== null && found.kind !== address.kind) throw otherKind(this.called, address, found);
    return found;
  }

  /** Whatever holds the address: in the chain a wagon of either of its kinds. */
  protected async lying(address: WagonAddress): Promise<WagonRef | null> {
    this.check(address);
    const known = this.entries.get(placeOf(address));
    if (known !== undefined) {
      if ((await sizeOf(this.pathOf(address))) === known.bytes + TRAILER_BYTES) return known;
      this.drop(known);
    }
    return await this.takeUp(address);
  }

  async saveReceipt(address: WagonAddress, status: ReceiptStatus, receipt: Uint8Array): Promise<void> {
    const wagon = await this.find(address);
    const hash = wagon?.hash ?? (await this.receipts.read(address, 'received'))?.wagonHash ?? NO_WAGON;
    await this.receipts.save(address, status, receipt, hash);
  }

  async readReceipt(address: WagonAddress, status: ReceiptStatus): Promise<Uint8Array | null> {
    this.check(address);
    return (await this.receiptOf(address, status))?.receipt ?? null;
  }

  /** A receipt, unless it speaks of another wagon than the one that lies here now. */
  protected async receiptOf(
    address: WagonAddress,
    status: ReceiptStatus,
  ): Promise<{ readonly receipt: Uint8Array; readonly wagonHash: WagonHash } | null> {
    const receipt = await this.receipts.read(address, status);
    const wagon = this.entries.get(placeOf(address));
    return receipt !== null && wagon !== undefined && receipt.wagonHash !== wagon.hash ? null : receipt;
  }

  async release(address: WagonAddress): Promise<void> {
    this.check(address);
    await removeFile(this.pathOf(address));
    const known = this.entries.get(placeOf(address));
    if (known !== undefined) this.drop(known);
  }

  async clear(stream: StreamName): Promise<void> {
    if (!isStreamName(stream)) return;
    await rm(join(this.directory, stream), { recursive: true, force: true });
    for (const ref of [...this.entries.values()]) if (ref.stream === stream) this.drop(ref);
    this.receipts.forget(stream);
  }

  async usage(): Promise<{ readonly wagons: number; readonly bytes: number; readonly maxBytes: number; readonly alarm: boolean }> {
    const { bytes, maxBytes, alarm } = this.space;
    return { wagons: this.entries.size, bytes, maxBytes, alarm };
  }

  /** Counts bytes as used, before they are written. Throws `spool-full` or `inbox-full`. */
  protected reserve(bytes: number, address: WagonAddress): void {
    if (this.space.take(bytes)) return;
    throw fullStore(this.called, address, { bytes, used: this.space.bytes, maxBytes: this.space.maxBytes });
  }

  /** As `reserve`; false when they don't fit. */
  protected tryReserve(bytes: number): boolean {
    return this.space.take(bytes);
  }

  protected free(bytes: number): void {
    this.space.giveBack(bytes);
  }

  protected enter(ref: WagonRef): void {
    const place = placeOf(ref);
    const before = this.entries.get(place);
    this.space.replace(before === undefined ? 0 : before.bytes + TRAILER_BYTES, ref.bytes + TRAILER_BYTES);
    this.entries.set(place, ref);
  }

  private drop(ref: WagonRef): void {
    if (this.entries.delete(placeOf(ref))) this.free(ref.bytes + TRAILER_BYTES);
  }

  /** A wagon's reference from its header. Throws `spool-inconsistent` when it doesn't belong at this address. */
  protected referenceFor(address: WagonAddress, prefix: Uint8Array, hash: WagonHash, bytes: number): WagonRef {
    const { header } = this.readHeader(prefix);
    const mismatch = whyNotAt(address, header);
    if (mismatch !== null) {
      throw misplaced(this.called, address, mismatch);
    }
    return { ...address, hash, bytes, positionTo: header.positionTo, train: header.train };
  }

  /** A file found in the folders; null when its name or content isn't a wagon's. */
  private async adopt(stream: string, epoch: string, name: string, folder: string): Promise<WagonRef | null> {
    const sequence = name.slice(0, -'.wagon'.length).replace(/^0+(?=\d)/, '');
    const address = parseAddress(stream, folder === 'chain' ? 'changes' : folder, epoch, sequence);
    if (address === null || this.pathOf(address) !== join(this.directory, stream, folder, epoch, name)) return null;
    return this.entries.get(placeOf(address)) ?? (await this.takeUp(address));
  }

  private async takeUp(address: WagonAddress): Promise<WagonRef | null> {
    const path = this.pathOf(address);
    let why = 'it is cut short or empty';
    for (const prefixBytes of [HEADER_BYTES_USUAL, HEADER_BYTES_MOST]) {
      const file = await inspectFile(path, prefixBytes);
      if (file.state === 'absent') return null;
      if (file.state === 'damaged') break;
      try {
        const { kind } = this.readHeader(file.prefix).header;
        const own = folderOf(kind) === folderOf(address.kind) ? { ...address, kind } : address;
        const ref = this.referenceFor(own, file.prefix, file.trailer.hash, file.trailer.bytes);
        this.enter(ref);
        return ref;
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
    }
    // As if it had never been written: the source cuts it again from the ledger, or sends it again.
    await removeFile(path);
    this.log.error({ path, why }, `${this.called}: removed a file that is no whole wagon (power cut or bad disk?)`);
    return null;
  }

  protected pathOf(address: WagonAddress, suffix = 'wagon'): string {
    const sequence = String(address.sequence).padStart(16, '0');
    return join(this.directory, address.stream, folderOf(address.kind), String(address.epoch), `${sequence}.${suffix}`);
  }

  private check(address: WagonAddress): void {
    if (!isValidAddress(address)) throw noAddress(this.called, address);
  }
}
