/**
 * Reads the binary log from a position on: connection, packets, events, transactions. Bounded memory: nothing is read from
 * the socket while the consumer works on a batch.
 */
import { SrdfError } from '../../../temporal/error-catalogue.js';
import type { Position } from '../../vocabulary.js';
import type { DdlClassification, LogBatch, ReadLogOptions, Selection } from '../engine.js';
import { DumpConnection, type DumpRequest } from './binlog/dump-connection.js';
import { parseGtidSet } from './binlog/gtid-set.js';
import { PacketFramer } from './binlog/packet-framer.js';
import { TransactionAssembler } from './binlog/transaction-assembler.js';
import {
  describeServer,
  lowerCaseTableNames,
  openConnection,
  type ServerAccess,
  type ServerKind,
  serverIdentity,
  serverKind,
} from './connection.js';
import { fileAfter, logEnd, queryError } from './log-end.js';
import { ESTABLISH_KEEPING } from './lost-history.js';
import { type BinlogPosition, comparePlace, fileNumber, parsePosition } from './position.js';

export { mysqlRowFormat } from './binlog/row-format.js';
export { currentPosition } from './current-position.js';
export { inspectSource } from './inspect-source.js';
export { reached } from './position.js';

/** What reading a source's log takes. `serverId`: the replica id we show, unique among the source's replicas. */
export interface LogSource extends ServerAccess {
  readonly serverId: number;
}

/** Inner events of a payload are handed on once so many bytes of images have come together. */
const BATCH_BYTES = 1 << 20;
/** COM_BINLOG_DUMP has 32 bits for the offset; behind that a position is only reached by GTID. */
const LARGEST_OFFSET = 0xffffffff;

/**
 * Batches of whole or partial transactions in log order, from `from` on. Row images in a batch are views into shared memory:
 * copy them before handing their ArrayBuffer to another thread. Items after the last `commit` of a read that ends are void.
 *
 * Errors: `position-purged`, `log-corrupt`, `log-event-unsupported`, `statement-unclassifiable`, `incident`,
 * `source-unreachable`, `source-preflight`.
 */
export async function* readLog(source: LogSource, from: Position, options: ReadLogOptions): AsyncGenerator<LogBatch> {
  yield* readBatches(source, from, options, { rows: true, serverId: source.serverId, until: null });
}

/** DDL in scope in (from, to]. `position` is the end of the statement's transaction. */
export async function scanDdl(
  access: ServerAccess,
  from: Position,
  to: Position,
  selection: Selection,
): Promise<readonly { position: Position; classification: DdlClassification }[]> {
  const found: { position: Position; classification: DdlClassification }[] = [];
  let pending: DdlClassification[] = [];
  // Server id 0: a look beside the reader that is at work, which isn't thrown out for it.
  for await (const batch of readBatches(access, from, { selection }, { rows: false, serverId: 0, until: parsePosition(to) })) {
    for (const item of batch.items) {
      if (item.kind === 'begin' || item.kind === 'abandon') pending = [];
      else if (item.kind === 'ddl') pending.push(item.statement.classification);
      else if (item.kind === 'commit') {
        for (const classification of pending) found.push({ position: item.position, classification });
        pending = [];
      }
    }
  }
  return found;
}

interface ReadPlan {
  readonly rows: boolean;
  readonly serverId: number;
  /** Stop here instead of at the log's end. */
  readonly until: BinlogPosition | null;
}

async function* readBatches(access: ServerAccess, from: Position, options: ReadLogOptions, plan: ReadPlan): AsyncGenerator<LogBatch> {
  const at = parsePosition(from);
  const follow = options.follow === true;
  const where = describeServer(access.server);
  options.signal?.throwIfAborted();
  let connection = await openConnection(access);
  let dump: DumpConnection | null = null;
  try {
    const kind = await serverKind(connection);
    const server = await serverIdentity(connection, kind);
    const moved = at.server !== server;
    const start = moved ? relocated(at, server, kind) : at;
    const end = plan.until ?? (await logEnd(connection, kind));
    await refuseForeignHistory(connection, at, kind, where);
    let reachedEnd = false;
    if (!moved) {
      const ahead = comparePlace(at, { ...at, ...end, parts: 0 });
      if (ahead > 0 && plan.until === null) throw lostTail(at, end, where);
      reachedEnd = ahead >= 0;
      // Nothing new: no dump has to be opened, and no file is opened on the server.
      if (reachedEnd && !follow) return;
      if (reachedEnd) yield { items: [], reachedEnd };
    }

    const assembler = new TransactionAssembler({
      family: kind.engine,
      server,
      source: where,
      selection: options.selection,
      from: start,
      rows: plan.rows,
      foldNames: (await lowerCaseTableNames(connection)) === 1,
    });
    for (let begin = dumpStart(at, moved, kind); ; ) {
      dump = await DumpConnection.open(connection, {
        family: kind.engine,
        version: kind.number,
        start: begin,
        serverId: plan.serverId,
        stopAtEnd: !follow,
        signal: options.signal,
      });
      const torn: SrdfError | null = yield* consume(dump, assembler, { end: { ...start, ...end, parts: 0 }, reachedEnd, follow }, where);
      if (torn === null) return;
      // The server won't go over a torn event by itself. Whether the next file goes on from before it, the assembler asks for proof.
      dump.close();
      connection = await openConnection(access);
      const next = await fileAfter(connection, assembler.file);
      if (next === null || !assembler.tornEvent()) throw torn;
      begin = { by: 'file', file: next, offset: 4 };
    }
  } catch (error) {
    if (options.signal?.aborted === true) throw options.signal.reason;
    throw queryError(error, `reading the binary log of ${where} from ${at.file}:${at.offset}`);
  } finally {
    dump?.close();
    connection.destroy();
  }
}

interface Goal {
  readonly end: BinlogPosition;
  /** Goes on behind the end, and says once that it was reached. */
  readonly follow: boolean;
  readonly reachedEnd: boolean;
}

/** To the end, or to a file that ends inside an event: then returns what the server says of it. */
async function* consume(
  dump: DumpConnection,
  assembler: TransactionAssembler,
  { end, follow, ...before }: Goal,
  where: string,
): AsyncGenerator<LogBatch, SrdfError | null> {
  let { reachedEnd } = before;
  const framer = new PacketFramer();
  const { batch } = assembler;
  const goal = { number: fileNumber(end.file), offset: end.offset };
  for (;;) {
    const chunk = await dump.nextChunk();
    if (chunk === null)
      throw new SrdfError('source-unreachable', {
        tried: `reading the binary log of ${where} at ${assembler.file}:${assembler.offset}`,
        found: 'the server closed the connection',
        action: 'It is read again by itself. If it stays: another reader may use the same server id (SHOW PROCESSLIST on the source)',
      });
    framer.push(chunk);
    let finished = false;
    while (!finished && framer.next()) {
      const { bytes, starts, ends, count } = framer;
      const checked = assembler.vouchesFor(framer);
      for (let i = 0; i < count && !finished; i++) {
        const start = starts[i] as number;
        const end = ends[i] as number;
        const status = bytes[start];
        if (status === 0xfe && end - start < 9) finished = true;
        else if (status === 0xff) {
          const { error, torn } = serverError(bytes, start, end, assembler, where);
          if (torn) return error;
          throw error;
        } else {
          const inner = assembler.event(bytes, start + 1, end, checked);
          if (inner !== null)
            for (const event of inner) {
              assembler.innerEvent(event);
              if (batch.bytes >= BATCH_BYTES) yield batch.take();
            }
          finished = !follow && !assembler.inTransaction && assembler.hasPassed(goal);
        }
      }
    }
    const atEnd = finished || (!reachedEnd && assembler.hasPassed(goal));
    if (atEnd && !assembler.inTransaction) assembler.endOfLog();
    if (follow && atEnd && !reachedEnd) {
      reachedEnd = true;
      yield { ...batch.take(), reachedEnd };
    } else if (batch.items.length > 0) yield batch.take();
    if (finished) return null;
  }
}

function dumpStart(at: BinlogPosition, moved: boolean, kind: ServerKind): DumpRequest['start'] {
  if (!moved && at.offset <= LARGEST_OFFSET) return { by: 'file', file: at.file, offset: at.offset };
  const gtids = parseGtidSet(kind.engine, at.gtid);
  return { by: 'gtid', gtids: gtids as Extract<DumpRequest['start'], { by: 'gtid' }>['gtids'] };
}

/** Another server's log: found by GTID, and what it holds of ours in another order is read over. */
function relocated(at: BinlogPosition, server: string, kind: ServerKind): BinlogPosition {
  if (at.gtid === '')
    throw new SrdfError('position-purged', {
      tried: `reading on at server ${server} where server ${at.server} was read to ${at.file}:${at.offset}`,
      found: 'no GTIDs in the position',
      action: ESTABLISH_KEEPING,
    });
  return { server, file: '', offset: 4, parts: at.parts, gtid: at.gtid, known: kind.engine === 'mysql' ? 'all' : at.gtid };
}

/** A server that hasn't executed what the position says was executed isn't the one, or its log was reset. */
async function refuseForeignHistory(
  connection: import('mysql2/promise').Connection,
  at: BinlogPosition,
  kind: ServerKind,
  where: string,
): Promise<void> {
  if (at.gtid === '') return;
  const [rows] = await connection.query<import('mysql2/promise').RowDataPacket[]>(
    kind.engine === 'mysql'
      ? 'SELECT @@GLOBAL.gtid_executed AS executed'
      : 'SELECT @@GLOBAL.gtid_current_pos AS current, @@GLOBAL.gtid_binlog_pos AS executed',
  );
  const executed = parseGtidSet(kind.engine, String(rows[0]?.executed ?? ''));
  if (executed.containsAll(parseGtidSet(kind.engine, at.gtid))) return;
  throw new SrdfError('position-purged', {
    tried: `reading the binary log of ${where} from ${at.file}:${at.offset}`,
    found: 'the server lacks transactions that the target has: its log was reset, or it is another server that lags behind',
    action: `Let the server catch up with the one read before, if that is still there. ${ESTABLISH_KEEPING}`,
  });
}

const LOST_TAIL_ACTION = `${ESTABLISH_KEEPING}. With sync_binlog=1 on the source this cannot happen again`;

const lostTail = (at: BinlogPosition, end: { readonly file: string; readonly offset: number }, where: string): SrdfError =>
  new SrdfError('position-purged', {
    tried: `reading the binary log of ${where} from ${at.file}:${at.offset}`,
    found: `the log ends at ${end.file}:${end.offset}: the source lost the end of its log in a crash, or the log was reset`,
    action: LOST_TAIL_ACTION,
  });

/** ERR packet: 0xFF, number 2 bytes, '#', SQLSTATE 5, message. `torn`: the file ends inside an event. */
function serverError(bytes: Buffer, start: number, end: number, assembler: TransactionAssembler, where: string) {
  const number = bytes.readUInt16LE(start + 1);
  const message = bytes.toString('utf8', bytes[start + 3] === 0x23 ? start + 9 : start + 3, end);
  const torn = number === 1236 && /truncated in the middle of event/i.test(message);
  return { error: errorOf(number, message, assembler, where), torn };
}

function errorOf(number: number, message: string, assembler: TransactionAssembler, where: string): SrdfError {
  const facts = {
    tried: `reading the binary log of ${where} at ${assembler.file}:${assembler.offset}`,
    found: `${message} (error ${number})`,
  };
  // The files of a server that lost their ends don't grow again: it writes on in a new one, with the same GTIDs for other transactions.
  if (number === 1236 && /impossible position|position > file size|exceeds? (the )?file size/i.test(message))
    return new SrdfError('position-purged', {
      tried: facts.tried,
      found: `the file is shorter: the source lost the end of its log in a crash, or the log was reset (${message})`,
      action: LOST_TAIL_ACTION,
    });
  if (
    number === 1236 &&
    /purged|could not find first log|could not find GTID state|not in the (source|master)'s binlog|log file .* not found|missing/i.test(
      message,
    )
  )
    return new SrdfError('position-purged', {
      ...facts,
      action:
        'The source no longer has the log the stream needs. Establish the stream again (srdf establish), and let the source keep its log longer (binlog_expire_logs_seconds)',
    });
  if (number === 1236 && /same server[_-]?(uuid|id)/i.test(message))
    return new SrdfError('source-unreachable', {
      ...facts,
      action: 'Another reader uses the same server id: give the stream its own serverId in srdf.yaml if this stays',
    });
  if (number === 1227 || number === 1044 || number === 1045)
    return new SrdfError('source-preflight', {
      ...facts,
      action: 'On the source: GRANT REPLICATION SLAVE ON *.* TO the account in srdf.yaml',
    });
  if (number === 1236)
    return new SrdfError('log-corrupt', {
      ...facts,
      action: 'It is read again by itself. If it stays: check the file on the source (mysqlbinlog --verify-binlog-checksum)',
    });
  return new SrdfError('source-unreachable', {
    ...facts,
    action: 'It is read again by itself; see the error log of the source if it stays',
  });
}
