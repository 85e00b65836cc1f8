/** Connections that are kept for whoever comes next: opening one takes a dozen round trips, as long as a small part of a range. */
import type { Connection } from 'mysql2/promise';

/** Ranges follow each other at once: what nobody has wanted for so long is closed. */
const KEPT_MILLISECONDS = 5_000;

interface Kept {
  readonly connection: Connection;
  readonly closing: NodeJS.Timeout;
}

export class KeptConnections {
  private kept: Kept[] = [];

  constructor(private readonly open: () => Promise<Connection>) {}

  /** `work` leaves the session as it found it. After an error the connection is closed: its transaction ends with it. */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = (await this.take()) ?? (await this.open());
    let result: T;
    try {
      result = await work(connection);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    this.keep(connection);
    return result;
  }

  close(): void {
    for (const { connection, closing } of this.kept.splice(0)) {
      clearTimeout(closing);
      connection.destroy();
    }
  }

  private async take(): Promise<Connection | null> {
    for (;;) {
      const last = this.kept.pop();
      if (last === undefined) return null;
      clearTimeout(last.closing);
      // It may have died meanwhile, with the server or alone.
      const alive = await last.connection.ping().then(
        () => true,
        () => false,
      );
      if (alive) return last.connection;
      last.connection.destroy();
    }
  }

  private keep(connection: Connection): void {
    const closing = setTimeout(() => {
      this.kept = this.kept.filter((it) => it.connection !== connection);
      connection.destroy();
    }, KEPT_MILLISECONDS).unref();
    this.kept.push({ connection, closing });
  }
}
