/** One request at a time to the receiver over pooled TLS 1.3 connections, where the server's certificate is the pinned one. */
import { once } from 'node:events';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { faultPoint } from '../fault-points.js';
import { type Mistrust, type PinnedTls, pinCertificate } from './certificates.js';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
export interface Call {
  readonly method: 'GET' | 'HEAD' | 'PUT';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** With its exact size. */
  readonly body?: { readonly bytes: number; readonly chunks: AsyncIterable<Uint8Array> };
  readonly onSent?: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/** The receiver's certificate isn't accepted. */
export class ReceiverMistrusted extends Error {
  override readonly name = 'ReceiverMistrusted';
  constructor(readonly why: Mistrust) {
    super(`the receiver's certificate is refused: ${why.found}`);
  }
}

/** The connection broke, or there was none. `reused`: it was a pooled one, which the peer may have closed while it was idle. */
export class ConnectionFailed extends Error {
  override readonly name = 'ConnectionFailed';
  constructor(
    override readonly cause: unknown,
    readonly reused: boolean,
    readonly sentBytes: number,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

const ANSWER_BYTES = 64 * 2 ** 20;

export class SenderConnection {
  private readonly agent: Agent;

  constructor(
    private readonly url: URL,
    tls: PinnedTls,
    /** Without a byte in either direction for so long, the connection is given up. */
    private readonly idleMilliseconds: number,
  ) {
    const pin = pinCertificate(tls.peerCertificate);
    this.agent = new Agent({
      keepAlive: true,
      maxSockets: 16,
      key: tls.key,
      cert: tls.certificate,
      ca: tls.peerCertificate,
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      maxCachedSessions: 0, // each connection shows its certificate anew
      rejectUnauthorized: true,
      // Runs before the first byte of a request is sent. The pin takes the place of the host's name.
      checkServerIdentity: (_host, certificate) => {
        const why = pin(certificate.raw, new Date());
        return why === null ? undefined : new ReceiverMistrusted(why);
      },
    });
  }

  /** Throws `ConnectionFailed`, or the signal's reason once it is aborted. An answer before the body's end ends the sending. */
  async call(call: Call): Promise<Answer> {
    call.signal.throwIfAborted();
    const request = httpsRequest({
      agent: this.agent,
      hostname: this.url.hostname.replace(/^\[|\]$/g, ''),
      port: this.url.port === '' ? 443 : Number(this.url.port),
      method: call.method,
      path: call.path,
      headers: { ...call.headers, ...(call.body === undefined ? {} : { 'Content-Length': String(call.body.bytes) }) },
      timeout: this.idleMilliseconds,
    });
    let sent = 0;
    const abort = () => request.destroy(call.signal.reason instanceof Error ? call.signal.reason : new Error('aborted'));
    call.signal.addEventListener('abort', abort);
    request.on('timeout', () => request.destroy(new Error(`no answer for ${this.idleMilliseconds} ms`)));
    try {
      const answered = answerOf(request);
      answered.catch(() => undefined); // awaited below, unless the spool's file fails first
      if (call.body === undefined) request.end();
      else {
        await send(request, call.body.chunks, (bytes) => {
          sent += bytes;
          call.onSent?.(bytes);
        });
      }
      return await answered;
    } catch (error) {
      request.destroy();
      call.signal.throwIfAborted();
      throw error instanceof SourceFailed ? error.cause : new ConnectionFailed(error, request.reusedSocket, sent);
    } finally {
      call.signal.removeEventListener('abort', abort);
    }
  }

  close(): void {
    this.agent.destroy();
  }
}

/** Reading the body's source failed: not the connection's fault. */
class SourceFailed extends Error {
  constructor(override readonly cause: unknown) {
    super('reading failed', { cause });
  }
}

/** Writes with backpressure until the end, the answer, or the connection's end. */
async function send(request: ClientRequest, chunks: AsyncIterable<Uint8Array>, onSent: (bytes: number) => void): Promise<void> {
  let over = false;
  const ended = Promise.race([once(request, 'response'), once(request, 'close')]).then(
    () => {
      over = true;
    },
    () => {
      over = true;
    },
  );
  const source = chunks[Symbol.asyncIterator]();
  let first = true;
  try {
    while (!over) {
      const { done, value } = await source.next().catch((error: unknown) => {
        throw new SourceFailed(error);
      });
      if (over) return;
      if (done === true) {
        request.end();
        await faultPoint('last-byte-sent');
        return;
      }
      if (!request.write(value)) await Promise.race([once(request, 'drain').catch(() => undefined), ended]);
      onSent(value.length);
      if (first) await faultPoint('first-byte-sent');
      first = false;
    }
  } finally {
    await source.return?.();
  }
}

function answerOf(request: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('close', () => reject(new Error('the connection was closed without an answer')));
    request.on('response', (response: IncomingMessage) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        size += part.length;
        if (size > ANSWER_BYTES) request.destroy(new Error('the answer is too large'));
        else parts.push(part);
      });
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) });
        if (!request.writableEnded) request.destroy(); // answered before the body's end: the connection can't be used on
      });
    });
  });
}
