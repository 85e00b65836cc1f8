/** The edge: runs a SELECT and hands the packets of its rows on as they come, without the driver's decoding. */
import type { Connection } from 'mysql2/promise';
import { type Packet, sendStatement, type Wire, type WireCommand, wireOf } from './driver-wire.js';

/**
 * What `take` makes of the rows, as it makes it: null for nothing yet. `end` is asked once after the last row. While a result waits to be
 * consumed the server waits too. Left early, the connection still has rows under way and can only be destroyed.
 */
export async function* selectPackets<T>(
  connection: Connection,
  sql: string,
  take: (bytes: Buffer, start: number, end: number) => T | null,
): AsyncGenerator<T> {
  const wire = wireOf(connection);
  const command = new SelectCommand(sql, take);
  wire.addCommand(command);
  for (;;) {
    while (command.results.length > 0) yield command.results.shift() as T;
    if (command.failure !== null) throw command.failure;
    if (command.done) return;
    wire.resume();
    await command.progress();
  }
}

class SelectCommand<T> implements WireCommand {
  readonly results: T[] = [];
  failure: Error | null = null;
  done = false;
  private state: 'new' | 'header' | 'columns' | 'rows' = 'new';
  private wake: (() => void) | null = null;

  constructor(
    private readonly sql: string,
    private readonly take: (bytes: Buffer, start: number, end: number) => T | null,
  ) {}

  execute(packet: Packet | undefined, wire: Wire): boolean {
    if (packet === undefined) {
      sendStatement(wire, this.sql);
      this.state = 'header';
      return false;
    }
    if (packet.isError()) return this.end(packet.asError(wire.clientEncoding));
    if (this.state === 'header') this.state = 'columns';
    else if (packet.isEOF()) {
      if (this.state === 'rows') return this.end(null);
      this.state = 'rows';
    } else if (this.state === 'rows') this.row(packet, wire);
    return false;
  }

  private row(packet: Packet, wire: Wire): void {
    if (this.failure !== null) return;
    try {
      const result = this.take(packet.buffer, packet.offset, packet.end);
      if (result === null) return;
      this.results.push(result);
    } catch (error) {
      this.failure = error as Error;
    }
    wire.pause();
    this.wake?.();
  }

  private end(failure: Error | null): true {
    this.failure ??= failure;
    this.done = true;
    this.wake?.();
    return true;
  }

  onResult(error: Error | null): void {
    if (error !== null) this.end(error);
  }

  async progress(): Promise<void> {
    if (this.done || this.failure !== null || this.results.length > 0) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    this.wake = null;
  }
}
