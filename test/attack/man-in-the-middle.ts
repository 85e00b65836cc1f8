/**
 * Somebody who has stolen both sites' TLS keys and sits between them: he sees every sealed wagon and every receipt, keeps them, and may hold
 * back, change or answer what he likes. What he hasn't got is a signing key and the target's recipient key.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as httpsRequest, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsIdentity } from '../../activities/transport/certificates.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}
/** A wagon as it passed. */
export interface Passed {
  readonly path: string;
  readonly hash: string;
  readonly bytes: Buffer;
}
export interface Asked {
  readonly method: string;
  readonly path: string;
}

export class ManInTheMiddle {
  /** Whole wagons that the receiver has taken, in order. */
  readonly passed: Passed[] = [];
  /** Nothing gets through, in either direction. */
  closed = false;
  /** Another answer than the receiver's; null: its own. */
  forge: (asked: Asked, honest: Answer) => Promise<Answer | null> | Answer | null = () => null;
  private readonly agent: Agent;
  private readonly server: Server;

  private constructor(
    readonly receiverPort: number,
    source: TlsIdentity,
    target: TlsIdentity,
  ) {
    this.agent = new Agent({
      key: source.key,
      cert: source.certificate,
      rejectUnauthorized: false,
      keepAlive: true,
      minVersion: 'TLSv1.3',
    });
    this.server = createServer(
      { key: target.key, cert: target.certificate, requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' },
      (request, response) => {
        this.carry(request, response).catch(() => request.socket.destroy());
      },
    );
  }

  static async start(receiverPort: number, source: TlsIdentity, target: TlsIdentity): Promise<ManInTheMiddle> {
    const it = new ManInTheMiddle(receiverPort, source, target);
    await new Promise<void>((resolve) => it.server.listen(0, '127.0.0.1', resolve));
    return it;
  }
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** A request of his own to the receiver, over the source's certificate. */
  async ask(method: string, path: string, headers: Readonly<Record<string, string>> = {}, body: Buffer = Buffer.alloc(0)): Promise<Answer> {
    return await new Promise((resolve, reject) => {
      const request = httpsRequest(
        {
          host: '127.0.0.1',
          port: this.receiverPort,
          agent: this.agent,
          method,
          path,
          headers: { ...headers, 'Content-Length': String(body.length) },
        },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('error', reject);
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }));
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  /** PUT of whole bytes under their own hash, to where they belong or elsewhere. */
  async put(path: string, bytes: Uint8Array, hash: string): Promise<Answer> {
    const headers = { 'Srdf-Hash': hash, 'Srdf-Length': String(bytes.length), 'Srdf-Offset': '0' };
    return await this.ask('PUT', path, headers, Buffer.from(bytes));
  }

  /** The next request needs a connection of its own. */
  hangUp(): void {
    this.agent.destroy();
  }

  async close(): Promise<void> {
    this.agent.destroy();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async carry(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.closed) {
      request.socket.destroy();
      return;
    }
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const asked = { method: request.method ?? '', path: request.url ?? '' };
    const named = ['srdf-hash', 'srdf-length', 'srdf-offset'].flatMap((name) => {
      const value = request.headers[name];
      return typeof value === 'string' ? [[name, value] as const] : [];
    });
    const honest = await this.ask(asked.method, asked.path, Object.fromEntries(named), body);
    const hash = request.headers['srdf-hash'];
    if (asked.method === 'PUT' && honest.status === 201 && typeof hash === 'string')
      this.passed.push({ path: asked.path, hash, bytes: body });
    const { status, headers, body: answer } = (await this.forge(asked, honest)) ?? honest;
    for (const [name, value] of Object.entries(headers))
      if (value !== undefined && /^(srdf-|content-type|retry-after)/.test(name)) response.setHeader(name, value);
    response.writeHead(status, { 'Content-Length': String(answer.length) }).end(answer);
  }
}
