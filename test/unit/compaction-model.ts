/**
 * A small database in memory with primary and secondary unique keys, keyless tables and foreign keys with actions that
 * change children without a word in the log, as InnoDB does. What compaction is judged against.
 */
import type { ForeignKeyFact, Operation, RowImages } from '../../activities/engines/engine.js';
import { imageAt } from '../../activities/engines/row-images.js';
import type { ChangesBody, NetChanges, RowFormat, TableShape } from '../../activities/wagon/body.js';
import { images } from './wagon-fixture.js';

/** Four columns of one byte: c0 the primary key (if any), c1 a secondary unique key (if any), c2 may refer to a parent, c3 data. 0 is NULL. */
export type Row = readonly [number, number, number, number];
type Action = 'restrict' | 'cascade' | 'set-null';
interface Reference {
  readonly parent: number;
  readonly parentColumn: 0 | 1;
  readonly onDelete: Action;
  readonly onUpdate: Action;
}
interface ModelTable {
  readonly keyed: boolean;
  readonly uniqueSecond: boolean;
  readonly reference: Reference | null;
}
export type Schema = readonly ModelTable[];

/** The database refuses a change: on the source nothing happens, on the target it must not occur. */
export class Refused extends Error {}

export class ModelDatabase {
  rows: Row[][];
  constructor(private readonly schema: Schema) {
    this.rows = schema.map(() => []);
  }

  /** Everything or nothing. */
  change(table: number, operation: Operation, before: Row | null, after: Row | null, foreignKeyChecks: boolean): void {
    const saved = this.rows.map((rows) => [...rows]);
    try {
      if (operation === 'insert' && after !== null) this.#insert(table, after, foreignKeyChecks);
      else if (operation === 'delete' && before !== null) this.#delete(table, before, foreignKeyChecks);
      else if (before !== null && after !== null) this.#update(table, before, after, foreignKeyChecks);
    } catch (error) {
      this.rows = saved;
      throw error;
    }
  }

  state(): string {
    return JSON.stringify(this.rows.map((rows) => rows.map(String).sort()));
  }

  #insert(table: number, row: Row, checks: boolean): void {
    this.#checkUnique(table, row);
    this.#table(table).push(row);
    if (checks) this.#checkParent(table, row);
  }
  #delete(table: number, row: Row, checks: boolean): void {
    this.#remove(table, row);
    if (checks) this.#act(table, row, null);
  }
  #update(table: number, before: Row, after: Row, checks: boolean): void {
    this.#remove(table, before);
    this.#checkUnique(table, after);
    this.#table(table).push(after);
    if (!checks) return;
    this.#act(table, before, after);
    if (before[2] !== after[2]) this.#checkParent(table, after);
  }

  #table(table: number): Row[] {
    const rows = this.rows[table];
    if (rows === undefined) throw new RangeError(`table ${table}`);
    return rows;
  }
  #remove(table: number, row: Row): void {
    const rows = this.#table(table);
    const index = rows.findIndex((it) => String(it) === String(row));
    if (index < 0) throw new Refused(`row ${row} is not in table ${table}`);
    rows.splice(index, 1);
  }
  #checkUnique(table: number, row: Row): void {
    const { keyed, uniqueSecond } = this.schema[table] ?? { keyed: false, uniqueSecond: false };
    for (const it of this.#table(table)) {
      if (keyed && it[0] === row[0]) throw new Refused('duplicate primary key');
      if (uniqueSecond && row[1] !== 0 && it[1] === row[1]) throw new Refused('duplicate secondary key');
    }
  }
  #checkParent(table: number, row: Row): void {
    const reference = this.schema[table]?.reference;
    if (!reference || row[2] === 0) return;
    if (!this.#table(reference.parent).some((it) => it[reference.parentColumn] === row[2])) throw new Refused('no parent');
  }
  /** What the foreign keys do when a parent's row goes (`after` null) or changes. */
  #act(table: number, before: Row, after: Row | null): void {
    for (const [child, { reference }] of this.schema.entries()) {
      if (reference?.parent !== table) continue;
      const old = before[reference.parentColumn];
      if (old === 0 || old === after?.[reference.parentColumn]) continue;
      const action = after === null ? reference.onDelete : reference.onUpdate;
      for (const row of this.#table(child).filter((it) => it[2] === old)) {
        if (action === 'restrict') throw new Refused('a child refers to it');
        if (action === 'cascade' && after === null) {
          if (this.#table(child).some((it) => String(it) === String(row))) this.#delete(child, row, true);
        } else {
          const value = action === 'cascade' ? (after?.[reference.parentColumn] ?? 0) : 0;
          const changed: Row = [row[0], row[1], value, row[3]];
          this.#remove(child, row);
          this.#checkUnique(child, changed);
          this.#table(child).push(changed);
        }
      }
    }
  }

  /** As a target applies a wagon: the ordered runs as they are, the net effect of a table by the rule for secondary unique keys. */
  apply(body: ChangesBody, netFirst: boolean): void {
    const tableOf = (index: number) => Number((body.tables[index]?.table ?? '').slice(1));
    const ordered = () => {
      for (const run of body.ordered) {
        forEachRow(run.operation, run.rows, (before, after) =>
          this.change(tableOf(run.table), run.operation, before, after, run.foreignKeyChecks),
        );
      }
    };
    const net = () => {
      for (const changes of body.net) this.#applyNet(tableOf(changes.table), changes);
    };
    if (netFirst) {
      net();
      ordered();
    } else {
      ordered();
      net();
    }
  }

  #applyNet(table: number, changes: NetChanges): void {
    const deletes: Row[] = [];
    const updates: [Row, Row][] = [];
    const inserts: Row[] = [];
    forEachRow('delete', changes.deletes, (before) => before && deletes.push(before));
    forEachRow('update', changes.updates, (before, after) => before && after && updates.push([before, after]));
    forEachRow('insert', changes.inserts, (_, after) => after && inserts.push(after));
    const moving = updates.some(([before, after]) => before[1] !== after[1]);
    const collides = this.schema[table]?.uniqueSecond === true && (deletes.length > 0 || moving) && (inserts.length > 0 || moving);
    if (collides) {
      for (const [before, after] of updates.splice(0)) {
        deletes.push(before);
        inserts.push(after);
      }
    }
    for (const row of deletes) this.change(table, 'delete', row, null, false);
    for (const [before, after] of updates) this.change(table, 'update', before, after, false);
    for (const row of inserts) this.change(table, 'insert', null, row, false);
  }
}

export function rowImages(...rows: readonly Row[]): RowImages {
  return images(...rows.map((row) => Uint8Array.from(row)));
}
function forEachRow(operation: Operation, rows: RowImages, each: (before: Row | null, after: Row | null) => void): void {
  const row = (image: number): Row => {
    const [a = 0, b = 0, c = 0, d = 0] = imageAt(rows, image);
    return [a, b, c, d];
  };
  const step = operation === 'update' ? 2 : 1;
  for (let image = 0; image < rows.images; image += step) {
    if (operation === 'insert') each(null, row(image));
    else if (operation === 'delete') each(row(image), null);
    else each(row(image), row(image + 1));
  }
}

export function shapesOf(schema: Schema): readonly TableShape[] {
  return schema.map(({ keyed }, index) => ({ database: 'model', table: `t${index}`, bytes: Uint8Array.of(keyed ? 1 : 0, index) }));
}

export const modelFormat: RowFormat = {
  name: 'model',
  open: (shape) => ({
    columns: ['c0', 'c1', 'c2', 'c3'],
    keyed: shape.bytes[0] === 1,
    keyOf: (bytes, start) => String.fromCharCode(bytes[start] ?? 0),
    equalIn: (columns, a, aStart, b, bStart) => columns.every((column) => a[aStart + Number(column[1])] === b[bStart + Number(column[1])]),
  }),
};

export function factsOf(schema: Schema): readonly ForeignKeyFact[] {
  return schema.flatMap(({ reference }, child) =>
    reference === null
      ? []
      : [
          {
            child: { database: 'model', table: `t${child}` },
            parent: { database: 'model', table: `t${reference.parent}` },
            parentColumns: [`c${reference.parentColumn}`],
            cascades: reference.onDelete !== 'restrict' || reference.onUpdate !== 'restrict',
          },
        ],
  );
}
