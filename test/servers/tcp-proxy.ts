/** A line between two programs on this machine that a test can break in every way a real one breaks. */
import { createServer, type Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

type Direction = 'to the server' | 'to the client';
const OTHER: Readonly<Record<Direction, Direction>> = { 'to the server': 'to the client', 'to the client': 'to the server' };

/** One connection through the line: two sockets, and what is done to what passes. */
class Passage {
  private readonly sockets: Readonly<Record<Direction, Socket>>;
  private readonly lost = new Set<Direction>();
  private bytes: Record<Direction, number> = { 'to the server': 0, 'to the client': 0 };
  private resetAfter: number | null = null;
  /** Bytes a second each way; null: as they come. */
  rate: number | null = null;

  constructor(client: Socket, server: Socket, ended: (passage: Passage) => void) {
    this.sockets = { 'to the client': client, 'to the server': server };
    for (const way of ['to the server', 'to the client'] as const) {
      const [from, to] = [this.sockets[OTHER[way]], this.sockets[way]];
      from.setNoDelay(true);
      void this.carry(way, from, to).catch(() => undefined);
      from.on('error', () => undefined);
      // A connection of which one half is lost doesn't tell the other side that it has ended.
      from.on('end', () => {
        if (!this.lost.has(way)) to.end();
      });
      from.on('close', (failed) => {
        if (!this.lost.has(way)) {
          if (failed) to.resetAndDestroy();
          else to.end();
        }
        if (client.destroyed && server.destroyed) ended(this);
      });
    }
  }

  private async carry(way: Direction, from: Socket, to: Socket): Promise<void> {
    // Its end alone mustn't end its other half.
    for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; ) {
        const { rate } = this;
        const part = chunk.subarray(at, rate === null ? chunk.length : at + Math.max(1, Math.floor(rate / 10)));
        at += part.length;
        this.bytes[way] += part.length;
        if (way === 'to the server' && this.resetAfter !== null && this.bytes[way] >= this.resetAfter) {
          // Some of the body has gone over before the line breaks.
          if (!to.destroyed) to.write(part.subarray(0, Math.ceil(part.length / 2)), () => this.reset());
          return;
        }
        if (this.lost.has(way)) continue;
        if (rate !== null) await sleep(100);
        if (!to.destroyed && !to.write(part))
          await new Promise<void>((resolve) => {
            to.once('drain', resolve);
            to.once('close', () => resolve());
          });
      }
    }
  }

  /** For good: a firewall that has forgotten a connection doesn't remember it. Neither side is told. */
  lose(way: Direction): void {
    this.lost.add(way);
  }
  /** Once so many bytes more have come from the client. */
  resetAfterBytes(more: number): void {
    this.resetAfter = this.bytes['to the server'] + more;
  }
  reset(): void {
    for (const socket of Object.values(this.sockets)) if (!socket.destroyed) socket.resetAndDestroy();
  }
  end(): void {
    for (const socket of Object.values(this.sockets)) socket.destroy();
  }
}

export class TcpProxy {
  private readonly passages = new Set<Passage>();
  private server: Server | null = null;
  private listening = 0;
  private lost: readonly Direction[] = [];
  private rate: number | null = null;
  private resetAfter: number | null = null;

  private constructor(private readonly to: { readonly host: string; readonly port: number }) {}

  /** Listens on a free port of 127.0.0.1; the server behind it needn't be there yet. */
  static async start(to: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
    const proxy = new TcpProxy(to);
    await proxy.listen();
    return proxy;
  }
  get port(): number {
    return this.listening;
  }
  get connections(): number {
    return this.passages.size;
  }

  /** Every connection is reset, and new ones are refused. */
  async cut(): Promise<void> {
    const { server } = this;
    this.server = null;
    for (const passage of this.passages) passage.reset();
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
  /** What is sent in these directions vanishes, on all connections and on new ones; connections stay open. */
  blackHole(...directions: readonly Direction[]): void {
    this.lost = directions;
    for (const passage of this.passages) for (const way of directions) passage.lose(way);
  }
  /** Every connection breaks once its client has sent so many bytes more, also each new one. */
  resetInBody(bytes: number): void {
    this.resetAfter = bytes;
    for (const passage of this.passages) passage.resetAfterBytes(bytes);
  }
  /** Bytes a second, each way and each connection. */
  slow(rate: number): void {
    this.rate = rate;
    for (const passage of this.passages) passage.rate = rate;
  }
  /** New connections pass. Those whose bytes were lost stay as they are: half open. */
  async heal(): Promise<void> {
    this.lost = [];
    this.rate = null;
    this.resetAfter = null;
    for (const passage of this.passages) passage.rate = null;
    if (this.server === null) await this.listen();
  }
  async close(): Promise<void> {
    const { server } = this;
    this.server = null;
    for (const passage of this.passages) passage.end();
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  private async listen(): Promise<void> {
    // Half open on purpose: one side's end isn't the other's.
    const server = createServer({ allowHalfOpen: true }, (client) => this.accept(client));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.listening, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    this.listening = address.port;
    this.server = server;
  }

  private accept(client: Socket): void {
    const server = new Socket({ allowHalfOpen: true });
    server.connect(this.to.port, this.to.host);
    const passage = new Passage(client, server, (it) => this.passages.delete(it));
    this.passages.add(passage);
    for (const way of this.lost) passage.lose(way);
    passage.rate = this.rate;
    if (this.resetAfter !== null) passage.resetAfterBytes(this.resetAfter);
  }
}
