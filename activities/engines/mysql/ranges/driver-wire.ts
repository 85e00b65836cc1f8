/** What of the driver's own connection is used where its decoding and copying would cost too much: packets as they come and go. */
import type { Connection } from 'mysql2/promise';

/** Valid during the call alone. */
export interface Packet {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
  readonly sequenceId: number;
  isEOF(): boolean;
  isError(): boolean;
  asError(encoding: string): Error;
}

/** A command as mysql2 runs them: `execute` is called to begin, then with each packet, until it says true. */
export interface WireCommand {
  execute(packet: Packet | undefined, wire: Wire): boolean;
  /** The connection is lost. */
  onResult(error: Error | null): void;
}

/** The same for plain and TLS connections. */
export interface Wire {
  readonly clientEncoding: string;
  readonly config: { readonly clientFlags: number };
  readonly serverCapabilityFlags?: number;
  readonly stream: { write(bytes: Uint8Array, written: (error?: Error | null) => void): boolean };
  addCommand(command: WireCommand): void;
  write(bytes: Buffer): void;
  pause(): void;
  resume(): void;
  _resetSequenceId(): void;
  _bumpSequenceId(packets: number): void;
}

export const wireOf = (connection: Connection): Wire => (connection as unknown as { readonly connection: Wire }).connection;

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html */
const COM_QUERY = 3;
/** CLIENT_QUERY_ATTRIBUTES: then a statement begins with the number of its attributes, and of their sets. */
const QUERY_ATTRIBUTES = 0x0800_0000;
const NO_ATTRIBUTES = [0, 1];

/** Sends a statement of less than 16 MiB. */
export function sendStatement(wire: Wire, sql: string): void {
  const attributes = (wire.config.clientFlags & (wire.serverCapabilityFlags ?? 0) & QUERY_ATTRIBUTES) !== 0;
  const body = Buffer.concat([Buffer.from(attributes ? [COM_QUERY, ...NO_ATTRIBUTES] : [COM_QUERY]), Buffer.from(sql, 'utf8')]);
  const head = Buffer.alloc(4);
  head.writeUIntLE(body.length, 0, 3);
  wire._resetSequenceId();
  wire.write(Buffer.concat([head, body]));
  wire._bumpSequenceId(1);
}
