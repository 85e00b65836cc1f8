/** A client that says what it likes: bytes over TCP or TLS, and what comes back. */
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';

/** A connection over which nothing is ever sent; resolves once it stands, or is refused. */
export function holdOpen(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connectTcp({ port, host: '127.0.0.1', localAddress });
    socket.on('error', () => undefined);
    socket.resume();
    socket.once('connect', () => resolve(socket));
    socket.once('close', () => resolve(socket));
  });
}

/** Sends the text over TLS with this certificate, ends its own side, and gives back all that is answered until the receiver closes. */
export function speak(port: number, tls: ConnectionOptions, text: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...tls }, () => {
      socket.end(text);
    });
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(heard));
  });
}
