/**
 * A wagon's way in. `PUT` with
 *
 *     Srdf-Hash: SHA-256 of the whole wagon, 64 hex digits     Srdf-Length: its bytes
 *     Srdf-Offset: where this body goes on                     Content-Length: this body's bytes, at most the rest
 *
 * The offset must be exactly what the receiver has, else 409 with `Srdf-Offset`. All bytes there: hash compared, verified,
 * stored, and the signed `received` receipt is the answer (201; 200 when the wagon was here already; 202 when bytes are missing yet).
 */
import type { IncomingMessage } from 'node:http';
import { faultPoint } from '../fault-points.js';
import type { WagonHash } from '../vocabulary.js';
import type { WagonAddress } from './contract.js';
import { GatheringWriter } from './gathering-writer.js';
import { fork, type ReceiverDuties } from './receiver-duties.js';
import type { ReceiverLimits } from './receiver-limits.js';
import { Refused, refuse } from './refusal.js';
import { type Announcement, type Upload, UploadFenced } from './upload.js';
import { parseDecimal, whyNotAt } from './wagon-address.js';
import { HEADER_BYTES_MOST } from './wagon-file.js';

export type PutAnswer = { readonly receipt: Uint8Array; readonly stored: boolean } | { readonly offset: number };

/** Bounds what is received at a time, and verifies one wagon after another: only that needs a whole wagon in memory. */
export class UploadSlots {
  private taken = 0;
  private verifying: Promise<unknown> = Promise.resolve();
  constructor(private readonly limit: number) {}

  async hold<T>(work: () => Promise<T>): Promise<T> {
    if (this.taken >= this.limit) throw busy(503, `${this.taken} wagons are being received already`, 'The sender tries again by itself');
    this.taken++;
    try {
      return await work();
    } finally {
      this.taken--;
    }
  }

  verifyAlone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.verifying.then(work, work);
    this.verifying = done.catch(() => undefined);
    return done;
  }
}

/** What a request says of the wagon it speaks of. Throws `Refused`. */
export function announcementOf(request: IncomingMessage, limits: ReceiverLimits): Announcement {
  const hash = single(request, 'srdf-hash');
  if (!/^[0-9a-f]{64}$/.test(hash)) throw refuse(400, 'Srdf-Hash is not 64 lower-case hex digits', VERSIONS);
  const bytes = decimal(request, 'srdf-length');
  if (bytes > limits.wagonBytes) {
    throw refuse(
      413,
      `the wagon has ${bytes} bytes, at most ${limits.wagonBytes} are taken`,
      "Lower the stream's wagon.bytes in srdf.yaml; a single row larger than this can't be replicated",
      'wagon-too-large',
    );
  }
  if (bytes === 0) throw refuse(400, 'Srdf-Length is 0: there is no empty wagon', VERSIONS);
  return { hash: hash as WagonHash, bytes };
}

/** Throws `Refused` or an error of the catalogue. What has been received stays for the next attempt, unless it is worthless. */
export async function receiveWagon(
  duties: ReceiverDuties,
  limits: ReceiverLimits,
  slots: UploadSlots,
  request: IncomingMessage,
  address: WagonAddress,
): Promise<PutAnswer> {
  const announced = announcementOf(request, limits);
  const offset = decimal(request, 'srdf-offset');
  if (request.headers['content-length'] === undefined) throw refuse(411, 'the body has no Content-Length', VERSIONS);
  const body = decimal(request, 'content-length');
  if (offset + body > announced.bytes) {
    throw refuse(400, `offset ${offset} and a body of ${body} bytes go beyond the wagon's ${announced.bytes}`, VERSIONS);
  }
  if (body === 0 && offset < announced.bytes) throw refuse(400, 'the body is empty', VERSIONS);
  const before = await whatIsHere(duties, address, announced);
  if (before !== null) return before;
  return slots.hold(async () => {
    try {
      return await receiveBody(duties, limits, slots, request, address, announced, offset);
    } catch (error) {
      if (error instanceof UploadFenced) throw busy(409, error.message, 'Only one worker may serve the source site: stop the other');
      throw error;
    }
  });
}

async function receiveBody(
  duties: ReceiverDuties,
  limits: ReceiverLimits,
  slots: UploadSlots,
  request: IncomingMessage,
  address: WagonAddress,
  announced: Announcement,
  offset: number,
): Promise<PutAnswer> {
  const upload = await duties.inbox.beginUpload(address, announced);
  try {
    // Taken over from an upload that has just come to its end.
    const since = await whatIsHere(duties, address, announced);
    if (since !== null) {
      await duties.inbox.discard(address);
      return since;
    }
    if (upload.offset !== offset) {
      if (upload.offset === 0) await duties.inbox.discard(address); // nothing came: no room is kept for it
      throw wrongOffset(upload.offset);
    }
    await readBody(request, upload, limits);
    const state = upload.check();
    if (state === 'partial') return { offset: upload.offset };
    if (state === 'corrupt') {
      await duties.inbox.discard(address);
      // Bytes of former attempts may have suffered from a crash of this machine: all of it again.
      if (offset > 0) throw wrongOffset(0);
      throw refuse(422, 'the bytes received do not have the hash announced', "Look at the disk of the source's spool", 'wagon-checksum');
    }
    const receipt = await slots.verifyAlone(() => acceptWagon(duties, upload, address, announced));
    return { receipt, stored: true };
  } finally {
    await upload.close();
  }
}

async function whatIsHere(duties: ReceiverDuties, address: WagonAddress, announced: Announcement): Promise<PutAnswer | null> {
  const arrival = await duties.inbox.arrival(address, announced);
  if (arrival.state === 'fork') throw fork(address, arrival.present);
  if (arrival.state === 'expected') return null;
  const receipt = await receivedReceipt(duties, address);
  return receipt === null ? null : { receipt, stored: false };
}

async function acceptWagon(duties: ReceiverDuties, upload: Upload, address: WagonAddress, announced: Announcement): Promise<Uint8Array> {
  upload.check(); // fenced while it waited for its turn?
  const sealed = await duties.inbox.readUpload(address);
  const prefix = new Uint8Array(sealed.subarray(0, HEADER_BYTES_MOST));
  const { header, hash } = await verifyAt(duties, sealed, address, async () => duties.inbox.discard(address));
  if (hash !== announced.hash) {
    await duties.inbox.discard(address);
    throw refuse(422, 'the wagon read back from the disk has another hash', "Look at the disk of the target's inbox", 'wagon-checksum');
  }
  await faultPoint('wagon-arriving');
  upload.check();
  await duties.inbox.accept(address, prefix);
  await faultPoint('inbox-named');
  const receipt = await duties.issueReceipt(address, hash, header);
  await duties.inbox.saveReceipt(address, 'received', receipt);
  await faultPoint('received-signed');
  return receipt;
}

/** The `received` receipt of a wagon; issued now when a crash came between storing the wagon and its receipt. null when it isn't here. */
export async function receivedReceipt(duties: ReceiverDuties, address: WagonAddress): Promise<Uint8Array | null> {
  const kept = await duties.inbox.readReceipt(address, 'received');
  if (kept !== null) return kept;
  if ((await duties.inbox.find(address)) === null) return null;
  const sealed = await duties.inbox.read(address);
  const { header, hash } = await verifyAt(duties, sealed, address, async () => undefined);
  const receipt = await duties.issueReceipt(address, hash, header);
  await duties.inbox.saveReceipt(address, 'received', receipt);
  return receipt;
}

/** Verified, and what it says of itself is where it was put. `sealed` is handed over. `onRefusal` runs when no retry with these bytes can help. */
async function verifyAt(duties: ReceiverDuties, sealed: Uint8Array, address: WagonAddress, onRefusal: () => Promise<void>) {
  try {
    const verified = await duties.verify(sealed, address);
    const mismatch = whyNotAt(address, verified.header);
    if (mismatch === null) return verified;
    throw refuse(403, mismatch, 'Nothing was stored: the wagon was sent to the wrong address', 'wagon-destination');
  } catch (error) {
    if (!(error instanceof Error && 'retryable' in error && error.retryable === true)) await onRefusal();
    throw error;
  }
}

/** Appends the body to the upload until its end, a takeover, or a rate below the minimum. Nothing is written once it has returned. */
async function readBody(request: IncomingMessage, upload: Upload, limits: ReceiverLimits): Promise<void> {
  const chunks: AsyncIterator<Uint8Array> = request.iterator({ destroyOnReturn: false });
  let window = 0;
  const file = new GatheringWriter(upload);
  let stop: (error: Error) => void = () => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = reject;
  });
  stopped.catch(() => undefined);
  const minimum = (limits.minimumBytesPerSecond * limits.slowWindowMilliseconds) / 1_000;
  const timer = setInterval(() => {
    // Our own disk being slow isn't the peer's fault.
    if (window < minimum && !file.writing) {
      const rate = `${window} bytes in ${limits.slowWindowMilliseconds} ms`;
      stop(busy(408, `the body came too slowly: ${rate}`, 'Look at the line between the sites; what has arrived is kept'));
    }
    window = 0;
  }, limits.slowWindowMilliseconds);
  const fenced = () => stop(new UploadFenced('a newer upload of this wagon has taken over'));
  upload.signal.addEventListener('abort', fenced);
  try {
    for (;;) {
      const next = chunks.next();
      next.catch(() => undefined); // when `stopped` wins
      const { done, value } = await Promise.race([next, stopped]);
      if (done === true) return await file.finish();
      window += value.length;
      await file.add(value);
    }
  } finally {
    await file.finish().catch(() => undefined); // told by what ended the body, or by `finish` above
    clearInterval(timer);
    upload.signal.removeEventListener('abort', fenced);
  }
}

const VERSIONS = 'Both sites must run versions of SRDF that know each other';

function wrongOffset(offset: number): Refused {
  return new Refused({ status: 409, code: 'wrong-offset', found: `the receiver has ${offset} bytes`, action: 'Go on from there', offset });
}

function busy(status: number, found: string, action: string): Refused {
  return new Refused({ status, code: 'receiver-busy', found, action, retryAfterSeconds: 1 });
}

function single(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  if (typeof value !== 'string') throw refuse(400, `the header ${name} is missing`, VERSIONS);
  return value;
}

function decimal(request: IncomingMessage, name: string): number {
  const value = parseDecimal(single(request, name));
  if (value === null) throw refuse(400, `the header ${name} is not a whole number`, VERSIONS);
  return value;
}
