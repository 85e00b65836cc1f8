/**
 * Who may hold connections. Strangers are those whose certificate isn't known yet, or is refused: when they are too many, the oldest of
 * the address that holds most gives way, so that whoever holds every place can't keep the pinned peer out. The peer's own are counted apart.
 */
import type { Socket } from 'node:net';

export interface ConnectionLimits {
  /** The pinned peer's. */
  readonly connections: number;
  /** Before or without the right certificate. */
  readonly strangers: number;
}

export class ReceiverConnections {
  /** In order of arrival. */
  private readonly strangers = new Map<string, Socket>();
  private readonly admitted = new Map<string, Socket>();

  constructor(
    private readonly limits: ConnectionLimits,
    private readonly onDrop: (peer: string | undefined) => void,
  ) {}

  /** A connection before its handshake. */
  arrived(socket: Socket): void {
    const name = nameOf(socket);
    if (this.strangers.size >= this.limits.strangers) this.dropOldest();
    this.strangers.set(name, socket);
    socket.once('close', () => {
      if (this.strangers.get(name) === socket) this.strangers.delete(name);
      if (this.admitted.get(name) === socket) this.admitted.delete(name);
    });
  }

  /** The certificate was right. false: the peer has as many as it may, and this one is to be closed. `socket` may be TLS's own around it. */
  admit(socket: Socket): boolean {
    const name = nameOf(socket);
    const raw = this.strangers.get(name);
    if (raw === undefined || this.admitted.size >= this.limits.connections) {
      this.onDrop(socket.remoteAddress);
      return false;
    }
    this.strangers.delete(name);
    this.admitted.set(name, raw);
    return true;
  }

  destroyAll(): void {
    for (const socket of [...this.strangers.values(), ...this.admitted.values()]) socket.destroy();
  }

  private dropOldest(): void {
    const held = new Map<string | undefined, number>();
    for (const { remoteAddress } of this.strangers.values()) held.set(remoteAddress, (held.get(remoteAddress) ?? 0) + 1);
    const most = Math.max(...held.values());
    for (const [name, socket] of this.strangers) {
      if (held.get(socket.remoteAddress) !== most) continue;
      this.strangers.delete(name);
      this.onDrop(socket.remoteAddress);
      socket.destroy();
      return;
    }
  }
}

const nameOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;
