/** Values of a range body, row-major: a 32-bit little-endian length (0xFFFFFFFF: NULL) and the bytes of each. Pure. */
import type { RangeBody } from './body.js';

export type RangeValue = Uint8Array | null;
const NULL_LENGTH = 0xffff_ffff;

const packedSize = (row: readonly RangeValue[]): number => row.reduce((sum, cell) => sum + 4 + (cell?.length ?? 0), 0);

function packRow(row: readonly RangeValue[]): Uint8Array {
  const piece = Buffer.allocUnsafe(packedSize(row));
  let at = 0;
  for (const cell of row) {
    piece.writeUInt32LE(cell === null ? NULL_LENGTH : cell.length, at);
    at += 4;
    if (cell === null) continue;
    piece.set(cell, at);
    at += cell.length;
  }
  return piece;
}
export const packRows = (rows: readonly (readonly RangeValue[])[]): Uint8Array => Buffer.concat(rows.map(packRow));

/** The values of a body, row by row. Throws RangeError when they don't fill `rows` × `columns` exactly. */
export function* unpackRows(body: Pick<RangeBody, 'values' | 'rows' | 'columns'>): Generator<RangeValue[]> {
  const { values } = body;
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  let at = 0;
  for (let row = 0; row < body.rows; row++) {
    const cells: RangeValue[] = [];
    for (let column = 0; column < body.columns.length; column++) {
      const length = view.getUint32(at, true);
      at += 4;
      if (length === NULL_LENGTH) {
        cells.push(null);
        continue;
      }
      if (at + length > values.length) throw new RangeError('a value ends behind the body');
      cells.push(values.subarray(at, at + length));
      at += length;
    }
    yield cells;
  }
  if (at !== values.length) throw new RangeError('the body holds more than its rows');
}
