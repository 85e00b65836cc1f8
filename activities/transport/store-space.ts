/** How much of a store is used: counted in memory, before it is written. */
const ALARM_SHARE = 0.8;

export class StoreSpace {
  private used = 0;
  private alarmed = false;

  /** `full`: called once when 80 % are reached, and again after it was less. */
  constructor(
    readonly maxBytes: number,
    private readonly full: (facts: { readonly bytes: number; readonly maxBytes: number }) => void,
  ) {}

  get bytes(): number {
    return this.used;
  }
  get free(): number {
    return this.maxBytes - this.used;
  }
  get alarm(): boolean {
    return this.used >= ALARM_SHARE * this.maxBytes;
  }

  /** false, and nothing taken, when they don't fit. */
  take(bytes: number): boolean {
    if (this.used + bytes > this.maxBytes) return false;
    this.used += bytes;
    if (this.alarm && !this.alarmed) this.full({ bytes: this.used, maxBytes: this.maxBytes });
    this.alarmed = this.alarm;
    return true;
  }
  giveBack(bytes: number): void {
    this.used -= bytes;
    if (!this.alarm) this.alarmed = false;
  }
  /** What lies on the disk is counted also where it is more than allowed. */
  replace(before: number, after: number): void {
    this.used += after - before;
  }
}
