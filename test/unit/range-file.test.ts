/** Rows from the server's packets to the file that loads them, without anything of them being decoded. */
import { describe, expect, it } from 'vitest';
import { RangeFile } from '../../activities/engines/mysql/ranges/load-file.js';
import { RowPacker } from '../../activities/engines/mysql/ranges/packed-rows.js';
import { unpackRows } from '../../activities/wagon/range-values.js';

const columns = [
  { name: 'a', encoding: 'bytes' as const },
  { name: 'b', encoding: 'bytes' as const },
];
/** As the text protocol writes it. */
function lengthEncoded(value: Buffer | null): Buffer {
  if (value === null) return Buffer.from([0xfb]);
  const head = Buffer.alloc(9);
  if (value.length < 0xfb) return Buffer.concat([Buffer.from([value.length]), value]);
  const bytes = value.length < 2 ** 16 ? 2 : value.length < 2 ** 24 ? 3 : 8;
  head.writeUInt8(bytes === 2 ? 0xfc : bytes === 3 ? 0xfd : 0xfe, 0);
  head.writeUIntLE(value.length, 1, Math.min(bytes, 6));
  return Buffer.concat([head.subarray(0, 1 + bytes), value]);
}
const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const values = [
  null,
  Buffer.alloc(0),
  Buffer.from('\\N'),
  every,
  Buffer.alloc(250, 9),
  Buffer.alloc(251, 10),
  Buffer.alloc(70_000, 0x5c),
  Buffer.alloc(17_000_000, 1),
];
const rows = values.flatMap(
  (a) =>
    [
      [a, values[1] ?? null],
      [values[3] ?? null, a],
    ] as const,
);
function fileOf(body: ConstructorParameters<typeof RangeFile>[0], chunkBytes: number): string {
  const file = new RangeFile(body);
  const out = Buffer.alloc(chunkBytes);
  let text = '';
  for (let end = file.next(out, 1); end !== 0; end = file.next(out, 1)) text += out.toString('latin1', 1, end);
  return text;
}
const packetOf = (row: readonly (Buffer | null)[]): Buffer => Buffer.concat([Buffer.from('head'), ...row.map(lengthEncoded)]);

describe('a row of the text protocol', () => {
  it('is packed as it is, into bodies of bounded size', () => {
    const packer = new RowPacker(2, 17_100_000);
    const bodies = rows.flatMap((row) => packer.add(packetOf(row), 4, packetOf(row).length) ?? []);
    bodies.push(packer.take());
    expect(bodies.length).toBe(3);
    const back = bodies.flatMap((body) => [...unpackRows({ ...body, columns })]);
    expect(back.length).toBe(rows.length);
    for (const [index, row] of back.entries())
      for (const [column, value] of row.entries()) {
        const expected = rows[index]?.[column] ?? null;
        expect(value === null ? expected === null : expected?.equals(value), `row ${index}`).toBe(true);
      }
  });

  it.each([
    ['too short', Buffer.from([3, 1, 2])],
    ['of fewer values', Buffer.from([1, 1])],
    ['of more values', Buffer.from([1, 1, 1, 1, 1, 1])],
    ['cut off in a length', Buffer.from([1, 1, 0xfd, 1])],
  ])('is refused when it is %s', (_what, packet) => {
    expect(() => new RowPacker(2, 1_000).add(packet, 0, packet.length)).toThrow(RangeError);
  });
});

describe('the file of a range', () => {
  it('escapes what separates, and nothing else', () => {
    const packer = new RowPacker(2, 1_000);
    const row = packetOf([Buffer.from('a\tb\nc\\d\0\r"\''), null]);
    packer.add(row, 4, row.length);
    const file = fileOf({ ...packer.take(), columns }, 8);
    expect(file).toBe('a\\tb\\nc\\\\d\0\r"\'\t\\N\n');
  });

  it('refuses values that don’t fill its rows', () => {
    const packer = new RowPacker(1, 1_000);
    packer.add(Buffer.from([1, 65]), 0, 2);
    const { values: packed } = packer.take();
    for (const [bytes, count] of [
      [packed, 2],
      [packed.subarray(0, 4), 1],
      [packed, 0],
    ] as const)
      expect(() => fileOf({ values: bytes, rows: count, columns: columns.slice(1) }, 64)).toThrow(RangeError);
  });
});
