/** A table map and images of its rows, as a wagon brings them to the target. Input: length of the table map (2 bytes), table map, image. */
import { decodeRow } from '../../../activities/engines/mysql/binlog/decode-row.js';
import { mysqlRowFormat } from '../../../activities/engines/mysql/binlog/row-format.js';
import { columnSpans, endOfImage } from '../../../activities/engines/mysql/binlog/row-walk.js';
import { sqlLiteral } from '../../../activities/engines/mysql/binlog/sql-literal.js';
import { parseTableMap } from '../../../activities/engines/mysql/binlog/table-map.js';
import { imageAt } from '../../../activities/engines/row-images.js';
import { type FuzzTarget, require } from '../contract.js';
import { corpusFiles } from '../corpus.js';
import { decodeBinlog, isMalformed, LOG_REFUSALS } from '../decode-binlog.js';
import { mutateBytes } from '../mutate-bytes.js';

const join = (map: Uint8Array, image: Uint8Array): Buffer => {
  const length = Buffer.alloc(2);
  length.writeUInt16LE(Math.min(map.length, 0xffff));
  return Buffer.concat([length, map.subarray(0, 0xffff), image]);
};
const parts = (input: Uint8Array): readonly [Buffer, Buffer] => {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  const length = bytes.length < 2 ? 0 : bytes.readUInt16LE(0);
  return [bytes.subarray(2, 2 + length), bytes.subarray(2 + length)];
};

export const rowImage: FuzzTarget = {
  name: 'row-image',
  refusals: LOG_REFUSALS,
  corpus: () =>
    corpusFiles('binlog').flatMap((file) =>
      decodeBinlog(file.bytes).flatMap((item) => (item.kind === 'rows' ? [join(item.table.bytes, imageAt(item.rows, 0))] : [])),
    ),
  mutate: (input, random) => {
    const [map, image] = parts(input);
    return random.chance(3) ? join(mutateBytes(map, random), image) : join(map, mutateBytes(image, random));
  },
  run: (input) => {
    const [body, image] = parts(input);
    try {
      const map = parseTableMap(body);
      const end = endOfImage(image, 0, map);
      if (!(end > 0 && end <= image.length)) return;
      const spans = new Int32Array(2 * map.columnCount);
      columnSpans(image, 0, map, spans);
      require(spans.every((at) => at >= -1 && at <= end), () => 'a value outside its image');
      const { database, table } = map;
      const reader = mysqlRowFormat.open({ database, table, bytes: body });
      if (reader.keyed) require(reader.keyOf(image, 0).length <= end, () => 'a key longer than its image');
      require(reader.equalIn(reader.columns, image, 0, image, 0), () => 'an image that differs from itself');
      const values = decodeRow(image, 0, map);
      require(values.length === map.columnCount, () => 'values are missing');
      let written = 0;
      for (const value of values) {
        if (value.kind === 'number') require(/^-?\d+(\.\d+)?$/.test(value.text), () => `the number ${value.text.slice(0, 80)}`);
        written += sqlLiteral({}, value).length;
      }
      require(written <= 32 * (image.length + body.length) + 4096, () => `${written} characters of SQL from ${image.length} bytes`);
    } catch (error) {
      if (!isMalformed(error)) throw error;
    }
  },
};
