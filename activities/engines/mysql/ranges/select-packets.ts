/** The edge: runs a SELECT and hands the packets of its rows on as they come, without the driver's decoding. */
import type { Connection } from 'mysql2/promise';

/** What of the driver's packet is looked at. Valid during the call alone. */
interface Packet {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
  isEOF(): boolean;
  isError(): boolean;
  asError(encoding: string): Error;
}
/** What of the driver's connection is used; the same for plain and TLS connections. */
interface Wire {
  readonly clientEncoding: string;
  readonly config: { readonly clientFlags: number };
  readonly serverCapabilityFlags?: number;
  addCommand(command: SelectCommand<unknown>): void;
  write(bytes: Buffer): void;
  pause(): void;
  resume(): void;
  _resetSequenceId(): void;
  _bumpSequenceId(packets: number): void;
}
/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html */
const COM_QUERY = 3;
/** CLIENT_QUERY_ATTRIBUTES: then a statement begins with the number of its attributes, and of their sets. */
const QUERY_ATTRIBUTES = 0x0800_0000;
const NO_ATTRIBUTES = [0, 1];

/**
 * What `take` makes of the rows, as it makes it: null for nothing yet. `end` is asked once after the last row. While a result waits to be
 * consumed the server waits too. Left early, the connection still has rows under way and can only be destroyed.
 */
export async function* selectPackets<T>(
  connection: Connection,
  sql: string,
  take: (bytes: Buffer, start: number, end: number) => T | null,
): AsyncGenerator<T> {
  const wire = (connection as unknown as { readonly connection: Wire }).connection;
  const command = new SelectCommand(sql, take);
  wire.addCommand(command as SelectCommand<unknown>);
  for (;;) {
    while (command.results.length > 0) yield command.results.shift() as T;
    if (command.failure !== null) throw command.failure;
    if (command.done) return;
    wire.resume();
    await command.progress();
  }
}

/** A command as mysql2 runs them: `execute` is called to begin, then with each packet, until it says true. */
class SelectCommand<T> {
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
      this.begin(wire);
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

  private begin(wire: Wire): void {
    const attributes = (wire.config.clientFlags & (wire.serverCapabilityFlags ?? 0) & QUERY_ATTRIBUTES) !== 0;
    const body = Buffer.concat([Buffer.from(attributes ? [COM_QUERY, ...NO_ATTRIBUTES] : [COM_QUERY]), Buffer.from(this.sql, 'utf8')]);
    const head = Buffer.alloc(4);
    head.writeUIntLE(body.length, 0, 3);
    wire._resetSequenceId();
    wire.write(Buffer.concat([head, body]));
    wire._bumpSequenceId(1);
    this.state = 'header';
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

  /** The driver calls it when the connection is lost. */
  onResult = (error: Error | null): void => {
    if (error !== null) this.end(error);
  };

  async progress(): Promise<void> {
    if (this.done || this.failure !== null || this.results.length > 0) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    this.wake = null;
  }
}
