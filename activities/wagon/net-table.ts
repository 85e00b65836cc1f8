/** The net effect of a wagon's changes on one table with a primary key. Pure; holds references to images, copies only at the end. */
import type { Operation, RowImages } from '../engines/engine.js';
import { offsetAt, rowImages } from '../engines/row-images.js';
import type { NetChanges, RowReader } from './body.js';

/** A slot is six integers: source, start and end of the row as it was before the wagon, and as it is after. Start -1: no row. */
const SLOT = 6;
const BEFORE = 0;
const AFTER = 3;
const ABSENT = -1;

export class NetTable {
  readonly #slotOf = new Map<string, number>();
  #slots = new Int32Array(SLOT * 256);
  #count = 0;

  /**
   * `sources[i]` holds the bytes of the images of run i. `from`: `known`, the rows are as they were before the first change, and what comes to nothing
   * is left out; `any`, each may be as it was before any of the changes, since it was copied while they happened: then every key that was touched
   * gets its last word, a deletion where it came and went.
   */
  constructor(
    private readonly reader: RowReader,
    private readonly sources: readonly Uint8Array[],
    private readonly from: 'known' | 'any',
  ) {}

  /** false: an image doesn't follow from the one before of the same key, so the net effect can't be known. */
  add(source: number, operation: Operation, rows: RowImages): boolean {
    const { bytes, images } = rows;
    const { reader } = this;
    if (operation === 'insert') {
      for (let image = 0; image < images; image++) {
        const start = offsetAt(rows, image);
        if (!this.#appear(reader.keyOf(bytes, start), source, start, offsetAt(rows, image + 1))) return false;
      }
    } else if (operation === 'delete') {
      for (let image = 0; image < images; image++) {
        const start = offsetAt(rows, image);
        if (!this.#vanish(reader.keyOf(bytes, start), source, start, offsetAt(rows, image + 1))) return false;
      }
    } else {
      for (let image = 0; image < images; image += 2) {
        const before = offsetAt(rows, image);
        const after = offsetAt(rows, image + 1);
        const end = offsetAt(rows, image + 2);
        const oldKey = reader.keyOf(bytes, before);
        const newKey = reader.keyOf(bytes, after);
        if (!this.#vanish(oldKey, source, before, after) || !this.#appear(newKey, source, after, end)) return false;
      }
    }
    return true;
  }

  /** At most one change a key, in the order in which the keys were first met. */
  changes(table: number): NetChanges {
    const deletes = new ImageList(this.sources);
    const updates = new ImageList(this.sources);
    const inserts = new ImageList(this.sources);
    const slots = this.#slots;
    for (let slot = 0; slot < this.#count * SLOT; slot += SLOT) {
      const existed = slots[slot + BEFORE + 1] !== ABSENT;
      const exists = slots[slot + AFTER + 1] !== ABSENT;
      if (existed && exists) {
        if (this.from === 'known' && this.#sameImages(slot + BEFORE, slot + AFTER)) continue;
        updates.add(slots, slot + BEFORE);
        updates.add(slots, slot + AFTER);
      } else if (existed) deletes.add(slots, slot + BEFORE);
      else if (exists) inserts.add(slots, slot + AFTER);
    }
    return { table, deletes: deletes.finish(), updates: updates.finish(), inserts: inserts.finish() };
  }

  #appear(key: string, source: number, start: number, end: number): boolean {
    const known = this.#slotOf.get(key);
    if (known === undefined) {
      const slot = this.#newSlot(key);
      this.#set(slot + BEFORE, ABSENT, ABSENT, ABSENT);
      this.#set(slot + AFTER, source, start, end);
      return true;
    }
    if (this.#slots[known + AFTER + 1] !== ABSENT) return false;
    this.#set(known + AFTER, source, start, end);
    return true;
  }

  #vanish(key: string, source: number, start: number, end: number): boolean {
    const known = this.#slotOf.get(key);
    if (known === undefined) {
      const slot = this.#newSlot(key);
      this.#set(slot + BEFORE, source, start, end);
      this.#set(slot + AFTER, ABSENT, ABSENT, ABSENT);
      return true;
    }
    if (!this.#holds(known + AFTER, source, start, end)) return false;
    this.#set(known + AFTER, ABSENT, ABSENT, ABSENT);
    if (this.from === 'any' && this.#slots[known + BEFORE + 1] === ABSENT) this.#set(known + BEFORE, source, start, end);
    return true;
  }

  #newSlot(key: string): number {
    const slot = this.#count++ * SLOT;
    if (slot + SLOT > this.#slots.length) {
      const larger = new Int32Array(this.#slots.length * 2);
      larger.set(this.#slots);
      this.#slots = larger;
    }
    this.#slotOf.set(key, slot);
    return slot;
  }

  #set(at: number, source: number, start: number, end: number): void {
    const slots = this.#slots;
    slots[at] = source;
    slots[at + 1] = start;
    slots[at + 2] = end;
  }

  #sameImages(a: number, b: number): boolean {
    const slots = this.#slots;
    return this.#holds(a, slots[b] ?? ABSENT, slots[b + 1] ?? ABSENT, slots[b + 2] ?? ABSENT);
  }

  /** Whether the image at `at` is there and has the very bytes of another. */
  #holds(at: number, source: number, start: number, end: number): boolean {
    const ownSource = this.#slots[at] ?? ABSENT;
    const ownStart = this.#slots[at + 1] ?? ABSENT;
    const ownEnd = this.#slots[at + 2] ?? ABSENT;
    if (ownStart === ABSENT || ownEnd - ownStart !== end - start) return false;
    const a = this.sources[ownSource];
    const b = this.sources[source];
    if (a === undefined || b === undefined) return false;
    for (let i = ownStart, j = start; i < ownEnd; i++, j++) if (a[i] !== b[j]) return false;
    return true;
  }
}

/** Collects references to images, then copies them into one run. Images that stand side by side are copied in one go. */
class ImageList {
  /** Source, start, end. */
  readonly #spans: number[] = [];
  readonly #ends: number[] = [];
  #bytes = 0;

  constructor(private readonly sources: readonly Uint8Array[]) {}

  add(slots: Int32Array, at: number): void {
    const source = slots[at] ?? ABSENT;
    const start = slots[at + 1] ?? ABSENT;
    const end = slots[at + 2] ?? ABSENT;
    const spans = this.#spans;
    const last = spans.length - 3;
    if (last >= 0 && spans[last] === source && spans[last + 2] === start) spans[last + 2] = end;
    else spans.push(source, start, end);
    this.#bytes += end - start;
    this.#ends.push(this.#bytes);
  }

  finish(): RowImages {
    const bytes = new Uint8Array(this.#bytes);
    const offsets = new Int32Array(this.#ends.length + 1);
    offsets.set(this.#ends, 1);
    const spans = this.#spans;
    let at = 0;
    for (let span = 0; span < spans.length; span += 3) {
      const source = this.sources[spans[span] ?? ABSENT];
      const start = spans[span + 1] ?? 0;
      const end = spans[span + 2] ?? 0;
      if (source === undefined) throw new RangeError('an image of a run that is not there');
      if (end - start < 256) for (let from = start; from < end; from++) bytes[at++] = source[from] ?? 0;
      else {
        bytes.set(source.subarray(start, end), at);
        at += end - start;
      }
    }
    return rowImages(bytes, offsets);
  }
}
