/** The protocol's length-encoded integer: 1, 3, 4 or 9 bytes. Pure. */
export function readPackedInteger(bytes: Buffer, at: number): { value: number; next: number } {
  const first = bytes.readUInt8(at);
  if (first < 251) return { value: first, next: at + 1 };
  if (first === 252) return { value: bytes.readUInt16LE(at + 1), next: at + 3 };
  if (first === 253) return { value: bytes.readUIntLE(at + 1, 3), next: at + 4 };
  if (first === 254) return { value: Number(bytes.readBigUInt64LE(at + 1)), next: at + 9 };
  throw new RangeError(`no packed integer at ${at}`);
}
