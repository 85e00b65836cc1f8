/**
 * The target's receiver: HTTPS with TLS 1.3 only and exactly the pinned client certificate. What it can be asked is in
 * receiver-requests.ts. A connection with any other certificate never reaches the HTTP parser: it is told why and closed.
 */
import { constants } from 'node:crypto';
import { createServer as createHttpsServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { SrdfError } from '../../temporal/error-catalogue.js';
import { errorCode } from './atomic-file.js';
import { BoundedLog } from './bounded-log.js';
import { type Mistrust, type PinnedTls, pinCertificate } from './certificates.js';
import { ReceiverConnections } from './receiver-connections.js';
import type { ReceiverDuties } from './receiver-duties.js';
import { DEFAULT_RECEIVER_LIMITS, type ReceiverLimits } from './receiver-limits.js';
import { ReceiverRequests } from './receiver-requests.js';
import type { RefusalBody } from './refusal.js';

export interface ReceiverOptions extends ReceiverDuties {
  readonly tls: PinnedTls;
  /** `address:port`, an IPv6 address in brackets; port 0 takes a free one. */
  readonly listen: string;
  readonly limits?: Partial<ReceiverLimits>;
}
export interface Receiver {
  readonly port: number;
  /** Ends every connection; uploads under way stay in the inbox as far as they came. */
  close(): Promise<void>;
}

const UPLOADS_EXPIRE_EVERY_MILLISECONDS = 3_600_000;

/** Listens until closed. Throws `config-invalid` when it can't listen there. */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const limits = { ...DEFAULT_RECEIVER_LIMITS, ...options.limits };
  // Whatever a peer or a stranger does is said here; what this site itself does, in `options.log`.
  const log = new BoundedLog(options.log, limits);
  const requests = new ReceiverRequests(options, limits, log);
  const connections = new ReceiverConnections(limits, (peer) => log.warn({ peer }, 'receiver: too many connections'));
  const pin = pinCertificate(options.tls.peerCertificate);
  const server = createHttpsServer(
    {
      key: options.tls.key,
      cert: options.tls.certificate,
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      requestCert: true,
      // No authority is asked: the pin below decides. That the peer holds the certificate's key, TLS itself has proved by then.
      rejectUnauthorized: false,
      // Every connection shows its certificate anew.
      secureOptions: constants.SSL_OP_NO_TICKET,
      handshakeTimeout: limits.handshakeMilliseconds,
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMilliseconds,
      requestTimeout: 0, // a body may take long; one that stalls is given up by its rate
      keepAliveTimeout: limits.idleMilliseconds,
      connectionsCheckingInterval: Math.min(5_000, limits.headersMilliseconds),
    },
    (request, response) => requests.handle(request, response),
  );
  admitOnlyPinned(server, (socket) => {
    const why = pin(socket.getPeerX509Certificate()?.raw, new Date());
    if (why !== null) log.warn({ peer: socket.remoteAddress, why: why.found }, 'receiver: connection refused');
    else if (!connections.admit(socket)) socket.destroy();
    return why;
  });
  server.maxHeadersCount = 64;
  server.on('tlsClientError', (error, socket) => {
    log.warn({ peer: socket.remoteAddress, why: error.message }, 'receiver: TLS handshake failed');
  });
  server.on('connection', (socket: Socket) => connections.arrived(socket));

  const port = await listen(server, options.listen);
  const expiring = setInterval(() => {
    options.inbox.expireUploads().catch((error: unknown) => options.log.error({ err: error }, 'receiver: unfinished uploads stay'));
  }, UPLOADS_EXPIRE_EVERY_MILLISECONDS);
  expiring.unref();
  options.log.info({ listen: options.listen, port }, 'receiver: listening');
  return {
    port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      clearInterval(expiring);
      connections.destroyAll();
      await closed;
      await requests.idle();
      log.close();
    },
  };
}

/** Puts the pin between TLS and HTTP. Who is admitted and yet one too many is destroyed by `whyRefused`. */
function admitOnlyPinned(server: Server, whyRefused: (socket: TLSSocket) => Mistrust | null): void {
  const serve = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[];
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket) => {
    const why = whyRefused(socket);
    if (socket.destroyed) return;
    if (why === null) {
      for (const listener of serve) listener.call(server, socket);
      return;
    }
    const { found, early } = why;
    // A clock that goes wrong for a moment must not end what has run for hours.
    const body: RefusalBody = early
      ? { code: 'receiver-unreachable', found, action: 'Set the clock of the target, which is behind; it is tried again by itself' }
      : {
          code: 'receiver-refused',
          found,
          action:
            "Exchange the sites' bundles again with `srdf keys trust`, and see that both clocks are right. How keys that have ended are renewed: " +
            'srdf keys --help',
        };
    const json = JSON.stringify(body);
    socket.on('error', () => socket.destroy());
    socket.resume();
    socket.end(
      `HTTP/1.1 ${early ? '503 Service Unavailable' : '403 Forbidden'}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(json)}\r\nConnection: close\r\n\r\n${json}`,
    );
    // Destroyed at once, the answer could be lost with what the peer is still sending.
    setTimeout(() => socket.destroy(), 2_000).unref();
  });
}

async function listen(server: Server, where: string): Promise<number> {
  const [, bracketed, plain, port = ''] = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(where) ?? [];
  const host = bracketed ?? plain;
  const cannot = (found: string, cause?: unknown) =>
    new SrdfError('config-invalid', {
      tried: `listening on ${where} for the source's wagons`,
      found,
      action: "Set the target's receiver.listen to an address of this machine and a free port, such as 0.0.0.0:7443",
      cause,
    });
  if (host === undefined || Number(port) > 65_535) throw cannot('it is not address:port');
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannot(errorCode(error) ?? error.message, error)));
    server.listen(Number(port), host, resolve);
  });
  return (server.address() as AddressInfo).port;
}
