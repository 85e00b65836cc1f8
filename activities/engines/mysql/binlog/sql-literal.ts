/** The exact SQL literal of a value: the same bytes are stored whatever sql_mode, character set and time zone's offset notation. Pure. */
import type { ColumnValue } from './decode-row.js';

/** What a literal is stored into. Strings need nothing of it; it is for types that the log doesn't tell. */
export interface LiteralColumn {
  /** information_schema's DATA_TYPE in lower case, where it is known: `uuid`, `inet4` and `inet6` are binary in the log. */
  readonly dataType?: string;
}

/** For a session with time zone +00:00 and a sql_mode that allows zero and invalid dates (`EXACT_SQL_MODE`). */
export function sqlLiteral(column: LiteralColumn, value: ColumnValue): string {
  switch (value.kind) {
    case 'null':
      return 'NULL';
    case 'number':
      return value.text;
    case 'float':
      // An exponent makes it a double; the sign of -0 stays.
      return Object.is(value.value, -0) ? '-0e0' : value.value.toExponential();
    case 'bits':
      return `b'${[...value.bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')}'`;
    case 'temporal':
      return `'${value.text}'`;
    case 'enum':
      return String(value.index);
    case 'set':
      return String(value.mask);
    case 'json':
      return `CONVERT(${hex(Buffer.from(value.text, 'utf8'))} USING utf8mb4)`;
    case 'bytes':
      return bytesLiteral(column, value.bytes);
    case 'geometry':
    case 'vector':
      return hex(value.bytes);
  }
}

const hex = (bytes: Buffer): string => (bytes.length === 0 ? "''" : `x'${bytes.toString('hex')}'`);

function bytesLiteral(column: LiteralColumn, bytes: Buffer): string {
  if (column.dataType === 'inet4' && bytes.length === 4) return `'${[...bytes].join('.')}'`;
  if (column.dataType === 'inet6' && bytes.length === 16) return `'${(bytes.toString('hex').match(/.{4}/g) ?? []).join(':')}'`;
  if (column.dataType === 'uuid' && bytes.length === 16)
    return `'${bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}'`;
  return hex(bytes);
}
