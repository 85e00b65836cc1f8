/** What compaction has to know of a row image of the MySQL family. Pure. */
import type { RowFormat, RowReader, TableShape } from '../../../wagon/body.js';
import { columnSpans } from './row-walk.js';
import { parseTableMap } from './table-map.js';

/**
 * `TableShape.bytes`: the TABLE_MAP event's body after table id and flags. An image: null bitmap of all columns, then the
 * values that aren't NULL, as in a rows event.
 */
export const mysqlRowFormat: RowFormat = {
  name: 'mysql-row-image',
  open(shape: TableShape): RowReader {
    const map = parseTableMap(Buffer.from(shape.bytes.buffer, shape.bytes.byteOffset, shape.bytes.byteLength));
    const key = map.metadata.primaryKey.map((it) => it.column);
    const lastKeyColumn = Math.max(-1, ...key);
    const columns = map.metadata.names ?? Array.from({ length: map.columnCount }, (_, i) => `#${i + 1}`);
    const indexes = new Map(columns.map((name, i) => [name, i]));
    const spans = new Int32Array(2 * map.columnCount);
    const otherSpans = new Int32Array(2 * map.columnCount);
    return {
      columns,
      keyed: key.length > 0,
      keyOf(bytes, start) {
        columnSpans(bytes, start, map, spans, lastKeyColumn);
        const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        let text = '';
        // Length prefixes stay in, so that ('ab','c') and ('a','bc') are two keys.
        for (const column of key) text += buffer.toString('latin1', spans[2 * column], spans[2 * column + 1]);
        return text;
      },
      equalIn(names, a, aStart, b, bStart) {
        columnSpans(a, aStart, map, spans);
        columnSpans(b, bStart, map, otherSpans);
        for (const name of names) {
          const column = indexes.get(name);
          // A column that this shape doesn't have can't be said to be unchanged.
          if (column === undefined) return false;
          const from = spans[2 * column] ?? -1;
          const otherFrom = otherSpans[2 * column] ?? -1;
          if (from === -1 || otherFrom === -1) {
            if (from !== otherFrom) return false;
            continue;
          }
          const length = (spans[2 * column + 1] ?? 0) - from;
          if (length !== (otherSpans[2 * column + 1] ?? 0) - otherFrom) return false;
          for (let i = 0; i < length; i++) if (a[from + i] !== b[otherFrom + i]) return false;
        }
        return true;
      },
    };
  },
};
