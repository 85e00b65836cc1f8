/** The source's end of the transport: ships wagons from the spool, resuming where the receiver is, and fetches receipts. */

import { type ErrorCode, type ErrorFacts, SrdfError } from '../../temporal/error-catalogue.js';
import type { WagonRef } from '../contracts.js';
import type { ForeignKeyFact } from '../engines/engine.js';
import type { StreamName } from '../vocabulary.js';
import type { PinnedTls } from './certificates.js';
import type { ReceiptStatus, Sender, Spool, WagonAddress } from './contract.js';
import type { StoreLog } from './file-store.js';
import { parseForeignKeys } from './foreign-key-facts.js';
import { parseRefusal } from './refusal.js';
import { type Answer, type Call, ConnectionFailed, ReceiverMistrusted, SenderConnection } from './sender-connection.js';
import { describeAddress, parseDecimal, placeOf } from './wagon-address.js';

export interface SenderOptions {
  /** The target's `receiver.url`. */
  readonly url: string;
  readonly tls: PinnedTls;
  readonly spool: Pick<Spool, 'open'>;
  readonly log: StoreLog;
  /** Without a byte in either direction for so long, a connection is given up. Default 30 s: a slow line still moves bytes. */
  readonly idleMilliseconds?: number;
}

/** `receiver-busy`, `inbox-full` and other refusals that come with a Retry-After. */
export class RetryLater extends SrdfError {
  constructor(
    code: ErrorCode,
    facts: ErrorFacts,
    /** How long the receiver asks to be left alone. */
    readonly retryAfterMilliseconds: number,
  ) {
    super(code, facts);
  }
}

/** A broken connection over which something went is resumed at once, so many times within one call. */
const RESUMPTIONS = 5;
const LONGEST_RETRY_SECONDS = 3_600;
const CHUNK_BYTES = 256 * 1024;

export function createSender(options: SenderOptions): Sender {
  return new HttpsSender(options);
}

class HttpsSender implements Sender {
  private readonly connection: SenderConnection;
  private readonly prefix: string;
  /** Wagons of which the receiver may have a part: asked for its offset before sending. */
  private readonly begun = new Set<string>();

  constructor(private readonly options: SenderOptions) {
    const url = receiverUrl(options.url);
    this.prefix = url.pathname.replace(/\/+$/, '');
    this.connection = new SenderConnection(url, options.tls, options.idleMilliseconds ?? 30_000);
  }

  async ship(
    wagon: WagonRef,
    { signal, progress, sealed }: Parameters<Sender['ship']>[1],
  ): Promise<{ readonly receipt: Uint8Array; readonly bytesSent: number }> {
    const tried = `shipping the ${describeAddress(wagon)} to ${this.options.url}`;
    const place = placeOf(wagon);
    const path = wagonPath(wagon);
    const announced = { 'Srdf-Hash': wagon.hash, 'Srdf-Length': String(wagon.bytes) };
    let bytesSent = 0;
    let offset: number | null = this.begun.has(place) ? null : 0;
    let failures = 0;
    for (let corrections = 0; ; ) {
      try {
        offset ??= await this.offset(tried, path, announced, wagon, signal);
        this.begun.add(place);
        const { chunks, bytes } = sealed === undefined ? await this.fromSpool(wagon, offset) : inChunks(sealed, offset);
        if (bytes !== wagon.bytes) throw otherBytes(tried, bytes, wagon.bytes);
        let at = offset;
        const answer = await this.call({
          method: 'PUT',
          path,
          headers: { ...announced, 'Srdf-Offset': String(offset), 'Content-Type': 'application/octet-stream' },
          body: { bytes: wagon.bytes - offset, chunks: inFull(chunks, wagon.bytes - offset, tried) },
          signal,
          onSent: (sent) => {
            bytesSent += sent;
            at += sent;
            progress?.(at);
          },
        });
        if (answer.status === 200 || answer.status === 201) {
          this.begun.delete(place);
          return { receipt: new Uint8Array(answer.body), bytesSent };
        }
        const told = parseDecimal(String(answer.headers['srdf-offset'] ?? ''));
        const correction = answer.status === 202 || (answer.status === 409 && told !== null);
        // A receiver that keeps changing its mind is taken over by another sender, or broken.
        if (!correction || told === null || told > wagon.bytes || ++corrections > RESUMPTIONS) throw refused(tried, answer);
        offset = told;
      } catch (error) {
        if (!(error instanceof ConnectionFailed)) throw error;
        if (!(error.reused || error.sentBytes > 0) || ++failures > RESUMPTIONS) throw unreachable(tried, error);
        this.options.log.warn({ wagon: place, why: error.message }, 'sender: connection lost, resuming');
        offset = null;
      }
    }
  }

  async receipt(address: WagonAddress, status: ReceiptStatus, signal: AbortSignal): Promise<Uint8Array | null> {
    const tried = `fetching the ${status} receipt of the ${describeAddress(address)} from ${this.options.url}`;
    const answer = await this.ask(tried, { method: 'GET', path: `${wagonPath(address)}/receipts/${status}`, signal });
    if (answer.status === 200) return new Uint8Array(answer.body);
    if (answer.status === 404 && parseRefusal(404, answer.body.toString()).code === 'wagon-missing') return null;
    throw refused(tried, answer);
  }

  async foreignKeys(stream: StreamName, signal: AbortSignal): Promise<readonly ForeignKeyFact[]> {
    const tried = `asking ${this.options.url} for the foreign keys of stream ${stream}`;
    const answer = await this.ask(tried, { method: 'GET', path: `/v1/streams/${stream}/foreign-keys`, signal });
    if (answer.status !== 200) throw refused(tried, answer);
    return parseForeignKeys(answer.body.toString(), tried);
  }

  async close(): Promise<void> {
    this.connection.close();
  }

  private async fromSpool(wagon: WagonRef, offset: number): Promise<{ chunks: AsyncIterable<Uint8Array>; bytes: number }> {
    const { stream, bytes } = await this.options.spool.open(wagon, offset);
    return { chunks: stream as AsyncIterable<Uint8Array>, bytes };
  }

  /** What the receiver has of a wagon; all of it when it is complete there, so that an empty PUT fetches the receipt. */
  private async offset(
    tried: string,
    path: string,
    announced: Readonly<Record<string, string>>,
    wagon: WagonRef,
    signal: AbortSignal,
  ): Promise<number> {
    const answer = await this.ask(tried, { method: 'GET', path: `${path}/offset`, headers: announced, signal });
    if (answer.status !== 200) throw refused(tried, answer);
    if (answer.headers['srdf-state'] === 'complete') return wagon.bytes;
    const offset = parseDecimal(String(answer.headers['srdf-offset'] ?? ''));
    if (offset === null || offset > wagon.bytes) throw refused(tried, answer);
    return offset;
  }

  /** A question: repeated once when a pooled connection turns out to be closed. */
  private async ask(tried: string, call: Call): Promise<Answer> {
    try {
      return await this.call(call);
    } catch (error) {
      if (!(error instanceof ConnectionFailed)) throw error;
      if (!error.reused) throw unreachable(tried, error);
    }
    try {
      return await this.call(call);
    } catch (error) {
      throw error instanceof ConnectionFailed ? unreachable(tried, error) : error;
    }
  }

  private call(call: Call): Promise<Answer> {
    return this.connection.call({ ...call, path: `${this.prefix}${call.path}` });
  }
}

/** As a spool's file would be read. */
function inChunks(sealed: Uint8Array, offset: number): { chunks: Iterable<Uint8Array>; bytes: number } {
  const chunks: Uint8Array[] = [];
  for (let at = offset; at < sealed.length; at += CHUNK_BYTES) chunks.push(sealed.subarray(at, at + CHUNK_BYTES));
  return { chunks, bytes: sealed.length };
}

/** A body that ends early would leave both ends waiting for the rest until the line counts as idle. */
async function* inFull(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  bytes: number,
  tried: string,
): AsyncGenerator<Uint8Array, void, void> {
  let left = bytes;
  for await (const chunk of chunks) {
    left -= chunk.length;
    yield chunk;
  }
  if (left === 0) return;
  throw new SrdfError('wagon-missing', {
    tried,
    found: `its file in the spool became ${left} bytes shorter while it was sent`,
    action: 'It is cut again by itself. Look at that disk: what else is damaged there?',
  });
}

function wagonPath({ stream, kind, epoch, sequence }: WagonAddress): string {
  return `/v1/streams/${stream}/${kind}/${epoch}/${sequence}`;
}

/** The typed error of a refusal, from the receiver's own words. */
function refused(tried: string, answer: Answer): SrdfError {
  const { code, found, action } = parseRefusal(answer.status, answer.body.toString());
  const facts = { tried, found, action };
  const known = code === 'wrong-offset' ? 'receiver-busy' : code;
  const seconds = parseDecimal(String(answer.headers['retry-after'] ?? ''));
  if (seconds === null && known !== 'receiver-busy') return new SrdfError(known, facts);
  return new RetryLater(known, facts, Math.min(seconds ?? 1, LONGEST_RETRY_SECONDS) * 1_000);
}

function unreachable(tried: string, { cause, message }: ConnectionFailed): SrdfError {
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  if (code === 'CERT_NOT_YET_VALID' || (cause instanceof ReceiverMistrusted && cause.why.early)) {
    return new SrdfError('receiver-unreachable', {
      tried,
      found: message,
      action: 'Set the clock of the source, which is behind; it is tried again by itself',
      cause,
    });
  }
  const trust = /^(CERT_|DEPTH_ZERO|UNABLE_TO_|SELF_SIGNED|ERR_TLS)/.test(code) || cause instanceof ReceiverMistrusted;
  if (trust) {
    return new SrdfError('receiver-refused', {
      tried,
      found: `the receiver is not the one trusted: ${message}`,
      action:
        "Compare the fingerprints with the target's operator (srdf keys show), then exchange bundles again with `srdf keys trust`. " +
        'How keys that have ended are renewed: srdf keys --help',
      cause,
    });
  }
  return new SrdfError('receiver-unreachable', {
    tried,
    found: message,
    action: 'Check that the target worker runs, that receiver.url is right, and that a firewall lets TCP through to it',
    cause,
  });
}

function otherBytes(tried: string, found: number, expected: number): SrdfError {
  return new SrdfError('spool-inconsistent', {
    tried,
    found: `the spool's wagon has ${found} bytes, ${expected} were announced`,
    action: 'The wagon was cut twice with different content: run `srdf status`; the next cycle goes on from the ledger',
  });
}

function receiverUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === 'https:' && url.username === '' && url.search === '') return url;
  throw new SrdfError('config-invalid', {
    tried: "opening the way to the target's receiver",
    found: `receiver.url ${JSON.stringify(text)} is not an https address`,
    action: "Set the target's receiver.url, such as https://target.example:7443",
  });
}
