/**
 * What the receiver can be asked:
 *
 *     GET|HEAD /v1/streams/{stream}/{kind}/{epoch}/{sequence}/offset            bytes here already; Srdf-State: complete when all are
 *     PUT      /v1/streams/{stream}/{kind}/{epoch}/{sequence}                   see receiver-upload.ts
 *     GET      /v1/streams/{stream}/{kind}/{epoch}/{sequence}/receipts/{status} a receipt's bytes
 *     GET      /v1/streams/{stream}/foreign-keys
 *     GET      /v1/health
 *
 * Anything else, and anything not spelt exactly so, is refused as `{code, found, action}`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StreamName } from '../vocabulary.js';
import type { BoundedLog } from './bounded-log.js';
import { RECEIPT_STATUSES } from './receipt-files.js';
import { fork, type ReceiverDuties } from './receiver-duties.js';
import type { ReceiverLimits } from './receiver-limits.js';
import { announcementOf, receivedReceipt, receiveWagon, UploadSlots } from './receiver-upload.js';
import { type Refused, refusalOf, refuse } from './refusal.js';
import { describeAddress, isStreamName, parseAddress } from './wagon-address.js';

/** After an answer that came before the body's end: how long what still comes is read and thrown away. */
const DRAIN_MILLISECONDS = 2_000;

export class ReceiverRequests {
  private readonly slots: UploadSlots;
  private readonly running = new Set<Promise<void>>();

  constructor(
    private readonly duties: ReceiverDuties,
    private readonly limits: ReceiverLimits,
    private readonly log: BoundedLog,
  ) {
    this.slots = new UploadSlots(limits.uploads);
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const served = this.serve(request, response).finally(() => this.running.delete(served));
    this.running.add(served);
  }

  /** Resolves once no request is being served. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => request.socket.destroy());
    try {
      await this.route(request, response);
    } catch (error) {
      this.answerRefusal(request, response, error);
    }
    if (request.complete) return;
    // The peer may still be sending: give it the time to read the answer, not the line for ever.
    request.resume();
    const timer = setTimeout(() => request.socket.destroy(), DRAIN_MILLISECONDS).unref();
    request.once('close', () => clearTimeout(timer));
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts = (request.url ?? '').split('/');
    if (parts[0] !== '' || parts[1] !== 'v1') throw notFound();
    if (parts.length === 3 && parts[2] === 'health') {
      only(request, 'GET');
      return json(response, { ok: true });
    }
    const [, , streams, name = '', kind = '', epoch = '', sequence = '', what, status] = parts;
    if (streams !== 'streams' || !isStreamName(name)) throw notFound();
    if (parts.length === 5 && kind === 'foreign-keys') {
      only(request, 'GET');
      this.mustKnow(name);
      return json(response, await this.duties.foreignKeys(name));
    }
    const address = parseAddress(name, kind, epoch, sequence);
    if (address === null) throw notFound();
    this.mustKnow(name);
    if (parts.length === 7) {
      only(request, 'PUT');
      const answer = await receiveWagon(this.duties, this.limits, this.slots, request, address);
      if ('receipt' in answer) return bytes(response, answer.stored ? 201 : 200, answer.receipt);
      response.writeHead(202, { 'Srdf-Offset': String(answer.offset), 'Content-Length': '0' }).end();
      return;
    }
    if (parts.length === 8 && what === 'offset') {
      only(request, 'GET', 'HEAD');
      const arrival = await this.duties.inbox.arrival(address, announcementOf(request, this.limits));
      if (arrival.state === 'fork') throw fork(address, arrival.present);
      const complete = arrival.state === 'complete';
      response.setHeader('Srdf-State', arrival.state);
      if (!complete) response.setHeader('Srdf-Offset', String(arrival.offset));
      return json(response, complete ? { complete } : { complete, offset: arrival.offset });
    }
    if (parts.length === 9 && what === 'receipts') {
      only(request, 'GET');
      const known = RECEIPT_STATUSES.find((it) => it === status);
      if (known === undefined) throw notFound();
      const receipt =
        known === 'received' ? await receivedReceipt(this.duties, address) : await this.duties.inbox.readReceipt(address, known);
      if (receipt === null)
        throw refuse(404, `there is no ${known} receipt of the ${describeAddress(address)}`, 'Ask again later', 'wagon-missing');
      return bytes(response, 200, receipt);
    }
    throw notFound();
  }

  private mustKnow(stream: StreamName): void {
    if (this.duties.knowsStream(stream)) return;
    throw refuse(404, `the target has no stream named ${stream}`, 'Give both sites the same srdf.yaml and restart the target worker');
  }

  private answerRefusal(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { log } = this;
    const about = { method: request.method, path: request.url?.slice(0, 200), peer: request.socket.remoteAddress };
    let refusal = refusalOf(error);
    if (refusal === null) {
      if (!request.socket.destroyed) log.error({ ...about, err: error }, 'receiver: request failed');
      refusal = {
        status: 500,
        code: 'receiver-busy',
        found: 'the receiver met an error of its own',
        action: "Read the target worker's log: it names the error",
        retryAfterSeconds: 5,
      };
    } else if (refusal.code === 'wagon-fork') {
      log.error({ ...about, ...refusal, alarm: true }, 'receiver: two versions of one wagon');
    } else if (refusal.code !== 'wrong-offset' && refusal.status !== 404) {
      log.warn({ ...about, ...refusal }, 'receiver: refused');
    }
    if (response.headersSent || request.socket.destroyed) {
      request.socket.destroy();
      return;
    }
    const { status, code, found, action, retryAfterSeconds, offset } = refusal;
    response.statusCode = status;
    if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(retryAfterSeconds));
    if (offset !== undefined) response.setHeader('Srdf-Offset', String(offset));
    json(response, { code, found, action });
  }
}

function only(request: IncomingMessage, ...methods: readonly string[]): void {
  if (request.method !== undefined && methods.includes(request.method)) return;
  throw refuse(405, `${request.method ?? 'no method'} is not possible here`, `Use ${methods.join(' or ')}`);
}

function notFound(): Refused {
  return refuse(404, 'there is nothing at this path', 'Both sites must run versions of SRDF that know each other');
}

function json(response: ServerResponse, value: unknown): void {
  const text = JSON.stringify(value);
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', String(Buffer.byteLength(text)));
  response.end(text);
}

function bytes(response: ServerResponse, status: number, body: Uint8Array): void {
  response.writeHead(status, { 'Content-Type': 'application/octet-stream', 'Content-Length': String(body.length) }).end(body);
}
