/**
 * Shows payloads in clear to whoever may see them: a remote codec for Temporal's UI and command line, which hold no key.
 * POST /decode and /encode take and give `{"payloads": […]}` in proto3 JSON (docs.temporal.io/remote-data-encoding).
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { SrdfError } from './error-catalogue.js';
import { EncryptingPayloadCodec, parsePayloadKey } from './payload-codec.js';

export interface CodecServerOptions {
  /** config.temporal.payloadKey, resolved. */
  readonly secret: string;
  /** host:port; port 0 takes a free one. Whoever reaches it reads payloads: a loopback address, or behind something that authenticates. */
  readonly listen: string;
  /** The UI's address: pages from anywhere else are refused. */
  readonly origin: string;
}
export interface CodecServer {
  readonly url: string;
  close(): Promise<void>;
}

/** A page of the UI asks for all of a history's payloads at once. */
const MOST_BYTES = 64 * 2 ** 20;
const { Payloads } = proto.temporal.api.common.v1;

/** Throws `config-invalid` for an address that can't be listened on, `key-missing` for a key that is none. */
export async function startCodecServer(options: CodecServerOptions): Promise<CodecServer> {
  const codec = new EncryptingPayloadCodec(parsePayloadKey(options.secret));
  const origins = originsOf(options.origin);
  const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(options.listen) ?? [];
  const server = createServer((request, response) => {
    answer(codec, origins, request, response).catch(() => response.destroy());
  });
  server.listen(Number(port), host === '' ? '127.0.0.1' : host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new SrdfError('config-invalid', {
      tried: `listening on ${options.listen}`,
      found: (cause as Error).message,
      action: 'Name a free port of this machine: --listen 127.0.0.1:8081',
      cause,
    });
  }
  const at = server.address() as AddressInfo;
  return {
    url: `http://${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** One machine's two names are one origin to its user. */
function originsOf(origin: string): ReadonlySet<string> {
  const url = new URL(origin);
  const names = ['localhost', '127.0.0.1'];
  return new Set(names.includes(url.hostname) ? names.map((it) => `${url.protocol}//${it}:${url.port}`.replace(/:$/, '')) : [url.origin]);
}

async function answer(
  codec: EncryptingPayloadCodec,
  origins: ReadonlySet<string>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { origin } = request.headers;
  const end = (status: number, body = ''): void => void response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  // A page that isn't the UI's may not even ask; programs send no origin.
  if (origin !== undefined && !origins.has(origin)) return end(403, '{"message": "another origin than the UI’s"}');
  if (origin !== undefined) {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('vary', 'origin');
  }
  if (request.method === 'OPTIONS') {
    response.setHeader('access-control-allow-methods', 'POST');
    response.setHeader('access-control-allow-headers', 'content-type, x-namespace, authorization, authorization-extras');
    return end(204);
  }
  const path = new URL(request.url ?? '/', 'http://codec').pathname;
  if (request.method !== 'POST' || (path !== '/decode' && path !== '/encode')) return end(404, '{"message": "POST /decode or /encode"}');
  let payloads: Payload[];
  try {
    payloads = Payloads.fromObject(JSON.parse(await readBody(request))).payloads;
  } catch {
    return end(400, '{"message": "not {\\"payloads\\": […]}, or too large"}');
  }
  try {
    const done = path === '/decode' ? await codec.decode(payloads) : await codec.encode(payloads);
    end(200, JSON.stringify(Payloads.toObject(Payloads.create({ payloads: done }), { bytes: String, defaults: true })));
  } catch (error) {
    end(400, JSON.stringify({ message: error instanceof SrdfError ? error.message : 'it cannot be opened' }));
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new RangeError('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
