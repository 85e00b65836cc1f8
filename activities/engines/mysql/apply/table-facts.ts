/** What the target's own dictionary says of its tables; remembered until a DDL statement or an error. */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { TableName } from '../../../vocabulary.js';
import type { RowReader, TableShape } from '../../../wagon/body.js';
import type { EngineName } from '../../engine.js';
import { mysqlRowFormat } from '../binlog/row-format.js';
import { parseTableMap } from '../binlog/table-map.js';
import { nameOf } from '../ranges/sql-literals.js';
import { DICTIONARY_COLUMN, dictionaryColumn, hasUtc, zoneColumns, zoneFix, zoneFound } from '../zone-columns.js';

export interface UniqueKey {
  readonly name: string;
  readonly columns: readonly string[];
  /** Over columns that are never NULL. */
  readonly notNull: boolean;
  /** Over whole, visible columns. Otherwise (a prefix, an expression) the row images alone don't tell its values. */
  readonly plain: boolean;
}
export interface TableFacts extends TableName {
  readonly columns: readonly string[];
  readonly generated: ReadonlySet<string>;
  readonly autoIncrement: string | null;
  /** Where there is none: the unique key without NULL that the servers' logs take for it. */
  readonly primaryKey: readonly string[];
  /** All but the primary key. */
  readonly uniqueKeys: readonly UniqueKey[];
  /** UNIQUE keys too long for an index (over a TEXT, or many bytes), each kept by a column of hashes that no dictionary shows (MariaDB). */
  readonly hashedKeys: number;
}
export interface OpenTable {
  readonly facts: TableFacts;
  readonly reader: RowReader;
}

const REMEMBERED_MILLISECONDS = 10_000;

const keyOf = (it: TableName): string => JSON.stringify([it.database, it.table]);

export class TableFactsCache {
  private readonly facts = new Map<string, TableFacts>();
  private readonly open = new Map<string, { readonly bytes: Uint8Array; readonly table: OpenTable }>();

  private since = performance.now();

  forget(): void {
    this.facts.clear();
    this.open.clear();
    this.since = performance.now();
  }
  /** Called between transactions: what somebody changes on the target by hand is seen soon, too. */
  forgetOld(): void {
    if (performance.now() - this.since > REMEMBERED_MILLISECONDS) this.forget();
  }

  /** The target's table by its own dictionary alone. */
  async target(connection: Connection, engine: EngineName, name: TableName, doing: string): Promise<TableFacts> {
    const known = this.facts.get(keyOf(name));
    if (known !== undefined) return known;
    const facts = await readTableFacts(connection, engine, name, doing);
    this.facts.set(keyOf(name), facts);
    return facts;
  }

  /** The target's table and a reader for this shape; throws `target-divergence` unless both have the same columns in the same order. */
  async get(connection: Connection, engine: EngineName, shape: TableShape, doing: string): Promise<OpenTable> {
    const key = keyOf(shape);
    const known = this.open.get(key);
    if (known !== undefined && Buffer.compare(known.bytes, shape.bytes) === 0) return known.table;
    const facts = await this.target(connection, engine, shape, doing);
    const reader = mysqlRowFormat.open(shape);
    const table = { facts: withLoggedKey(facts, shape), reader };
    compareColumns(table.facts, reader, doing);
    this.open.set(key, { bytes: shape.bytes, table });
    return table;
  }
}

/**
 * A table without PRIMARY KEY whose log names one: both servers put in its place a UNIQUE key over whole columns that are NOT NULL
 * (`TABLE_SHARE::primary_key`), whichever they come to first. With that very key on the target, rows are found as the source's server finds them.
 */
function withLoggedKey(facts: TableFacts, shape: TableShape): TableFacts {
  if (facts.primaryKey.length > 0) return facts;
  const { metadata } = parseTableMap(Buffer.from(shape.bytes.buffer, shape.bytes.byteOffset, shape.bytes.byteLength));
  const logged = JSON.stringify(metadata.primaryKey.map(({ column }) => facts.columns[column]));
  const key = facts.uniqueKeys.find((it) => it.plain && it.notNull && JSON.stringify(it.columns) === logged);
  if (key === undefined) return facts;
  return { ...facts, primaryKey: key.columns, uniqueKeys: facts.uniqueKeys.filter((it) => it !== key) };
}

/** The log of MariaDB has them behind all others; the number in a name depends on what was there when the key was made. */
const HASHES = /^DB_ROW_HASH_\d+$/;

/** Extra columns on either side would be filled or dropped in silence by the server. */
function compareColumns(facts: TableFacts, reader: RowReader, doing: string): void {
  const { length } = facts.columns;
  const unseen = reader.columns.slice(length);
  const differs =
    facts.columns.some((name, i) => name !== reader.columns[i]) ||
    unseen.length !== facts.hashedKeys ||
    !unseen.every((name) => HASHES.test(name));
  if (!differs && reader.keyed === facts.primaryKey.length > 0) return;
  throw new SrdfError('target-divergence', {
    tried: `${doing}, table ${nameOf(facts)}`,
    found: differs
      ? `the source’s columns are ${reader.columns.join(', ')}; the target’s are ${facts.columns.join(', ')}`
      : `the primary key is there on one side only`,
    action:
      'Nothing was applied. Find out who changed the table on the target besides SRDF; make it as it was, or establish the stream again',
  });
}

async function readTableFacts(connection: Connection, engine: EngineName, name: TableName, doing: string): Promise<TableFacts> {
  const where = 'TABLE_SCHEMA = ? AND TABLE_NAME = ?';
  const values = [name.database, name.table];
  const [tables] = await connection.query<RowDataPacket[]>(
    `SELECT TABLE_NAME AS name, TABLE_TYPE AS type, ENGINE AS engine FROM information_schema.TABLES WHERE ${where}`,
    values,
  );
  const table = tables[0];
  if (table === undefined)
    throw new SrdfError('target-divergence', {
      tried: `${doing}, table ${nameOf(name)}`,
      found: 'the target has no such table',
      action: 'Nothing was applied. Find out who dropped it on the target; establish the stream again',
    });
  if (table.engine !== 'InnoDB')
    throw new SrdfError('apply-failed', {
      tried: `${doing}, table ${nameOf(name)}`,
      found: `its storage engine on the target is ${table.engine}, which has no transactions`,
      action: `On the target: ALTER TABLE \`${name.database}\`.\`${name.table}\` ENGINE=InnoDB; then retry the dead letter`,
    });
  const [columns] = await connection.query<RowDataPacket[]>(
    `SELECT ${DICTIONARY_COLUMN} FROM information_schema.COLUMNS WHERE ${where} ORDER BY ORDINAL_POSITION`,
    values,
  );
  const [zoned] = engine === 'mysql' ? zoneColumns(columns.map(dictionaryColumn)) : [];
  if (zoned !== undefined && !(await hasUtc(connection)))
    throw new SrdfError('apply-failed', {
      tried: `${doing}, table ${nameOf(name)}`,
      found: zoneFound(name, zoned),
      action: `Nothing was applied. ${zoneFix(name)}; then establish the stream again (srdf establish)`,
    });
  const [keys] = await connection.query<RowDataPacket[]>(
    `SELECT INDEX_NAME AS name, INDEX_TYPE AS type, COLUMN_NAME AS columnName, SUB_PART AS prefix, NULLABLE AS nullable, ${engine === 'mysql' ? 'EXPRESSION' : 'NULL'} AS expression
     FROM information_schema.STATISTICS WHERE ${where} AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX`,
    values,
  );
  const byName = new Map<string, { columns: string[]; plain: boolean; notNull: boolean }>();
  for (const row of keys) {
    const key = byName.get(String(row.name)) ?? { columns: [], plain: true, notNull: true };
    if (row.columnName !== null) key.columns.push(String(row.columnName));
    if (row.columnName === null || row.prefix !== null || row.expression !== null) key.plain = false;
    if (row.nullable !== '') key.notNull = false;
    byName.set(String(row.name), key);
  }
  return {
    ...name,
    columns: columns.map((row) => String(row.name)),
    generated: new Set(
      columns.filter((row) => /(VIRTUAL|STORED|PERSISTENT) GENERATED/i.test(String(row.extra))).map((row) => String(row.name)),
    ),
    autoIncrement: columns.find((row) => /auto_increment/i.test(String(row.extra)))?.name ?? null,
    primaryKey: byName.get('PRIMARY')?.columns ?? [],
    uniqueKeys: [...byName].filter(([it]) => it !== 'PRIMARY').map(([it, key]) => ({ name: it, ...key })),
    hashedKeys: engine === 'mariadb' ? new Set(keys.filter((row) => row.type === 'HASH').map((row) => String(row.name))).size : 0,
  };
}
