/**
 * A JSON value of MySQL as the SQL text that stores it with the same text. Pure.
 *
 * MySQL's JSON knows DECIMAL beside DOUBLE and 64-bit integers (manual, "The JSON Data Type"), and text that is parsed gives
 * doubles: 1.10 would become 1.1. Numbers that can't be doubles or 64-bit integers are therefore written as DECIMAL, inside the
 * objects and arrays they stand in. DATE, TIME and binary values inside JSON have the text of strings and become strings.
 */
import { bytesLiteral } from './sql-literals.js';

export function jsonLiteral(value: Uint8Array): string {
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
  if (!/[0-9]\.[0-9]|[0-9]{19}/.test(text)) return bytesLiteral(value, 'utf8mb4');
  const node = new JsonText(text).read();
  return node.decimals ? node.sql() : bytesLiteral(value, 'utf8mb4');
}

interface Node {
  /** A number in it has to be written as DECIMAL. */
  readonly decimals: boolean;
  sql(): string;
}

/** Reads what MySQL itself has written: valid JSON, so every surprise is a broken wagon. */
class JsonText {
  private at = 0;
  constructor(private readonly text: string) {}

  read(): Node {
    const node = this.value();
    this.space();
    if (this.at !== this.text.length) throw new RangeError('a JSON value is followed by something');
    return node;
  }

  private value(): Node {
    this.space();
    const start = this.at;
    const first = this.text[start];
    if (first === '{' || first === '[') return this.collection(first === '{' ? '}' : ']');
    if (first === '"') this.skipString();
    else {
      const token = /^[^\s,\]}:]+/.exec(this.text.slice(start, start + 128))?.[0] ?? '';
      if (token === '') throw new RangeError('a JSON value lacks');
      this.at += token.length;
      if (isDecimal(token)) return { decimals: true, sql: () => decimalLiteral(token) };
    }
    const end = this.at;
    return { decimals: false, sql: () => parsed(this.text.slice(start, end)) };
  }

  private collection(close: '}' | ']'): Node {
    const start = this.at++;
    const parts: { readonly key: string | null; readonly node: Node }[] = [];
    this.space();
    while (this.text[this.at] !== close) {
      let key: string | null = null;
      if (close === '}') {
        this.space();
        const from = this.at;
        this.skipString();
        key = JSON.parse(this.text.slice(from, this.at)) as string;
        this.space();
        this.expect(':');
      }
      parts.push({ key, node: this.value() });
      this.space();
      if (this.text[this.at] !== close) this.expect(',');
      this.space();
    }
    const end = ++this.at;
    if (!parts.some((it) => it.node.decimals)) return { decimals: false, sql: () => parsed(this.text.slice(start, end)) };
    const make = close === '}' ? 'JSON_OBJECT' : 'JSON_ARRAY';
    return {
      decimals: true,
      sql: () =>
        `${make}(${parts.map(({ key, node }) => (key === null ? node.sql() : `${bytesLiteral(Buffer.from(key), 'utf8mb4')}, ${node.sql()}`)).join(', ')})`,
    };
  }

  private skipString(): void {
    this.expect('"');
    while (this.text[this.at] !== '"') {
      if (this.at >= this.text.length) throw new RangeError('a JSON string has no end');
      this.at += this.text[this.at] === '\\' ? 2 : 1;
    }
    this.at++;
  }
  private space(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }
  private expect(character: string): void {
    if (this.text[this.at] !== character) throw new RangeError(`a JSON value lacks ${character}`);
    this.at++;
  }
}

const parsed = (json: string): string => `CAST(${bytesLiteral(Buffer.from(json), 'utf8mb4')} AS JSON)`;

function decimalLiteral(token: string): string {
  const digits = token.replace(/[-.]/g, '').length;
  const scale = token.includes('.') ? token.length - token.indexOf('.') - 1 : 0;
  if (digits > 65 || scale > 30) throw new RangeError('a JSON number is none MySQL can hold');
  return `CAST(CAST('${token}' AS DECIMAL(${digits},${scale})) AS JSON)`;
}

/** Whether a number, parsed as text, would come out as another text. DOUBLE prints its shortest digits, with `.0` when it is whole. */
function isDecimal(token: string): boolean {
  if (/^-?\d+$/.test(token)) {
    const value = BigInt(token);
    return value > 18446744073709551615n || value < -9223372036854775808n;
  }
  if (!/^-?\d+\.\d+$/.test(token)) return false;
  const number = Number(token);
  const shortest = Number.isInteger(number) ? `${Object.is(number, -0) ? '-0' : number}.0` : String(number);
  // Outside of these bounds MySQL prints doubles with an exponent: what stands here without one is none.
  return shortest !== token || (number !== 0 && (Math.abs(number) >= 1e15 || Math.abs(number) < 1e-5));
}
