/**
 * Dates and times of row images as the servers print them. Pure.
 * Layouts: https://dev.mysql.com/doc/dev/mysql-server/latest/ "Date and Time Data Type Representation" (my_time.cc).
 */
const two = (n: number): string => String(n).padStart(2, '0');
const four = (n: number): string => String(n).padStart(4, '0');
const fraction = (micros: number, digits: number): string => (digits === 0 ? '' : `.${String(micros).padStart(6, '0').slice(0, digits)}`);

/** DATE, NEWDATE: 3 bytes, day 5 bits, month 4, year 15. */
export function decodeDate(bytes: Buffer, at: number): string {
  const packed = bytes.readUIntLE(at, 3);
  return `${four(packed >> 9)}-${two((packed >> 5) & 15)}-${two(packed & 31)}`;
}

/** Microseconds of `digits` fraction digits: big-endian, in 0 to 3 bytes. */
function readFraction(bytes: Buffer, at: number, digits: number): number {
  const width = (digits + 1) >> 1;
  return width === 0 ? 0 : bytes.readUIntBE(at, width) * (width === 1 ? 10_000 : width === 2 ? 100 : 1);
}

export function decodeDatetime2(bytes: Buffer, at: number, digits: number): string {
  const packed = bytes.readUIntBE(at, 5) - 0x8000000000;
  const date = Math.floor(packed / 2 ** 17);
  const time = packed % 2 ** 17;
  const month = Math.floor(date / 32);
  return (
    `${four(Math.floor(month / 13))}-${two(month % 13)}-${two(date % 32)} ` +
    `${two(time >> 12)}:${two((time >> 6) & 63)}:${two(time & 63)}${fraction(readFraction(bytes, at + 5, digits), digits)}`
  );
}

/** In UTC. 0 is the zero time stamp, not 1970. */
export function decodeTimestamp2(bytes: Buffer, at: number, digits: number): string {
  return utc(bytes.readUInt32BE(at), readFraction(bytes, at + 4, digits), digits);
}
export const decodeOldTimestamp = (bytes: Buffer, at: number): string => utc(bytes.readUInt32LE(at), 0, 0);
function utc(seconds: number, micros: number, digits: number): string {
  if (seconds === 0 && micros === 0) return `0000-00-00 00:00:00${fraction(0, digits)}`;
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ') + fraction(micros, digits);
}

export function decodeTime2(bytes: Buffer, at: number, digits: number): string {
  const width = (digits + 1) >> 1;
  // One big-endian number with an offset: negative times count down through the fraction too.
  const packed = bytes.readUIntBE(at, 3 + width) - 0x800000 * 256 ** width;
  const absolute = Math.abs(packed);
  const whole = Math.floor(absolute / 256 ** width);
  const part = absolute % 256 ** width;
  const micros = width === 0 ? 0 : part * (width === 1 ? 10_000 : width === 2 ? 100 : 1);
  return `${packed < 0 ? '-' : ''}${two(whole >> 12)}:${two((whole >> 6) & 63)}:${two(whole & 63)}${fraction(micros, digits)}`;
}

/** Before 5.6: HHMMSS as a signed number of 3 bytes. */
export function decodeOldTime(bytes: Buffer, at: number): string {
  const packed = bytes.readIntLE(at, 3);
  const absolute = Math.abs(packed);
  return `${packed < 0 ? '-' : ''}${two(Math.floor(absolute / 10_000))}:${two(Math.floor(absolute / 100) % 100)}:${two(absolute % 100)}`;
}
/** Before 5.6: YYYYMMDDHHMMSS as a number of 8 bytes. */
export function decodeOldDatetime(bytes: Buffer, at: number): string {
  const text = bytes.readBigUInt64LE(at).toString().padStart(14, '0');
  return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)} ${text.slice(8, 10)}:${text.slice(10, 12)}:${text.slice(12, 14)}`;
}

/** A time inside JSON: 8 bytes, (year * 13 + month, day | hour, minute, second) << 24 | microseconds; as JSON prints it. */
export function decodeJsonTemporal(bytes: Buffer, at: number, kind: 'date' | 'time' | 'datetime'): string {
  const packed = bytes.readBigInt64LE(at);
  const absolute = packed < 0n ? -packed : packed;
  const micros = Number(absolute & 0xffffffn);
  const whole = Number(absolute >> 24n);
  const time = (mask: number): string =>
    `${two(((whole % 2 ** 17) >> 12) & mask)}:${two((whole >> 6) & 63)}:${two(whole & 63)}.${String(micros).padStart(6, '0')}`;
  if (kind === 'time') return `${packed < 0n ? '-' : ''}${two((whole >> 12) & 1023)}:${time(31).slice(3)}`;
  const date = Math.floor(whole / 2 ** 17);
  const month = Math.floor(date / 32);
  const text = `${four(Math.floor(month / 13))}-${two(month % 13)}-${two(date % 32)}`;
  return kind === 'date' ? text : `${text} ${time(31)}`;
}
