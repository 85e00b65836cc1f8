/** Two ends of a transport with real files and real TLS, and wagons whose header is real and whose body is noise. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { ClientRequest, IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { WagonRef } from '../../activities/contracts.js';
import { generateTlsCertificate, type TlsIdentity } from '../../activities/transport/certificates.js';
import type { Sender, Spool, WagonAddress } from '../../activities/transport/contract.js';
import { openInbox, type ReceivingInbox } from '../../activities/transport/inbox.js';
import { type Receiver, type ReceiverOptions, startReceiver } from '../../activities/transport/receiver.js';
import { createSender } from '../../activities/transport/sender.js';
import { openSpool } from '../../activities/transport/spool.js';
import {
  type Epoch,
  NO_WAGON,
  type Position,
  type Sequence,
  type SiteName,
  type StreamName,
  type WagonHash,
} from '../../activities/vocabulary.js';
import type { WagonHeader } from '../../activities/wagon/contract.js';
import { encodeHeader, parseHeader } from '../../activities/wagon/header.js';
import { SrdfError } from '../../temporal/error-catalogue.js';

export const STREAM = 'shop' as StreamName;

export interface Wagon {
  readonly address: WagonAddress;
  readonly bytes: Buffer;
  readonly ref: WagonRef;
}

export function address(sequence: number, kind: WagonAddress['kind'] = 'changes', epoch = 1): WagonAddress {
  return { stream: STREAM, kind, epoch: epoch as Epoch, sequence: sequence as Sequence };
}

/** A wagon of about `bodyBytes` bytes; each call makes another body. */
export function makeWagon(
  sequence: number,
  bodyBytes = 2_000,
  kind: WagonAddress['kind'] = 'changes',
  epoch = 1,
  train: WagonHeader['train'] = { index: 0, last: true },
): Wagon {
  const at = address(sequence, kind, epoch);
  const header: WagonHeader = {
    ...at,
    previousHash: NO_WAGON,
    recipientKeyId: '00'.repeat(16),
    signerKeyId: '11'.repeat(16),
    sourceSite: 'paris' as SiteName,
    targetSite: 'frankfurt' as SiteName,
    createdAt: 1_700_000_000_000,
    positionFrom: `server=a;file=bin.000001;offset=${sequence}` as Position,
    positionTo: `server=a;file=bin.000001;offset=${train.last ? sequence + 1 : sequence}` as Position,
    train,
    compressedBytes: 10,
    plainBytes: 10,
  };
  const bytes = Buffer.concat([encodeHeader(header), randomBytes(bodyBytes)]);
  const hash = createHash('sha256').update(bytes).digest('hex') as WagonHash;
  return { address: at, bytes, ref: { ...at, hash, bytes: bytes.length, positionTo: header.positionTo, train: header.train } };
}

export interface Ends {
  readonly folder: string;
  readonly spool: Spool;
  readonly inbox: ReceivingInbox;
  readonly receiver: Receiver;
  readonly sender: Sender;
  readonly source: TlsIdentity;
  readonly target: TlsIdentity;
  /** What the receiver said, by level. */
  readonly said: string[];
  readonly verified: WagonAddress[];
}

export interface EndsOptions {
  readonly inboxBytes?: number;
  readonly limits?: ReceiverOptions['limits'];
  readonly verify?: ReceiverOptions['verify'];
  readonly url?: (port: number) => string;
  readonly source?: TlsIdentity;
}

/** Opened things close themselves in reverse order when the test ends. */
export class Closing {
  private readonly steps: (() => Promise<unknown> | unknown)[] = [];
  add(step: () => Promise<unknown> | unknown): void {
    this.steps.push(step);
  }
  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'srdf-transport-'));
    this.add(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }
  async all(): Promise<void> {
    for (const step of this.steps.splice(0).reverse()) await step();
  }
}

/** Receipts here are a text that names the wagon: what is in a receipt is not the transport's business. */
export function receiptText(status: string, at: WagonAddress, hash: WagonHash): Buffer {
  return Buffer.from(`${status} ${at.stream} ${at.kind} ${at.epoch} ${at.sequence} ${hash}`);
}

export function receiverOptions(
  inbox: ReceivingInbox,
  own: TlsIdentity,
  peer: TlsIdentity,
  options: EndsOptions = {},
): ReceiverOptions & { said: string[]; verified: WagonAddress[] } {
  const said: string[] = [];
  const verified: WagonAddress[] = [];
  const say =
    (level: string) =>
    (...args: unknown[]) => {
      said.push(`${level} ${JSON.stringify(args[0])} ${String(args[1] ?? '')}`);
    };
  const log = { info: say('info'), warn: say('warn'), error: say('error') } as ReceiverOptions['log'];
  return {
    said,
    verified,
    tls: { ...own, peerCertificate: peer.certificate },
    listen: '127.0.0.1:0',
    inbox,
    verify: async (sealed, at) => {
      verified.push(at);
      if (options.verify !== undefined) return options.verify(sealed, at);
      const { header } = parseHeader(sealed);
      return { header, hash: createHash('sha256').update(sealed).digest('hex') as WagonHash };
    },
    issueReceipt: (at, hash) => receiptText('received', at, hash),
    foreignKeys: async () => [
      { child: { database: 'd', table: 'c' }, parent: { database: 'd', table: 'p' }, parentColumns: ['id'], cascades: true },
    ],
    knowsStream: (stream) => stream === STREAM,
    log,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  };
}

export async function openEnds(closing: Closing, options: EndsOptions = {}): Promise<Ends> {
  const folder = await closing.folder();
  const source = options.source ?? (await generateTlsCertificate({ site: 'paris', days: 30 }));
  const target = await generateTlsCertificate({ site: 'frankfurt', days: 30 });
  const spool = await openSpool({ directory: join(folder, 'spool'), maxBytes: 2 ** 30, readHeader: parseHeader });
  const inbox = await openInbox({ directory: join(folder, 'inbox'), maxBytes: options.inboxBytes ?? 2 ** 30, readHeader: parseHeader });
  const receiving = receiverOptions(inbox, target, source, options);
  const receiver = await startReceiver(receiving);
  closing.add(() => receiver.close());
  const sender = createSender({
    url: options.url?.(receiver.port) ?? `https://127.0.0.1:${receiver.port}`,
    tls: { ...source, peerCertificate: target.certificate },
    spool,
    log: receiving.log,
  });
  closing.add(() => sender.close());
  return { folder, spool, inbox, receiver, sender, source, target, said: receiving.said, verified: receiving.verified };
}

/** The error a call ends with, as an SrdfError; fails the test otherwise. */
export async function errorOf(call: Promise<unknown>): Promise<SrdfError> {
  const outcome = await call.then(
    () => 'no error',
    (error: unknown) => error,
  );
  if (outcome instanceof SrdfError) return outcome;
  throw outcome instanceof Error ? outcome : new Error(String(outcome));
}

/** A line between the sites that can break: cuts a connection once so many bytes have passed towards the receiver. */
export class BreakingLine {
  target = 0;
  /** The next connections' breaking points, in bytes; none left: the line holds. */
  readonly breaks: number[] = [];
  connections = 0;
  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async open(closing: Closing): Promise<BreakingLine> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const line = new BreakingLine(server, (server.address() as AddressInfo).port);
    server.on('connection', (near) => line.carry(near));
    closing.add(() => line.close());
    return line;
  }

  private readonly sockets = new Set<Socket>();
  private carry(near: Socket): void {
    this.connections++;
    const limit = this.breaks.shift() ?? Number.POSITIVE_INFINITY;
    const far = connect(this.target, '127.0.0.1');
    let passed = 0;
    for (const socket of [near, far]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        near.destroy();
        far.destroy();
        this.sockets.delete(socket);
      });
    }
    far.pipe(near);
    near.on('data', (chunk: Buffer) => {
      passed += chunk.length;
      if (passed < limit) {
        if (!far.write(chunk)) {
          near.pause();
          far.once('drain', () => near.resume());
        }
        return;
      }
      far.end(chunk.subarray(0, Math.max(0, chunk.length - (passed - limit))), () => near.destroy());
    });
  }

  private async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request as any client could make it, the pinned certificate or not. */
export function rawRequest(
  port: number,
  options: RequestOptions & { readonly body?: Buffer | undefined; readonly onRequest?: (request: ClientRequest) => void },
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({ host: '127.0.0.1', port, rejectUnauthorized: false, agent: false, ...options }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts).toString() });
        request.destroy();
      });
    });
    request.on('error', reject);
    options.onRequest?.(request);
    if (options.onRequest === undefined) request.end(options.body);
  });
}

/** A PUT of a wagon's bytes from `offset`, with headers changed at will. */
export function rawPut(
  ends: Pick<Ends, 'receiver' | 'source'>,
  wagon: Wagon,
  change: {
    readonly headers?: Record<string, string>;
    readonly path?: string;
    readonly offset?: number;
    readonly onRequest?: (request: ClientRequest) => void;
  } = {},
): Promise<RawAnswer> {
  const offset = change.offset ?? 0;
  const body = wagon.bytes.subarray(offset);
  const { stream, kind, epoch, sequence } = wagon.address;
  return rawRequest(ends.receiver.port, {
    key: ends.source.key,
    cert: ends.source.certificate,
    method: 'PUT',
    path: change.path ?? `/v1/streams/${stream}/${kind}/${epoch}/${sequence}`,
    headers: {
      'Srdf-Hash': wagon.ref.hash,
      'Srdf-Length': String(wagon.bytes.length),
      'Srdf-Offset': String(offset),
      'Content-Length': String(body.length),
      ...change.headers,
    },
    body,
    ...(change.onRequest === undefined ? {} : { onRequest: change.onRequest }),
  });
}

/** A PUT that stands still once the receiver has taken its first bytes, until `finish` sends the rest and gives the answer. */
export async function beginPut(ends: Ends, wagon: Wagon, bytes: number): Promise<{ finish(): Promise<RawAnswer> }> {
  let end: () => void = () => undefined;
  const answer = rawPut(ends, wagon, {
    onRequest: (request) => {
      request.write(wagon.bytes.subarray(0, bytes));
      end = () => request.end(wagon.bytes.subarray(bytes));
    },
  });
  await expect.poll(() => ends.inbox.received(wagon.address)).toBe(bytes);
  return {
    finish: () => {
      end();
      return answer;
    },
  };
}
