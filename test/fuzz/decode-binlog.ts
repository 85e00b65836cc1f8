/** A binary log file through the product's reader, event by event as a server sends it, and what was read looked at again. */

import type { LogItem } from '../../activities/engines/engine.js';
import { decodeRow } from '../../activities/engines/mysql/binlog/decode-row.js';
import { mysqlRowFormat } from '../../activities/engines/mysql/binlog/row-format.js';
import { parseTableMap } from '../../activities/engines/mysql/binlog/table-map.js';
import { TransactionAssembler } from '../../activities/engines/mysql/binlog/transaction-assembler.js';
import { formatPosition, parsePosition } from '../../activities/engines/mysql/position.js';
import { offsetAt } from '../../activities/engines/row-images.js';
import { encodeBody } from '../../activities/wagon/encoding.js';
import type { SrdfError } from '../../temporal/error-catalogue.js';
import { eventsOf, FLAGS_AT, HEADER, sealEvent, TYPE_AT } from './binlog-file.js';
import { require } from './contract.js';

/** What the server says before the first event of a file. */
function beginningOf(file: string): Buffer {
  const event = Buffer.alloc(HEADER + 8 + file.length + 4);
  event[TYPE_AT] = 4;
  event.writeUInt16LE(0x20, FLAGS_AT);
  event.writeBigUInt64LE(4n, HEADER);
  event.write(file, HEADER + 8, 'latin1');
  return sealEvent(event);
}

export function decodeBinlog(file: Uint8Array): readonly LogItem[] {
  const family = Buffer.from(file.buffer, file.byteOffset, file.byteLength).includes('MariaDB') ? 'mariadb' : 'mysql';
  const assembler = new TransactionAssembler({
    family,
    server: 's',
    source: 'recorded',
    selection: { databases: ['shop'], include: [], exclude: [] },
    from: { server: 's', file: 'binlog.000001', offset: 4, parts: 0, gtid: '', known: '' },
    rows: true,
  });
  for (const event of [beginningOf('binlog.000002'), ...eventsOf(file)]) {
    const inner = assembler.event(event, 0, event.length);
    if (inner !== null) for (const it of inner) assembler.innerEvent(it);
  }
  return assembler.batch.take().items;
}

/** Accepted: then it must hang together, and go through what comes behind the reader. */
export function judgeItems(items: readonly LogItem[]): void {
  let inside = false;
  let last = '';
  for (const item of items) {
    if (item.kind === 'begin') {
      require(!inside, () => 'a transaction begins inside another');
      inside = true;
      continue;
    }
    require(inside, () => `${item.kind} outside a transaction`);
    if (item.kind === 'rows') judgeRows(item);
    else if (item.kind === 'ddl') encodeBody({ kind: 'ddl', statement: item.statement, committed: { first: 0, last: 0 }, logBytes: 0 });
    else {
      inside = false;
      if (item.kind === 'commit') {
        const again = formatPosition(parsePosition(item.position));
        require(again === item.position, () => `a position reads back as another: ${item.position}`);
        require(item.position !== last, () => `two transactions end at one place: ${last}`);
        last = item.position;
      }
    }
  }
}

function judgeRows(item: Extract<LogItem, { kind: 'rows' }>): void {
  const { rows } = item;
  const { bytes } = rows;
  const map = parseTableMap(Buffer.from(item.table.bytes));
  const reader = mysqlRowFormat.open(item.table);
  for (let i = 0; i < rows.images; i++) {
    const [start, end] = [offsetAt(rows, i), offsetAt(rows, i + 1)];
    require(end > start && end <= bytes.length, () => 'an image without bytes');
    if (reader.keyed) require(reader.keyOf(bytes, start).length <= end - start, () => 'a key longer than its image');
    try {
      require(decodeRow(bytes, start, map).length === map.columnCount, () => 'values are missing');
    } catch (error) {
      if (!isMalformed(error)) throw error;
    }
  }
}

/** The codes the reader refuses a log with. */
export const LOG_REFUSALS = new Set<SrdfError['code']>([
  'log-corrupt',
  'log-event-unsupported',
  'statement-unclassifiable',
  'incident',
  'source-preflight',
  'position-purged',
]);

/** What the pure decoders throw for bytes that aren't what their table map says; whoever calls them gives it a code. */
export const isMalformed = (error: unknown): boolean =>
  error instanceof RangeError && !/call stack|array length|string length|allocation/i.test(error.message);
