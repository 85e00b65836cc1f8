import { describe, expect, it } from 'vitest';
import { ItemBatch } from '../../activities/engines/mysql/binlog/item-batch.js';
import { imageAt } from '../../activities/engines/row-images.js';

const TABLE = { database: 'shop', table: 'item', bytes: new Uint8Array(0) };
const rows = (bytes: Uint8Array, ...offsets: readonly number[]) =>
  ({
    kind: 'rows',
    table: TABLE,
    operation: 'insert',
    rows: { bytes, offsets: Int32Array.from(offsets), first: 1, images: offsets.length - 2 },
    foreignKeyChecks: true,
    uniqueChecks: true,
  }) as const;
const held = (batch: ItemBatch) => {
  const images = batch.take().items.flatMap((it) => (it.kind === 'rows' ? [it.rows] : []));
  const memory = new Set(images.map((it) => it.bytes.buffer));
  return {
    images: images.map((it) => Array.from({ length: it.images }, (_, i) => [...imageAt(it, i)])),
    bytes: [...memory].reduce((sum, it) => sum + it.byteLength, 0),
  };
};
const numbered = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i & 0xff);

describe('a batch', () => {
  it('does not hold a large block for a few rows in it', () => {
    const batch = new ItemBatch();
    batch.rows(rows(numbered(60_000), 0, 10, 12, 15));
    batch.rows(rows(numbered(60_000), 0, 20, 22));
    const { images, bytes } = held(batch);
    expect(images).toEqual([
      [
        [10, 11],
        [12, 13, 14],
      ],
      [[20, 21]],
    ]);
    expect(bytes).toBe(7);
  });
  it('leaves images where they are when they fill their block', () => {
    const batch = new ItemBatch();
    const block = numbered(100);
    batch.rows(rows(block, 0, 10, 90));
    const item = batch.take().items[0];
    expect(item?.kind === 'rows' && item.rows.bytes).toBe(block);
    expect(batch.take().items).toEqual([]);
  });
});
