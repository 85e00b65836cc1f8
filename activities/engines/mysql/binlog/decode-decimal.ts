/** DECIMAL in its binary form (`bin2decimal` in strings/decimal.cc): groups of nine digits in four bytes, big-endian, sign in the first bit. Pure. */
import { DECIMAL_BYTES, decimalWidth } from './table-map.js';

const MOST_DIGITS = 65;

/** Exact text with `scale` fraction digits, as SELECT prints it. */
export function decodeDecimal(bytes: Buffer, at: number, precision: number, scale: number): string {
  if (precision < 1 || precision > MOST_DIGITS || scale > precision) throw new RangeError(`a DECIMAL(${precision},${scale})`);
  const copy = Buffer.from(bytes.subarray(at, at + decimalWidth(precision, scale)));
  const negative = ((copy[0] ?? 0) & 0x80) === 0;
  copy[0] = (copy[0] ?? 0) ^ 0x80;
  if (negative) for (let i = 0; i < copy.length; i++) copy[i] = (copy[i] ?? 0) ^ 0xff;
  let p = 0;
  const group = (digits: number): string => {
    const width = digits === 9 ? 4 : (DECIMAL_BYTES[digits] ?? 0);
    if (width === 0) return '';
    const text = String(copy.readUIntBE(p, width)).padStart(digits, '0');
    if (text.length > digits) throw new RangeError(`${digits} digits of a DECIMAL that hold ${text}`);
    p += width;
    return text;
  };
  const whole = precision - scale;
  let integer = group(whole % 9);
  for (let i = 0; i < Math.floor(whole / 9); i++) integer += group(9);
  let part = '';
  for (let i = 0; i < Math.floor(scale / 9); i++) part += group(9);
  part += group(scale % 9);
  integer = integer.replace(/^0+(?=\d)/, '');
  if (integer === '') integer = '0';
  return `${negative ? '-' : ''}${integer}${scale === 0 ? '' : `.${part}`}`;
}
