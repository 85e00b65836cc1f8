/** When a server began a file of its binary log: asked of the file itself, by a look that throws no other reader out. */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import { describeServer, openConnection, type ServerAccess, type ServerKind } from '../connection.js';
import { DumpConnection } from './dump-connection.js';
import { EVENT } from './event-types.js';
import { PacketFramer } from './packet-framer.js';

/** COM_BINLOG_DUMP has 32 bits for the offset. */
const LARGEST_OFFSET = 0xffffffff;

/** Seconds since 1970, as the file's format description says; the server sends it first, wherever in the file a dump begins. */
export async function fileMade(
  access: ServerAccess,
  kind: ServerKind,
  at: { readonly file: string; readonly offset: number },
): Promise<number> {
  const connection = await openConnection(access);
  let dump: DumpConnection | null = null;
  try {
    dump = await DumpConnection.open(connection, {
      family: kind.engine,
      version: kind.number,
      start: { by: 'file', file: at.file, offset: at.offset > LARGEST_OFFSET ? 4 : at.offset },
      serverId: 0,
      stopAtEnd: true,
      signal: undefined,
    });
    const framer = new PacketFramer();
    for (;;) {
      const chunk = await dump.nextChunk();
      if (chunk === null) throw nothing(access, at.file, 'the server closed the connection');
      framer.push(chunk);
      while (framer.next()) {
        const { bytes, starts, ends, count } = framer;
        for (let i = 0; i < count; i++) {
          const [start = 0, end = 0] = [starts[i], ends[i]];
          if (bytes[start] !== 0) throw nothing(access, at.file, bytes.toString('latin1', Math.min(start + 9, end), end));
          if (bytes[start + 5] === EVENT.FORMAT_DESCRIPTION) return bytes.readUInt32LE(start + 1);
        }
      }
    }
  } finally {
    dump?.close();
    connection.destroy();
  }
}

const nothing = (access: ServerAccess, file: string, found: string): SrdfError =>
  new SrdfError('source-unreachable', {
    tried: `asking ${describeServer(access.server)} when its log file ${file} was begun`,
    found,
    action: 'It is asked again by itself; see the error log of the source if it stays',
  });
