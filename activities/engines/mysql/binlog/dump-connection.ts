/**
 * The edge: takes a mysql2 connection's socket over, asks for the binary log and gives its bytes one chunk at a time.
 * COM_BINLOG_DUMP and COM_BINLOG_DUMP_GTID: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_binlog_dump.html
 */
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Connection } from 'mysql2/promise';
import type { EngineName } from '../../engine.js';
import { MariadbGtidSet, type MysqlGtidSet } from './gtid-set.js';

export interface DumpRequest {
  readonly family: EngineName;
  /** Version as major * 10000 + minor * 100 + patch. */
  readonly version: number;
  readonly start:
    | { readonly by: 'file'; readonly file: string; readonly offset: number }
    | { readonly by: 'gtid'; readonly gtids: MariadbGtidSet | MysqlGtidSet };
  /** 0: a look that nobody is thrown out for. Otherwise the server ends an older dump with the same id. */
  readonly serverId: number;
  /** EOF at the end of the log instead of waiting for more. */
  readonly stopAtEnd: boolean;
  readonly signal: AbortSignal | undefined;
}

const COM_BINLOG_DUMP = 0x12;
const COM_BINLOG_DUMP_GTID = 0x1e;
const NON_BLOCK = 0x01;
const SEND_ANNOTATE_ROWS = 0x02;
const THROUGH_GTID = 0x04;
const HEARTBEAT_SECONDS = 5;
/** Many heartbeats without a byte: the connection is dead, whatever TCP believes. */
const SILENCE_MS = 60_000;

/** A dump of the same id and uuid that is still running is a former attempt of ours: the server ends it. */
const replicaUuid = (serverId: number): string => {
  const hex = createHash('sha256').update(`srdf/replica/${serverId}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

export class DumpConnection {
  private readonly stream: Duplex;
  private failure: Error | null = null;
  private ended = false;
  private wake: (() => void) | null = null;

  private constructor(
    private readonly connection: Connection,
    private readonly request: DumpRequest,
  ) {
    const core = (connection as unknown as { readonly connection: { readonly stream: Duplex } }).connection;
    this.stream = core.stream;
  }

  /** The connection belongs to the dump from here on, and ends with it. */
  static async open(connection: Connection, request: DumpRequest): Promise<DumpConnection> {
    const nanoseconds = HEARTBEAT_SECONDS * 1e9;
    const settings = [
      // Aware of checksums; each file's own format description says whether its events have one.
      "@master_binlog_checksum='CRC32', @source_binlog_checksum='CRC32'",
      `@master_heartbeat_period=${nanoseconds}, @source_heartbeat_period=${nanoseconds}`,
    ];
    if (request.family === 'mariadb') {
      settings.push('@mariadb_slave_capability=4');
      if (request.start.by === 'gtid') settings.push(`@slave_connect_state='${request.start.gtids.toString()}', @slave_gtid_strict_mode=0`);
    } else if (request.serverId !== 0) {
      const uuid = replicaUuid(request.serverId);
      settings.push(`@slave_uuid='${uuid}', @replica_uuid='${uuid}'`);
    }
    await connection.query(`SET ${settings.join(', ')}`);
    const dump = new DumpConnection(connection, request);
    dump.takeOver();
    dump.stream.write(dump.command());
    return dump;
  }

  private takeOver(): void {
    const { stream } = this;
    stream.pause();
    for (const event of ['data', 'error', 'end', 'close', 'timeout']) stream.removeAllListeners(event);
    const wake = (): void => this.wake?.();
    stream.on('readable', wake);
    stream.on('error', (error: Error) => {
      this.failure = error;
      wake();
    });
    for (const event of ['end', 'close'])
      stream.on(event, () => {
        this.ended = true;
        wake();
      });
  }

  private command(): Buffer {
    const { start, serverId, stopAtEnd, family, version } = this.request;
    let flags = stopAtEnd ? NON_BLOCK : 0;
    // From 11.4 on positions inside a transaction are counted by us: nothing of the file may be left out.
    if (family === 'mariadb' && version >= 110_400) flags |= SEND_ANNOTATE_ROWS;
    let body: Buffer;
    if (start.by === 'gtid' && !(start.gtids instanceof MariadbGtidSet)) {
      const set = start.gtids.encode();
      body = Buffer.alloc(1 + 2 + 4 + 4 + 8 + 4);
      body.writeUInt8(COM_BINLOG_DUMP_GTID, 0);
      body.writeUInt16LE(flags | THROUGH_GTID, 1);
      body.writeUInt32LE(serverId, 3);
      body.writeUInt32LE(0, 7);
      body.writeBigUInt64LE(4n, 11);
      body.writeUInt32LE(set.length, 19);
      body = Buffer.concat([body, set]);
    } else {
      const file = Buffer.from(start.by === 'file' ? start.file : '', 'latin1');
      body = Buffer.alloc(11);
      body.writeUInt8(COM_BINLOG_DUMP, 0);
      body.writeUInt32LE(start.by === 'file' ? start.offset : 4, 1);
      body.writeUInt16LE(flags, 5);
      body.writeUInt32LE(serverId, 7);
      body = Buffer.concat([body, file]);
    }
    const head = Buffer.alloc(4);
    head.writeUIntLE(body.length, 0, 3);
    return Buffer.concat([head, body]);
  }

  /** The next bytes; null once the server has closed. Throws when the connection is lost or silent, or the signal aborts. */
  async nextChunk(): Promise<Buffer | null> {
    const { stream, request } = this;
    let silent = false;
    for (;;) {
      request.signal?.throwIfAborted();
      if (this.failure !== null) throw this.failure;
      const chunk = stream.read() as Buffer | null;
      if (chunk !== null) return chunk;
      if (this.ended) return null;
      if (silent) throw new Error(`no byte and no heartbeat for ${SILENCE_MS / 1000} s`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          silent = true;
          this.wake?.();
        }, SILENCE_MS);
        const aborted = (): void => this.wake?.();
        request.signal?.addEventListener('abort', aborted, { once: true });
        this.wake = () => {
          this.wake = null;
          clearTimeout(timer);
          request.signal?.removeEventListener('abort', aborted);
          resolve();
        };
      });
    }
  }

  close(): void {
    this.connection.destroy();
    this.stream.destroy();
  }
}
